/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile_table.h"

#include <stdlib.h>
#include <string.h>

struct profile_table *profile_table_create(size_t rows)
{
	struct profile_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->most = rows;
	for (table->index_size = 1; table->index_size < 4 * rows;)
		table->index_size *= 2;
	table->index = calloc(table->index_size, sizeof(*table->index));
	table->rows = calloc(rows, sizeof(*table->rows));
	if (table->index && table->rows)
		return table;
	profile_table_destroy(table);
	return NULL;
}

void profile_table_clear(struct profile_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct profile_row *row = &table->rows[i];
		uint64_t *used = &row->histogram[row->first_bucket];

		memset(used, 0, (size_t)(row->end_bucket - row->first_bucket) * sizeof(*used));
		memset(row, 0, offsetof(struct profile_row, histogram));
	}
	memset(table->index, 0, table->index_size * sizeof(*table->index));
	table->count = table->last = 0;
}

void profile_table_destroy(struct profile_table *table)
{
	if (!table)
		return;
	free(table->index);
	free(table->rows);
	free(table);
}

/* Where the row is, or belongs. The index never fills: it is larger than the number of rows. */
static uint32_t *find(struct profile_table *table, const struct profile_key *key)
{
	uint32_t hash = (key->operation * 64 + key->level * 16u + key->isa * 2u + key->nested) * 2654435761u ^
			key->reason * 2246822519u ^
			(uint32_t)(key->value * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	size_t at = (hash ^ hash >> 15) & (table->index_size - 1);

	while (table->index[at] != 0 && !profile_key_same(&table->rows[table->index[at] - 1].key, key))
		at = (at + 1) & (table->index_size - 1);
	return &table->index[at];
}

static struct profile_row *add_row(struct profile_table *table, uint32_t *at,
				   const struct profile_key *key)
{
	struct profile_row *row = &table->rows[table->count++];

	row->key = *key;
	*at = (uint32_t)table->count;
	return row;
}

static struct profile_row *row_of(struct profile_table *table, const struct profile_key *key)
{
	struct profile_key other = {.level = key->level, .reason = PROFILE_REASON_OTHER};
	uint32_t *at = find(table, key);

	if (*at != 0)
		return &table->rows[*at - 1];
	/* A row for each level is kept back. */
	if (table->count < table->most - 8 || profile_key_same(key, &other))
		return add_row(table, at, key);
	return row_of(table, &other);
}

/* Values below 16 have a bucket each; above, the highest bit and the four below it choose one. */
static unsigned bucket_of(uint64_t ticks)
{
	unsigned shift = ticks < 16 ? 0 : 59 - (unsigned)__builtin_clzll(ticks);
	uint64_t bucket = ticks < 16 ? ticks : 16 * (shift + UINT64_C(1)) + (ticks >> shift) - 16;

	return bucket < HISTOGRAM_BUCKETS ? (unsigned)bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of what falls into a bucket. */
static uint64_t value_of(unsigned bucket)
{
	unsigned shift = bucket < 32 ? 0 : bucket / 16 - 1;
	uint64_t low = bucket < 16 ? bucket : (uint64_t)(16 + bucket % 16) << shift;

	return low + ((UINT64_C(1) << shift) - 1) / 2;
}

static void use_buckets(struct profile_row *row, unsigned first, unsigned end)
{
	if (row->end_bucket == 0 || first < row->first_bucket)
		row->first_bucket = (uint16_t)first;
	if (end > row->end_bucket)
		row->end_bucket = (uint16_t)end;
}

void profile_table_add(struct profile_table *table, const struct profile_key *key, uint64_t ticks)
{
	const unsigned bucket = bucket_of(ticks);
	struct profile_row *row;

	if (table->last == 0 || !profile_key_same(&table->rows[table->last - 1].key, key))
		table->last = (size_t)(row_of(table, key) - table->rows) + 1;
	row = &table->rows[table->last - 1];
	row->count++;
	if (ticks == 0)
		return;
	row->timed++;
	row->ticks += ticks;
	if (ticks > row->longest)
		row->longest = ticks;
	use_buckets(row, bucket, bucket + 1);
	row->histogram[bucket]++;
}

void profile_table_merge(struct profile_table *into, const struct profile_table *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct profile_row *row = &from->rows[i];
		struct profile_row *sum = row_of(into, &row->key);

		sum->count += row->count;
		sum->timed += row->timed;
		sum->ticks += row->ticks;
		if (row->longest > sum->longest)
			sum->longest = row->longest;
		if (row->end_bucket)
			use_buckets(sum, row->first_bucket, row->end_bucket);
		for (unsigned j = row->first_bucket; j < row->end_bucket; j++)
			sum->histogram[j] += row->histogram[j];
	}
}

uint64_t profile_row_quantile(const struct profile_row *row, double part)
{
	uint64_t wanted = (uint64_t)(part * (double)row->timed + 0.999999), seen = 0;

	for (unsigned i = row->first_bucket; i < row->end_bucket; i++) {
		seen += row->histogram[i];
		/* The middle of a bucket may be above all that is in it. */
		if (seen >= wanted && seen > 0)
			return value_of(i) < row->longest ? value_of(i) : row->longest;
	}
	return 0;
}
