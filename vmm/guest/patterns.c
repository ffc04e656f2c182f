/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/patterns.h"

#include <errno.h>
#include <fnmatch.h>

#include "vmm/base/nearest.h"

bool patterns_name(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return count == 0;
}

int patterns_refuse(const char *option, const char *pattern, const struct ss_operation *operations, size_t count,
		    struct error *error)
{
	struct nearest nearest = {.given = pattern};

	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, operations[i].name);
	if (nearest.word)
		return error_set(error, -ENOENT, STATUS_USAGE,
				 "%sno operation matches '%s'; did you mean %s? `sidestep test --list` names them", option,
				 pattern, nearest.word);
	return error_set(error, -ENOENT, STATUS_USAGE, "%sno operation matches '%s'; `sidestep test --list` names them",
			 option, pattern);
}

int patterns_check(const char *const *patterns, size_t count, const struct ss_operation *operations,
		   size_t operation_count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t j = 0; j < operation_count && !found; j++)
			found = patterns_name(&patterns[i], 1, operations[j].name);
		if (!found)
			return patterns_refuse("", patterns[i], operations, operation_count, error);
	}
	return 0;
}
