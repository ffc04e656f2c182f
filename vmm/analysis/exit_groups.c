/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/exit_groups.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "views/list.h"
#include "views/service.h"
#include "vmm/analysis/disassembly.h"
#include "vmm/analysis/group_costs.h"
#include "vmm/analysis/observed.h"
#include "vmm/base/neighbourhood.h"
#include "vmm/base/progress.h"

const char *const group_key_names[GROUP_KEY_COUNT] = {GROUP_KEYS(LIST_KEY)};

const struct table_column group_columns[GROUP_COLUMN_COUNT] = {
	GROUP_COLUMNS(TABLE_COLUMN)
};

/* Of a vCPU: its VM, and its number there. */
#define VCPU_VM_SHIFT 32

static uint64_t key_of(struct ledger_index *contents, enum group_key by, const struct record_exit *exit)
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
		return ledger_index_place(contents, exit->rip);
	case GROUP_VCPU:
		return (uint64_t)exit->record.vm << VCPU_VM_SHIFT | exit->record.vcpu;
	case GROUP_INSTRUCTION:
		return disassembly_mnemonics_find(&contents->mnemonics, ledger_index_code(contents, exit->rip),
						  exit, contents->report.backend);
	case GROUP_VM:
		return exit->record.vm;
	default:
		return (uint64_t)exit->operation << 16 | exit->reason;
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
	if (exit->cost > group->maximum)
		group->maximum = exit->cost;
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

static void set_columns(struct group_list *list, bool ranked)
{
	struct table_column *own = list->columns;

	memcpy(own, group_columns, sizeof(group_columns));
	own[GROUP_COLUMN_KEY].header = own[GROUP_COLUMN_KEY].key = group_key_names[list->by];
	if (list->by != GROUP_RIP)
		own[GROUP_COLUMN_AT].flags = own[GROUP_COLUMN_INSTRUCTION].flags = TABLE_NOWHERE;
	/* Its column would stand there twice, and every share would be all. */
	if (list->by == GROUP_LEVEL)
		own[GROUP_COLUMN_LEVEL].flags = own[GROUP_COLUMN_SHARE].flags = TABLE_NOWHERE;
	/* Place and instruction take the room. */
	if (list->by == GROUP_RIP)
		own[GROUP_COLUMN_MEAN].flags = own[GROUP_COLUMN_MAX].flags = TABLE_NO_TEXT;
	for (int column = GROUP_COLUMN_MEAN; column <= GROUP_COLUMN_MAX && !ranked; column++)
		own[column].flags = TABLE_NOWHERE;
}

static int count_all(struct ledger_index *contents, struct group_list *list, struct keyset *keys)
{
	const struct record *record;
	struct record_exit exit;
	int rc = 0;

	progress_step("counting exits by %s", group_key_names[list->by]);
	ledger_rewind(&contents->reader);
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL)
		if (ledger_index_exit(record, &exit) && counts(list->by, &exit))
			rc = count_exit(list, keys, key_of(contents, list->by, &exit), &exit);
	return rc;
}

static int make_room(const struct group_list *list, struct group_costs *costs)
{
	size_t all = 0;
	int rc;

	for (size_t i = 0; i < list->count; i++)
		all += list->groups[i].timed;
	rc = group_costs_create(costs, list->count, all);
	for (size_t i = 0; rc == 0 && i < list->count; i++)
		group_costs_room(costs, list->groups[i].timed);
	return rc;
}

/* The ledger is read once more, so that the costs of all exits are in memory but once, without their keys. */
static int rank_all(struct ledger_index *contents, struct group_list *list, const struct keyset *keys)
{
	const struct record *record;
	struct group_costs costs;
	struct record_exit exit;
	int rc = make_room(list, &costs);

	progress_step("adding up what exits cost by %s", group_key_names[list->by]);
	ledger_rewind(&contents->reader);
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL) {
		int64_t number;

		if (!ledger_index_exit(record, &exit) || !counts(list->by, &exit))
			continue;
		number = keyset_find(keys, (struct key){key_of(contents, list->by, &exit), exit.record.level});
		if (number >= 0)
			group_costs_add(&costs, (size_t)number, exit.cost);
	}
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		list->groups[i].median = group_costs_percentile(&costs, i, 50);
		list->groups[i].percentile99 = group_costs_percentile(&costs, i, 99);
	}
	group_costs_finish(&costs);
	return rc;
}

