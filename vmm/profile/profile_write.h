/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of a profile in text, JSON Lines and CSV. */
#ifndef VMM_PROFILE_PROFILE_WRITE_H
#define VMM_PROFILE_PROFILE_WRITE_H

#include <stdio.h>

#include "vmm/analysis/report.h"
#include "vmm/profile/profile_lines.h"

#define PROFILE_VERSION 1

/* What is to be written: one interval, or all of them. */
struct profile_view {
	bool summary;
	enum group_key by;
	bool attached; /* to VMs of other processes */
	bool interpreted; /* of these, nobody sees exits of a guest in the guest */
	/* The names of key.value by symbol and by vCPU. */
	struct cell (*name)(const void *opaque, const struct profile_key *key);
	const void *opaque;
	double time;    /* seconds since the start, at the end of the interval */
	double seconds; /* length of the interval */
	const struct profile_lines *lines; /* of the interval */
	const struct profile_lines *total; /* since the start */
	const struct image *image;
	const struct engine *engine;
	uint64_t tsc_khz;
	const char *l0_source;
	const char *missing;         /* of kvm tracepoints; empty: nothing */
	const struct report *report; /* of a summary: the run that has ended; NULL: of somebody else's VMs there is none */
	/* What else a summary has of these; either may be NULL. */
	void (*more_text)(const void *opaque, FILE *stream);
	void (*more_json)(const void *opaque, json_t *root);
};

/* Each returns 0 or -ENOMEM; errors of the stream are found when it is closed. */
typedef int profile_writer(const struct profile_view *view, FILE *stream);
profile_writer profile_json, profile_csv;

/* At most `rows` rows; 0: all. */
int profile_text(const struct profile_view *view, size_t rows, FILE *stream);

/* Of a view, of which nothing else needs to be set, what it is by and whether it is attached. */
void profile_csv_header(const struct profile_view *view, FILE *stream);

enum profile_column {
#define COLUMN(id, header, key, flags, meaning) PROFILE_COLUMN_##id,
#include "vmm/profile/profile_column.def"
#undef COLUMN
	PROFILE_COLUMN_COUNT
};

extern const struct table_column profile_columns[PROFILE_COLUMN_COUNT];

#endif
