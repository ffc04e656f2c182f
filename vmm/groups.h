/* SPDX-License-Identifier: GPL-2.0-only */
/* Recorded exits counted by something other than the operation. */
#ifndef VMM_GROUPS_H
#define VMM_GROUPS_H

#include "cmd.h"

enum group_key { GROUP_OPERATION, GROUP_REASON, GROUP_RIP, GROUP_LEVEL };

struct group {
	uint64_t key;
	uint16_t level;
	uint64_t count, ticks;
};

struct group_list {
	struct group *groups;
	size_t count, capacity;
};

/* GROUP_OPERATION for an unknown name. */
enum group_key group_key_by_name(const char *name);

/* Counts an exit; any other record is none. Returns 0 or -ENOMEM. */
int groups_add(struct group_list *list, enum group_key by, const struct record *record);

/* Writes the groups, the most frequent first, in the format of the settings: text, csv or json. */
int groups_emit(struct group_list *list, enum group_key by, const struct report *report,
		const struct settings *settings, struct error *error);
void groups_finish(struct group_list *list);

#endif
