/* SPDX-License-Identifier: GPL-2.0-only */
#include "groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const group_key_names[GROUP_KEY_COUNT] = {
#define X(name, key, before) key,
	GROUP_KEYS(X)
#undef X
};

enum group_key group_key_by_name(const char *name)
{
	int i = 0;

	while (i < GROUP_KEY_COUNT && strcmp(group_key_names[i], name) != 0)
		i++;
	return (enum group_key)i;
}

static uint64_t key_of(enum group_key by, const struct record_exit *exit)
{
	switch (by) {
	case GROUP_REASON:
		return exit->reason;
	case GROUP_RIP:
		return exit->rip;
	case GROUP_LEVEL:
		return exit->record.level;
	case GROUP_SERVICE:
		return exit->service;
	default:
		return exit->operation;
	}
}

/* Not every exit was about a service. */
static bool counts(enum group_key by, const struct record_exit *exit)
{
	return by != GROUP_SERVICE || exit->service != 0;
}

static int count_exit(struct group_list *list, struct keyset *keys, enum group_key by,
		      const struct record_exit *exit)
{
	struct key key = {key_of(by, exit), exit->record.level};
	int64_t number = keyset_add(keys, key);
	struct group *group;

	if (number < 0)
		return (int)number;
	if ((size_t)number == list->count) {
		group = realloc(list->groups, keys->capacity * sizeof(*group));
		if (!group)
			return -ENOMEM;
		list->groups = group;
		group[list->count++] = (struct group){
			.key = key.value, .level = exit->record.level, .first = *exit};
	}
	group = &list->groups[number];
	group->count++;
	group->ticks += exit->cost;
	list->total++;
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->level > y->level) - (x->level < y->level);
}

int groups_count(struct contents *contents, enum group_key by, struct group_list *ret_list)
{
	const struct record *record;
	struct keyset keys = {0};
	struct record_exit exit;
	int rc = 0;

	*ret_list = (struct group_list){0};
	ledger_rewind(&contents->reader);
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL)
		if (contents_exit(record, &exit) && counts(by, &exit))
			rc = count_exit(ret_list, &keys, by, &exit);
	keyset_finish(&keys);
	if (rc != 0)
		groups_finish(ret_list);
	else if (ret_list->count)
		qsort(ret_list->groups, ret_list->count, sizeof(*ret_list->groups), by_count);
	return rc;
}

void groups_finish(struct group_list *list)
{
	free(list->groups);
	*list = (struct group_list){0};
}
