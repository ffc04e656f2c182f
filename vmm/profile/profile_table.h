/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits counted by operation, level and reason, with how long their handling took. */
#ifndef VMM_PROFILE_PROFILE_TABLE_H
#define VMM_PROFILE_PROFILE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_key {
	uint32_t operation; /* 0: none */
	uint32_t reason;
	uint8_t level; /* enum level */
	uint8_t isa;   /* whose reasons, at level l0 */
};

/* Sixteen buckets for each power of two: a quantile is right to within 6 %. */
#define HISTOGRAM_BUCKETS (16 + (32 - 4) * 16)

struct profile_row {
	struct profile_key key;
	uint64_t count;
	uint64_t timed; /* of these, how many tell how long they took */
	uint64_t ticks; /* of all that do */
	uint64_t histogram[HISTOGRAM_BUCKETS];
};

/* More different rows than this are counted together, in the row of their level with no operation. */
#define PROFILE_ROWS_MAX 1024
#define PROFILE_REASON_OTHER UINT32_MAX

struct profile_table {
	size_t count;
	uint16_t index[4 * PROFILE_ROWS_MAX]; /* row + 1, by hash; 0: free */
	struct profile_row rows[PROFILE_ROWS_MAX]; /* nothing is allocated while a guest runs */
};

struct profile_table *profile_table_create(void);
void profile_table_destroy(struct profile_table *table); /* NULL is allowed */

/* Counts an exit. `ticks` 0: not known. */
void profile_table_add(struct profile_table *table, const struct profile_key *key, uint32_t ticks);

/* Adds what another table holds. */
void profile_table_merge(struct profile_table *into, const struct profile_table *from);
void profile_table_clear(struct profile_table *table);

/* Ticks that this part of the exits did not exceed, 0 to 1; 0 if none tells. */
uint32_t profile_row_quantile(const struct profile_row *row, double part);

#endif
