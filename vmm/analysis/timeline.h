/* SPDX-License-Identifier: GPL-2.0-only */
/* What a ledger's records look like along time: slices on tracks, one inside the other. */
#ifndef VMM_ANALYSIS_TIMELINE_H
#define VMM_ANALYSIS_TIMELINE_H

#include "vmm/analysis/ledger_index.h"

/* What a track shows: the guest's operations and views, or the exits that arrived at a level. */
enum lane { LANE_GUEST, LANE_L0, LANE_MONITOR, LANE_VMM, LANE_COUNT };

struct track {
	uint8_t vm, vcpu;
	enum lane lane;
};

enum slice_kind {
	SLICE_BATCH, /* record is a struct record_batch */
	SLICE_EXIT,  /* one that ledger_index_exit() takes */
	SLICE_VIEW,  /* an instant: `view` became active, or was found active at the end of a batch */
};

struct slice {
	struct track track;
	enum slice_kind kind;
	uint32_t view;
	uint64_t begin, end; /* in ns from the beginning of the time line */
	size_t depth;        /* how many slices are around it */
	const struct record *record;
};

struct timeline {
	struct slice *slices; /* by track, then time; what encloses comes before what it encloses */
	size_t count, capacity;
};

/*
 * Makes a time line of the exits and batches of a ledger. On a track no slice ends behind one that it
 * began in. Returns 0 or -ENOMEM; timeline_finish() is due either way.
 */
int timeline_make(struct ledger_index *contents, struct timeline *timeline);
void timeline_finish(struct timeline *timeline);

/* A number for a track that no other one has. */
static inline unsigned track_number(struct track track)
{
	return (track.vm * 256u + track.vcpu) * LANE_COUNT + track.lane;
}

#endif
