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

/* Columns of such a table: COLUMN(ID, "HEADER", key, flags of table.h, "meaning"). By RIP it has all of them, but the first has
 * the name of the key. */
#define GROUP_COLUMNS(X)                                                                           \
	X(KEY, "key", key, TABLE_LEFT, "by the name of the key: what the row is of")               \
	X(AT, "at", at, TABLE_LEFT, "by RIP: where the instruction that exited begins, in its function") \
	X(INSTRUCTION, "instruction", instruction, TABLE_LEFT | TABLE_BESIDE,                      \
	  "by RIP: that instruction, disassembled; not observed in VMs of others")                 \
	X(LEVEL, "level", level, TABLE_LEFT, "where these exits arrived")                          \
	X(EXITS, "exits", exits, TABLE_RIGHT, "how many")                                          \
	X(SHARE, "share", share, TABLE_RIGHT, "percent of those at the level")                     \
	X(TIMED, "timed", timed, TABLE_NO_TEXT, "how many of them say how long they took; of these:") \
	X(MEAN, "mean", ticks_mean, TABLE_RIGHT, "ticks of handling one, on average")              \
	X(MEDIAN, "median", ticks_median, TABLE_RIGHT, "the same: median")                         \
	X(P99, "p99", ticks_p99, TABLE_RIGHT, "the same: 99th percentile")                         \
	X(MAX, "max", ticks_max, TABLE_RIGHT, "the same: most")                                    \
	X(TICKS, "total", handling_ticks, TABLE_RIGHT, "of all together")

enum group_column {
#define X(id, header, key, flags, meaning) GROUP_COLUMN_##id,
	GROUP_COLUMNS(X)
#undef X
	GROUP_COLUMN_COUNT
};

extern const struct table_column group_columns[GROUP_COLUMN_COUNT];

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
