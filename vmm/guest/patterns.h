/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations of the catalogue that shell patterns (fnmatch(3)) name. */
#ifndef VMM_GUEST_PATTERNS_H
#define VMM_GUEST_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "guestfw/abi.h"
#include "vmm/base/error.h"

/* Whether a name is one that the patterns name; without a pattern each is. */
bool patterns_name(const char *const *patterns, size_t count, const char *name);

/* Refuses patterns of which one names no operation. Returns 0 or -ENOENT. */
int patterns_check(const char *const *patterns, size_t count, const struct ss_operation *operations,
		   size_t operation_count, struct error *error);

/* Refuses `pattern`, which names none of the operations; `option` is what it was given to, "" for an operand. Returns
 * -ENOENT. */
int patterns_refuse(const char *option, const char *pattern, const struct ss_operation *operations, size_t count,
		    struct error *error);

#endif
