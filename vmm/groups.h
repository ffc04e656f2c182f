/* SPDX-License-Identifier: GPL-2.0-only */
/* Recorded exits counted by something other than the operation. */
#ifndef VMM_GROUPS_H
#define VMM_GROUPS_H

#include <jansson.h>

#include "contents.h"
#include "group_key.h"

struct group {
	uint64_t key;
	uint16_t level;
	uint64_t count, ticks;
	struct record_exit first; /* of these exits */
};

struct group_list {
	struct group *groups;
	size_t count;
	uint64_t total; /* exits of all groups */
};

/* Counts the exits of a ledger by key and level, the most frequent first. Returns 0 or -ENOMEM. */
int groups_count(struct contents *contents, enum group_key by, struct group_list *ret_list);
void groups_finish(struct group_list *list);

/* The writers; they return 0 or -ENOMEM. */
typedef int group_writer(const struct contents *contents, enum group_key by,
			 const struct group_list *list, FILE *stream);
group_writer groups_text, groups_csv, groups_json;

/* The first `most` groups as JSON. */
json_t *json_groups(const struct contents *contents, enum group_key by,
		    const struct group_list *list, size_t most);

#endif
