/* SPDX-License-Identifier: GPL-2.0-only */
/* Recorded exits counted by something other than the operation. */
#ifndef VMM_ANALYSIS_EXIT_GROUPS_H
#define VMM_ANALYSIS_EXIT_GROUPS_H

#include "vmm/analysis/group_key.h"
#include "vmm/analysis/ledger_index.h"

struct group {
	uint64_t key;
	uint16_t level;
	bool observed;      /* something was looking: then a count of 0 is one */
	uint64_t count;
	uint64_t timed;     /* of these, how many say how long their handling took */
	uint64_t ticks;     /* of those */
	uint32_t maximum;   /* of one of those */
	uint32_t median, percentile99; /* of the ticks of one of those, where exit_groups_rank() was asked */
	uint64_t before;    /* how many groups at the same level come before it */
	struct record_exit first; /* of these exits */
};

/* Columns of such a table. */
enum group_column {
	GROUP_COLUMN_KEY, /* has the key's name */
	GROUP_COLUMN_AT,
	GROUP_COLUMN_INSTRUCTION,
	GROUP_COLUMN_LEVEL,
	GROUP_COLUMN_EXITS,
	GROUP_COLUMN_SHARE, /* of the exits at that level */
	GROUP_COLUMN_TIMED,
	GROUP_COLUMN_MEAN, /* of one of those that say how long they took, as are the next three */
	GROUP_COLUMN_MEDIAN,
	GROUP_COLUMN_P99,
	GROUP_COLUMN_MAX,
	GROUP_COLUMN_TICKS, /* of all of them */
	GROUP_COLUMN_COUNT
};

struct group_list {
	const struct ledger_index *contents;
	enum group_key by;
	struct table_column columns[GROUP_COLUMN_COUNT];
	struct group *groups;
	size_t count;
	/* Exits and groups at each level, last those at none that there is. */
	uint64_t total[LEVEL_COUNT + 1], groups_at[LEVEL_COUNT + 1];
};

/*
 * Counts the exits of a ledger by key and level, the most frequent first. By level every level has a group that
 * the engine has; by operation each reason of one is a group. Returns 0 or -ENOMEM, and then there is no group.
 */
int exit_groups_count(struct ledger_index *contents, enum group_key by, struct group_list *ret_list);

/* The same, and in each group median and 99th percentile of the ticks of handling one exit, by nearest rank: exact, of
 * all that say how long they took. Its table has these, and mean and maximum. */
int exit_groups_rank(struct ledger_index *contents, enum group_key by, struct group_list *ret_list);

void exit_groups_finish(struct group_list *list);

/* The key of a level; "?" of one that there is not, where a ledger is damaged. */
const char *exit_groups_level(uint64_t level);

/* The name of an instruction, of which disassembly_mnemonic() has told the number. */
struct cell exit_groups_instruction(uint64_t mnemonic);

struct cell group_cell(const struct group_list *list, const struct group *group, enum group_column column);

/* The groups as a table; the list has to last as long. That for people is of a list of exit_groups_rank(). */
struct table exit_groups_table(const struct group_list *list);
struct table exit_groups_text_table(const struct group_list *list);

#endif