/* The most frequent first, at all levels and at each. */
static void put_in_order(struct group_list *list)
{
	if (list->count)
		qsort(list->groups, list->count, sizeof(*list->groups), by_count);
	for (size_t i = 0; i < list->count; i++)
		list->groups[i].before = list->groups_at[level_index(list->groups[i].level)]++;
}

static int make_list(struct ledger_index *contents, enum group_key by, bool ranked, struct group_list *ret_list)
{
	struct keyset keys = {0};
	int rc;

	*ret_list = (struct group_list){.contents = contents, .by = by};
	set_columns(ret_list, ranked);
	rc = count_all(contents, ret_list, &keys);
	if (rc == 0 && by == GROUP_LEVEL)
		rc = add_levels(&contents->report, ret_list, &keys);
	if (rc == 0 && ranked)
		rc = rank_all(contents, ret_list, &keys);
	keyset_finish(&keys);
	if (rc != 0)
		exit_groups_finish(ret_list);
	else
		put_in_order(ret_list);
	return rc;
}

int exit_groups_count(struct ledger_index *contents, enum group_key by, struct group_list *ret_list)
{
	return make_list(contents, by, false, ret_list);
}

int exit_groups_rank(struct ledger_index *contents, enum group_key by, struct group_list *ret_list)
{
	return make_list(contents, by, true, ret_list);
}

void exit_groups_finish(struct group_list *list)
{
	free(list->groups);
	*list = (struct group_list){0};
}

const char *exit_groups_level(uint64_t level)
{
	return level < LEVEL_COUNT ? level_keys[level] : "?";
}

/* By name, or by number if there is none, and what came of it if it was not carried out. */
static struct cell service_cell(uint64_t code)
{
	static const char *const names[SERVICE_NUMBERS + 1] = {
#define X(name, number, key, privilege, text) [number] = #key,
		SS_SERVICES(X)
#undef X
	};
	static const char *const outcomes[] = {
		[SERVICE_UNDEFINED] = " #UD",
		[SERVICE_FORBIDDEN] = " #GP",
		[SERVICE_REFUSED] = " refused",
		[SERVICE_EXIT_DISABLED] = " disabled",
		[SERVICE_EXIT_FORBIDDEN] = " forbidden",
	};
	uint64_t number = code & 0xff, verdict = code >> 8;
	bool plain = verdict >= sizeof(outcomes) / sizeof(outcomes[0]) || !outcomes[verdict];
	const char *outcome = plain ? "" : outcomes[verdict];

	if (number < SERVICE_NUMBERS && names[number])
		return cell_of_format("%s%s", names[number], outcome);
	return cell_of_format("%" PRIu64 "%s", number, outcome);
}

static struct cell symbol_cell(const struct ledger_index *contents, uint64_t place)
{
	struct cell cell = {.state = CELL_OBSERVED};

	if (!ledger_index_place_unnamed(place))
		return cell_of_foreign(ledger_index_place_name(contents, place));
	neighbourhood_text(ledger_index_place_address(place), cell.buffer);
	return cell;
}

/* "0", or "1:0" of several VMs. */
static struct cell vcpu_cell(const struct ledger_index *contents, uint64_t key)
{
	uint64_t vm = key >> VCPU_VM_SHIFT;
	uint32_t vcpu = (uint32_t)key;

	if (contents->report.vm_count || vm)
		return cell_of_format("%" PRIu64 ":%" PRIu32, vm, vcpu);
	return cell_of_format("%" PRIu32, vcpu);
}

struct cell exit_groups_instruction(uint64_t mnemonic)
{
	char text[DISASSEMBLY_MNEMONIC_SIZE];

	return cell_of_format("%s", disassembly_mnemonic_name((uint32_t)mnemonic, text));
}

