/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of a policy file and where in it things stand. libconfig says on which line a setting
 * is, which is too little for a message about one of several settings on a line, and its
 * version 1.5 keeps 32 bits of most numbers: the tokens give the column and the digits.
 */
#ifndef VMM_POLICY_POLICY_TEXT_H
#define VMM_POLICY_POLICY_TEXT_H

#include "vmm/base/error.h"
#include "vmm/policy/policy_token.h"

struct config_setting_t;

/* Reads a file. Returns 0, or a negative errno with the reason in `error`. */
int policy_text_read(struct policy_text *text, const char *path, struct error *error);

/*
 * Finds the tokens, and refuses what libconfig must not be given: directives that read other files,
 * bytes of value 0, brackets without end. Returns 0, -EINVAL with diagnostics, or -ENOMEM.
 */
int policy_text_scan(struct policy_text *text, struct diagnostics *diagnostics);

/* Puts the place of each setting into its hook; libconfig has accepted the text. Returns 0, or
 * -EINVAL with a diagnostic if words that it takes apart stand together, as in "a=1b=2". */
int policy_text_place(const struct policy_text *text, struct config_setting_t *root,
		      struct diagnostics *diagnostics);

/* Where a setting that has been placed starts, and where its value does. */
struct place policy_text_name(const struct policy_text *text,
			      const struct config_setting_t *setting);
struct place policy_text_value(const struct policy_text *text,
			       const struct config_setting_t *setting);

/* Where on a line the fault is likely to be that libconfig has found there: at a name that its
 * group has already, else at the line's first token. */
struct place policy_text_error(const struct policy_text *text, unsigned line);

/* The digits of a setting that is a whole number: 0, -ERANGE if it has no place in 64 bits without
 * a sign, or -EINVAL if it is none. */
int policy_text_number(const struct policy_text *text, const struct config_setting_t *setting,
		       uint64_t *ret_number);

void policy_text_finish(struct policy_text *text);

#endif
