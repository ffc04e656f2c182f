/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile_lines.h"

#include <errno.h>
#include <stdlib.h>

/* Recorded exits at L0, by operation. */
struct recorded {
	uint64_t by_operation[SS_MAX_OPERATIONS + 1];
	uint64_t rest; /* of operations without batches */
};

static int add(struct profile_lines *lines, const struct profile_line *line)
{
	if (line->exits <= 0)
		return 0;
	if (lines->count == lines->capacity) {
		size_t wanted = lines->capacity ? 2 * lines->capacity : 64;
		struct profile_line *more = realloc(lines->lines, wanted * sizeof(*more));

		if (!more)
			return -ENOMEM;
		lines->lines = more;
		lines->capacity = wanted;
	}
	lines->lines[lines->count++] = *line;
	lines->total[line->key.level] += line->exits;
	return 0;
}

static uint32_t operation_of(const struct profile_row *row)
{
	return row->key.operation <= SS_MAX_OPERATIONS ? row->key.operation : 0;
}

static void count_recorded(const struct profile_counts *counts, struct recorded *recorded)
{
	*recorded = (struct recorded){0};
	for (size_t i = 0; i < counts->table->count; i++) {
		const struct profile_row *row = &counts->table->rows[i];

		if (row->key.level != LEVEL_L0)
			continue;
		recorded->by_operation[operation_of(row)] += row->count;
		if (counts->batch[operation_of(row)] == 0)
			recorded->rest += row->count;
	}
}

/* Exits outside batches. A batch that has begun before these counts did may make this too small. */
static double outside(const struct profile_counts *counts)
{
	double rest = (double)counts->l0;

	for (size_t i = 0; i <= SS_MAX_OPERATIONS; i++)
		rest -= (double)counts->batch[i];
	return rest > 0 ? rest : 0;
}

/* How many exits a recorded row at L0 stands for. */
static double scaled(const struct profile_counts *counts, const struct recorded *recorded,
		     const struct profile_row *row)
{
	uint32_t operation = operation_of(row);
	double part = (double)row->count;

	if (!counts->l0_known)
		return part;
	if (counts->batch[operation])
		return (double)counts->batch[operation] * part /
		       (double)recorded->by_operation[operation];
	return outside(counts) * part / (double)recorded->rest;
}

static int add_rows(struct profile_lines *lines, const struct profile_counts *counts,
		    const struct recorded *recorded, enum profile_l0 how)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < counts->table->count; i++) {
		const struct profile_row *row = &counts->table->rows[i];
		struct profile_line line = {.key = row->key, .exits = (double)row->count, .row = row};

		if (row->key.level >= LEVEL_COUNT)
			continue;
		if (row->key.level == LEVEL_L0 && how != PROFILE_L0_ALL) {
			line.exits = scaled(counts, recorded, row);
			line.estimated = how == PROFILE_L0_PART ||
					 counts->batch[operation_of(row)] == 0;
		}
		rc = add(lines, &line);
	}
	return rc;
}

/* Operations of whose exits at L0 none was recorded. */
static int add_unrecorded(struct profile_lines *lines, const struct profile_counts *counts,
			  const struct recorded *recorded, enum profile_l0 how)
{
	struct profile_line line = {.key = {.level = LEVEL_L0}};
	int rc = 0;

	if (how == PROFILE_L0_PART) {
		line.key.isa = PROFILE_ISA_UNKNOWN;
		line.key.reason = PROFILE_REASON_OTHER;
	}

	for (uint32_t i = 0; rc == 0 && i <= SS_MAX_OPERATIONS; i++) {
		line.key.operation = i;
		line.exits = recorded->by_operation[i] ? 0 : (double)counts->batch[i];
		if (i == 0 && recorded->rest == 0)
			line.exits += outside(counts);
		rc = add(lines, &line);
	}
	return rc;
}

static int by_exits(const void *a, const void *b)
{
	const struct profile_line *x = a, *y = b;

	if (x->exits != y->exits)
		return x->exits < y->exits ? 1 : -1;
	if (x->key.level != y->key.level)
		return x->key.level < y->key.level ? -1 : 1;
	if (x->key.operation != y->key.operation)
		return x->key.operation < y->key.operation ? -1 : 1;
	if (x->key.reason != y->key.reason)
		return x->key.reason < y->key.reason ? -1 : 1;
	return (x->key.value > y->key.value) - (x->key.value < y->key.value);
}

int profile_lines_create(struct profile_lines *lines, const struct profile_counts *counts,
			 enum profile_l0 how)
{
	struct recorded recorded;
	int rc;

	*lines = (struct profile_lines){.l0_known = how == PROFILE_L0_ALL || counts->l0_known};
	count_recorded(counts, &recorded);
	rc = add_rows(lines, counts, &recorded, how);
	if (rc == 0 && how != PROFILE_L0_ALL)
		rc = add_unrecorded(lines, counts, &recorded, how);
	if (lines->count)
		qsort(lines->lines, lines->count, sizeof(*lines->lines), by_exits);
	return rc;
}

void profile_lines_destroy(struct profile_lines *lines)
{
	free(lines->lines);
	*lines = (struct profile_lines){0};
}

const struct profile_line *profile_lines_find(const struct profile_lines *lines,
					      const struct profile_key *key)
{
	for (size_t i = 0; i < lines->count; i++)
		if (profile_key_same(&lines->lines[i].key, key))
			return &lines->lines[i];
	return NULL;
}