static struct cell key_cell(const struct group_list *list, const struct group *group)
{
	switch (list->by) {
	case GROUP_REASON:
		return cell_of_text(ledger_index_reason(list->contents, group->level, group->key));
	case GROUP_RIP:
		return cell_of_value(CELL_ADDRESS, group->key);
	case GROUP_SYMBOL:
		return symbol_cell(list->contents, group->key);
	case GROUP_VCPU:
		return vcpu_cell(list->contents, group->key);
	case GROUP_INSTRUCTION:
		return exit_groups_instruction(group->key);
	case GROUP_VM:
		return cell_of_count(true, group->key);
	case GROUP_SERVICE:
		return service_cell(group->key);
	default:
		return cell_of_text(exit_groups_level(group->level));
	}
}

static struct cell place_cell(const struct ledger_index *contents, const struct group *group,
			      enum group_column column)
{
	struct code_place place;
	struct cell cell = {.state = CELL_OBSERVED};

	/* Nobody can read the memory of somebody else's VM. */
	if (column == GROUP_COLUMN_INSTRUCTION && report_attached(&contents->report))
		return cell_not_observed(CELL_TEXT);
	disassembly_locate(ledger_index_code(contents, group->key), &group->first, contents->report.backend,
			   &place);
	if (column == GROUP_COLUMN_INSTRUCTION)
		return cell_of_format("%s", place.text);
	disassembly_place_name(&place, cell.buffer, sizeof(cell.buffer));
	return cell;
}

/* Of handling one exit. */
static struct cell ticks_cell(const struct group *group, double ticks)
{
	return cell_of_number(CELL_TICKS, group->timed != 0, ticks);
}

struct cell group_cell(const struct group_list *list, const struct group *group, enum group_column column)
{
	uint64_t total = list->total[level_index(group->level)];

	switch (column) {
	case GROUP_COLUMN_KEY:
		return key_cell(list, group);
	case GROUP_COLUMN_AT:
	case GROUP_COLUMN_INSTRUCTION:
		return place_cell(list->contents, group, column);
	case GROUP_COLUMN_LEVEL:
		return cell_of_text(exit_groups_level(group->level));
	case GROUP_COLUMN_EXITS:
		return cell_of_count(group->observed, group->count);
	case GROUP_COLUMN_SHARE:
		return cell_of_number(CELL_SHARE, total != 0,
				      100.0 * (double)group->count / (double)total);
	case GROUP_COLUMN_TIMED:
		return cell_of_count(group->observed, group->timed);
	case GROUP_COLUMN_MEAN:
		return ticks_cell(group, (double)group->ticks / (double)group->timed);
	case GROUP_COLUMN_MEDIAN:
		return ticks_cell(group, group->median);
	case GROUP_COLUMN_P99:
		return ticks_cell(group, group->percentile99);
	case GROUP_COLUMN_MAX:
		return ticks_cell(group, group->maximum);
	default:
		/* None of no exits is a sum, none of some is not. */
		return cell_of_count(group->observed && (group->timed || group->count == 0),
				     group->ticks);
	}
}

static struct cell cell_at(const void *data, size_t row, size_t column)
{
	const struct group_list *list = data;

	return group_cell(list, &list->groups[row], (enum group_column)column);
}

/* That nothing was observed of the ticks is said once, by the first of their columns. */
static struct cell text_cell_at(const void *data, size_t row, size_t column)
{
	const struct group_list *list = data;
	enum group_column first = list->by == GROUP_RIP ? GROUP_COLUMN_MEDIAN : GROUP_COLUMN_MEAN;

	if (column > first && list->groups[row].timed == 0)
		return cell_of_text(NULL);
	return cell_at(data, row, column);
}

struct table exit_groups_table(const struct group_list *list)
{
	return (struct table){list->columns, GROUP_COLUMN_COUNT, list->count, cell_at, list, .fit = false};
}

struct table exit_groups_text_table(const struct group_list *list)
{
	struct table table = exit_groups_table(list);

	table.cell = text_cell_at;
	return table;
}
