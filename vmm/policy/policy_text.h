/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of a policy file and where in it things stand. libconfig says on which line a setting
 * is, which is too little for a message about one of several settings on a line, and its
 * version 1.5 keeps 32 bits of most numbers: the tokens give the column and the digits.
 */
#ifndef VMM_POLICY_POLICY_TEXT_H
#define VMM_POLICY_POLICY_TEXT_H

#include <stdint.h>

#include "vmm/base/error.h"
#include "vmm/policy/diagnostic.h"

/* What a file may have at most; docs/views.md has the same numbers. */
#define POLICY_TEXT_MAX (1u << 20)
#define POLICY_SETTINGS_MAX 65536
#define POLICY_ELEMENTS_MAX 65536 /* of lists */
/* Levels of brackets; the deepest that means anything is 4. */
#define POLICY_TEXT_DEPTH 8

enum token_kind {
	TOKEN_INVALID,
	TOKEN_WORD,   /* a number, true or false */
	TOKEN_NAME,   /* a word with = or : behind it */
	TOKEN_STRING, /* with its quotes */
	TOKEN_MARK,   /* a single other character */
};

struct token {
	enum token_kind kind;
	struct place place;
	uint32_t offset, length;
	uint32_t group;	 /* index of the bracket that a name is in or a bracket closes, plus one; 0: none */
	uint32_t number; /* of a name: how many the group has before it; of a bracket: how many it has in all */
};

struct policy_text {
	char *data; /* ends with a NUL */
	size_t size;
	struct token *tokens;
	size_t token_count;
	uint32_t outside; /* names that are in no bracket */
	char *readable; /* what libconfig gets to read, see policy_text_prepare() */
};

struct config_t;
struct config_setting_t;

/* Reads a file. Returns 0, or a negative errno with the reason in `error`. */
int policy_text_read(struct policy_text *text, const char *path, struct error *error);

/*
 * Finds the tokens, and refuses what libconfig must not be given: directives that read other files,
 * bytes of value 0, brackets without end. Returns 0, -EINVAL with diagnostics, or -ENOMEM.
 */
int policy_text_scan(struct policy_text *text, struct diagnostics *diagnostics);

/*
 * Makes the text that libconfig reads. It compares each name with all others of the group, so a large group is cut
 * into small ones here, and that no two names are the same is looked at here. The lines stay what they are.
 * Returns 0, -ENOMEM, or -EINVAL after having reported the fault.
 */
int policy_text_prepare(struct policy_text *text, struct diagnostics *diagnostics);

/* The settings of a group or list, as the file has them; both have been placed, or are being. */
int policy_text_length(const struct policy_text *text, const struct config_setting_t *group);
struct config_setting_t *policy_text_elem(const struct policy_text *text,
					  const struct config_setting_t *group, int index);

/* The member of a group by that name, or NULL. */
struct config_setting_t *policy_text_member(const struct policy_text *text,
					    const struct config_setting_t *group, const char *name);

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
