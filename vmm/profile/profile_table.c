/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile_table.h"

#include <stdlib.h>
#include <string.h>

#define INDEX_SIZE (sizeof(((struct profile_table *)0)->index) / sizeof(uint16_t))
_Static_assert((INDEX_SIZE & (INDEX_SIZE - 1)) == 0, "a mask takes the place of a remainder");

struct profile_table *profile_table_create(void)
{
	return calloc(1, sizeof(struct profile_table));
}

void profile_table_clear(struct profile_table *table)
{
	table->count = 0;
	memset(table->index, 0, sizeof(table->index));
}

void profile_table_destroy(struct profile_table *table)
{
	free(table);
}

static bool same(const struct profile_key *a, const struct profile_key *b)
{
	return a->operation == b->operation && a->reason == b->reason && a->level == b->level &&
	       a->isa == b->isa;
}

/* Where the row is, or belongs. The index never fills: it is larger than the number of rows. */
static uint16_t *find(struct profile_table *table, const struct profile_key *key)
{
	uint32_t hash = (key->operation * 64 + key->level * 16u + key->isa) * 2654435761u ^
			key->reason * 2246822519u;
	size_t at = (hash ^ hash >> 15) % INDEX_SIZE;

	while (table->index[at] != 0 && !same(&table->rows[table->index[at] - 1].key, key))
		at = (at + 1) % INDEX_SIZE;
	return &table->index[at];
}

static struct profile_row *add_row(struct profile_table *table, uint16_t *at,
				   const struct profile_key *key)
{
	struct profile_row *row = &table->rows[table->count++];

	*row = (struct profile_row){.key = *key};
	*at = (uint16_t)table->count;
	return row;
}

static struct profile_row *row_of(struct profile_table *table, const struct profile_key *key)
{
	struct profile_key other = {.level = key->level, .reason = PROFILE_REASON_OTHER};
	uint16_t *at = find(table, key);

	if (*at != 0)
		return &table->rows[*at - 1];
	/* A row for each level is kept back. */
	if (table->count < PROFILE_ROWS_MAX - 8 || same(key, &other))
		return add_row(table, at, key);
	return row_of(table, &other);
}

/* Values below 16 have a bucket each; above, the highest bit and the four below it choose one. */
static unsigned bucket_of(uint32_t ticks)
{
	unsigned shift = ticks < 16 ? 0 : 27 - (unsigned)__builtin_clz(ticks);

	return ticks < 16 ? ticks : 16 * (shift + 1) + (ticks >> shift) - 16;
}

/* The middle of what falls into a bucket. */
static uint32_t value_of(unsigned bucket)
{
	unsigned shift = bucket < 32 ? 0 : bucket / 16 - 1;
	uint32_t low = bucket < 16 ? bucket : (uint32_t)(16 + bucket % 16) << shift;

	return low + (uint32_t)((1u << shift) - 1) / 2;
}

void profile_table_add(struct profile_table *table, const struct profile_key *key, uint32_t ticks)
{
	struct profile_row *row = row_of(table, key);

	row->count++;
	if (ticks == 0)
		return;
	row->timed++;
	row->ticks += ticks;
	row->histogram[bucket_of(ticks)]++;
}

void profile_table_merge(struct profile_table *into, const struct profile_table *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct profile_row *row = &from->rows[i];
		struct profile_row *sum = row_of(into, &row->key);

		sum->count += row->count;
		sum->timed += row->timed;
		sum->ticks += row->ticks;
		for (unsigned j = 0; j < HISTOGRAM_BUCKETS; j++)
			sum->histogram[j] += row->histogram[j];
	}
}

uint32_t profile_row_quantile(const struct profile_row *row, double part)
{
	uint64_t wanted = (uint64_t)(part * (double)row->timed + 0.999999), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && row->timed; i++) {
		seen += row->histogram[i];
		if (seen >= wanted && seen > 0)
			return value_of(i);
	}
	return 0;
}
