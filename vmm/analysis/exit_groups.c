/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/exit_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/observed.h"

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

static uint64_t key_of(const struct ledger_index *contents, enum group_key by,
		       const struct record_exit *exit)
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
	case GROUP_SYMBOL:
		return ledger_index_symbol(contents, exit->rip);
	case GROUP_VM:
		return exit->record.vm;
	default:
		return exit->operation;
	}
}

/* Not every exit was about a service. */
static bool counts(enum group_key by, const struct record_exit *exit)
{
	return by != GROUP_SERVICE || exit->service != 0;
}

static size_t level_index(uint16_t level)
{
	return level < LEVEL_COUNT ? level : LEVEL_COUNT;
}

/* The group of a key; NULL if memory is short. */
static struct group *group_of(struct group_list *list, struct keyset *keys, struct key key)
{
	int64_t number = keyset_add(keys, key);
	struct group *groups;

	if (number < 0)
		return NULL;
	if ((size_t)number == list->count) {
		groups = realloc(list->groups, keys->capacity * sizeof(*groups));
		if (!groups)
			return NULL;
		list->groups = groups;
		groups[list->count++] = (struct group){
			.key = key.value, .level = (uint16_t)key.kind, .observed = true};
	}
	return &list->groups[number];
}

static int count_exit(struct group_list *list, struct keyset *keys, uint64_t key,
		      const struct record_exit *exit)
{
	struct group *group = group_of(list, keys, (struct key){key, exit->record.level});

	if (!group)
		return -ENOMEM;
	if (group->count++ == 0)
		group->first = *exit;
	group->timed += observed_cost(exit->cost);
	group->ticks += exit->cost;
	list->total[level_index(exit->record.level)]++;
	return 0;
}

/* A level at which no exit was recorded: there was none, or nothing was looking. */
static int add_levels(const struct report *report, struct group_list *list, struct keyset *keys)
{
	for (uint16_t level = 0; level < LEVEL_COUNT; level++) {
		enum recorded recorded = observed_records(report, (enum level)level);
		struct group *group;

		if (recorded == RECORDED_NO_LEVEL)
			continue;
		group = group_of(list, keys, (struct key){level, level});
		if (!group)
			return -ENOMEM;
		group->observed = group->count || recorded != RECORDED_NONE;
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->observed != y->observed)
		return x->observed ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->level > y->level) - (x->level < y->level);
}

int exit_groups_count(struct ledger_index *contents, enum group_key by, struct group_list *ret_list)
{
	const struct record *record;
	struct keyset keys = {0};
	struct record_exit exit;
	int rc = 0;

	*ret_list = (struct group_list){0};
	ledger_rewind(&contents->reader);
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL)
		if (ledger_index_exit(record, &exit) && counts(by, &exit))
			rc = count_exit(ret_list, &keys, key_of(contents, by, &exit), &exit);
	if (rc == 0 && by == GROUP_LEVEL)
		rc = add_levels(&contents->report, ret_list, &keys);
	keyset_finish(&keys);
	if (rc != 0)
		exit_groups_finish(ret_list);
	else if (ret_list->count)
		qsort(ret_list->groups, ret_list->count, sizeof(*ret_list->groups), by_count);
	return rc;
}

void exit_groups_finish(struct group_list *list)
{
	free(list->groups);
	*list = (struct group_list){0};
}
