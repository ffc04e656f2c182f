/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits counted by operation, level and reason, with how long their handling took. */
#ifndef VMM_PROFILE_PROFILE_TABLE_H
#define VMM_PROFILE_PROFILE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_key {
	uint64_t value;     /* what else exits are counted by: an address, a vCPU; 0: by operation or reason */
	uint32_t operation; /* 0: none */
	uint32_t reason;
	uint8_t level;  /* enum level */
	uint8_t isa;    /* whose reasons, at levels l0 and monitor */
	uint8_t nested; /* 1: an exit of a nested guest, of the VM of another process */
};

/* Sixteen buckets for each power of two: a quantile is right to within 6 %. What is longer counts as the longest. */
#define HISTOGRAM_BITS 42
#define HISTOGRAM_BUCKETS (16 + (HISTOGRAM_BITS - 4) * 16)

struct profile_row {
	struct profile_key key;
	uint64_t count;
	uint64_t timed; /* of these, how many tell how long they took */
	uint64_t ticks; /* of all that do */
	uint64_t longest;
	/* Buckets that are not empty lie from the first to before the end: mostly they are few of many. */
	uint16_t first_bucket, end_bucket;
	uint64_t histogram[HISTOGRAM_BUCKETS];
};

/* Rows of a table by operation; those of a kernel's addresses need more. */
#define PROFILE_ROWS_MAX 1024
#define PROFILE_ROWS_MANY 8192
#define PROFILE_REASON_OTHER UINT32_MAX

struct profile_table {
	size_t count, most;
	size_t last;              /* row + 1 that was counted last, and mostly is again; 0: none */
	size_t index_size;        /* a power of two */
	uint32_t *index;          /* row + 1, by hash; 0: free */
	struct profile_row *rows; /* nothing is allocated while a guest runs; those behind `count` are zero */
};

/* With room for so many rows, memory for which is taken as they come. More different ones are counted together, in the
 * row of their level with no operation. NULL if memory is short. */
struct profile_table *profile_table_create(size_t rows);
void profile_table_destroy(struct profile_table *table); /* NULL is allowed */

static inline bool profile_key_same(const struct profile_key *a, const struct profile_key *b)
{
	return a->value == b->value && a->operation == b->operation && a->reason == b->reason &&
	       a->level == b->level && a->isa == b->isa && a->nested == b->nested;
}

/* Counts an exit. `ticks`, or whatever time is counted in, 0: not known. */
void profile_table_add(struct profile_table *table, const struct profile_key *key, uint64_t ticks);

/* Adds what another table holds. */
void profile_table_merge(struct profile_table *into, const struct profile_table *from);
void profile_table_clear(struct profile_table *table);

/* Ticks that this part of the exits did not exceed, 0 to 1; 0 if none tells. */
uint64_t profile_row_quantile(const struct profile_row *row, double part);

#endif
