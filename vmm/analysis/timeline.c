/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/base/progress.h"

#define VCPUS (256 * 256)

static const enum lane lanes[LEVEL_COUNT] = {LANE_L0, LANE_MONITOR, LANE_VMM};

/* While the records are read: times are those of the host's time stamp counter. */
struct maker {
	const struct ledger_index *contents;
	struct timeline *timeline;
	uint8_t used[VCPUS];   /* lanes on which the vCPU has exits: 1 << enum lane */
	uint32_t views[VCPUS]; /* active */
};

static unsigned vcpu_number(const struct record *record)
{
	return record->vm * 256u + record->vcpu;
}

static int add(struct timeline *timeline, const struct record *record, const struct slice *slice)
{
	struct slice *more = timeline->slices;

	if (timeline->count == timeline->capacity) {
		size_t capacity = timeline->capacity ? 2 * timeline->capacity : 1024;

		more = realloc(more, capacity * sizeof(*more));
		if (!more)
			return -ENOMEM;
		timeline->slices = more;
		timeline->capacity = capacity;
	}
	more += timeline->count++;
	*more = *slice;
	more->track.vm = record->vm;
	more->track.vcpu = record->vcpu;
	more->record = record;
	if (more->end < more->begin)
		more->end = more->begin;
	return 0;
}

static int add_view(struct maker *maker, const struct record *record, uint32_t view, uint64_t time)
{
	maker->views[vcpu_number(record)] = view;
	return add(maker->timeline, record,
		   &(struct slice){.track = {.lane = LANE_GUEST}, .kind = SLICE_VIEW, .view = view,
				   .begin = time, .end = time});
}

static int add_exit(struct maker *maker, const struct record *record, const struct record_exit *exit)
{
	uint64_t begin = ledger_index_time(maker->contents, exit);
	struct slice slice = {.kind = SLICE_EXIT, .begin = begin, .end = begin + exit->cost};
	int rc;

	if (exit->record.level >= LEVEL_COUNT)
		return 0;
	slice.track.lane = lanes[exit->record.level];
	maker->used[vcpu_number(&exit->record)] |= (uint8_t)(1u << slice.track.lane);
	rc = add(maker->timeline, record, &slice);
	if (rc == 0 && exit->view != 0)
		rc = add_view(maker, record, exit->view - 1, slice.end);
	return rc;
}

/* A switch that left no record of its own shows when the view at the end is another one. */
static int add_batch(struct maker *maker, const struct record_batch *batch)
{
	int rc = add(maker->timeline, &batch->record,
		     &(struct slice){.track = {.lane = LANE_GUEST}, .kind = SLICE_BATCH,
				     .begin = batch->begin, .end = batch->end});

	if (rc == 0 && batch->view != UINT32_MAX &&
	    batch->view != maker->views[vcpu_number(&batch->record)])
		rc = add_view(maker, &batch->record, batch->view, batch->end);
	return rc;
}

/* Batches stand around the exits of every level too. */
static int repeat_batches(struct maker *maker)
{
	struct timeline *timeline = maker->timeline;
	size_t count = timeline->count;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		struct slice slice = timeline->slices[i];

		for (int lane = LANE_GUEST + 1; lane < LANE_COUNT && rc == 0; lane++) {
			slice.track.lane = (enum lane)lane;
			if (slice.kind == SLICE_BATCH &&
			    maker->used[vcpu_number(slice.record)] >> lane & 1)
				rc = add(timeline, slice.record, &slice);
		}
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	unsigned first = track_number(x->track), second = track_number(y->track);

	if (first != second)
		return first < second ? -1 : 1;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	/* A batch is around an exit that takes as long. */
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->record > y->record) - (x->record < y->record);
}

static bool same_track(const struct slice *a, const struct slice *b)
{
	return track_number(a->track) == track_number(b->track);
}

static void sort(struct timeline *timeline)
{
	progress_step("putting the time line in order");
	qsort(timeline->slices, timeline->count, sizeof(*timeline->slices), by_time);
	progress_end();
}

/* The request that begins a batch is an exit itself. L0 sees it from before the batch's beginning until
 * after it, and nest() would cut the batch with it: beside such exits the batch begins when it is over. */
static void begin_after_exits(struct timeline *timeline)
{
	const struct slice *exit = NULL; /* of those so far on the track, the one that ends last */

	for (size_t i = 0; i < timeline->count; i++) {
		struct slice *slice = &timeline->slices[i];

		if (exit && !same_track(slice, exit))
			exit = NULL;
		if (slice->kind == SLICE_EXIT && (!exit || slice->end > exit->end))
			exit = slice;
		else if (slice->kind == SLICE_BATCH && exit && slice->begin < exit->end &&
			 exit->end < slice->end)
			slice->begin = exit->end;
	}
}

/* Cuts what would reach past the slice it began in. `around` are the slices that enclose the one in
 * front, the innermost last. */
static int nest(struct timeline *timeline)
{
	size_t *around = malloc((timeline->count + 1) * sizeof(*around)), depth = 0;

	if (!around)
		return -ENOMEM;
	for (size_t i = 0; i < timeline->count; i++) {
		struct slice *slice = &timeline->slices[i];

		while (depth && (!same_track(slice, &timeline->slices[around[depth - 1]]) ||
				 timeline->slices[around[depth - 1]].end <= slice->begin))
			depth--;
		if (depth && slice->end > timeline->slices[around[depth - 1]].end)
			slice->end = timeline->slices[around[depth - 1]].end;
		slice->depth = depth;
		around[depth++] = i;
	}
	free(around);
	return 0;
}

static uint64_t nanoseconds(uint64_t ticks, uint64_t khz)
{
	__extension__ typedef unsigned __int128 wide;
	wide ns = khz ? (wide)ticks * 1000000 / khz : ticks;

	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* If the frequency is not known a tick counts as a nanosecond. */
static void set_times(struct timeline *timeline, uint64_t khz)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < timeline->count; i++)
		if (timeline->slices[i].begin < start)
			start = timeline->slices[i].begin;
	for (size_t i = 0; i < timeline->count; i++) {
		struct slice *slice = &timeline->slices[i];

		slice->begin = nanoseconds(slice->begin - start, khz);
		slice->end = nanoseconds(slice->end - start, khz);
	}
}

static int read_records(struct maker *maker, struct ledger_reader *reader)
{
	const struct record *record;
	struct record_exit exit;
	int rc = 0;

	progress_step("putting the exits into a time line");
	ledger_rewind(reader);
	while (rc == 0 && (record = ledger_next(reader)) != NULL) {
		if (ledger_index_exit(record, &exit))
			rc = add_exit(maker, record, &exit);
		else if (record->type == RECORD_BATCH)
			rc = add_batch(maker, (const void *)record);
	}
	return rc;
}

int timeline_make(struct ledger_index *contents, struct timeline *timeline)
{
	struct maker *maker = calloc(1, sizeof(*maker));
	int rc;

	*timeline = (struct timeline){0};
	if (!maker)
		return -ENOMEM;
	maker->contents = contents;
	maker->timeline = timeline;
	rc = read_records(maker, &contents->reader);
	if (rc == 0)
		rc = repeat_batches(maker);
	free(maker);
	if (rc != 0 || timeline->count == 0)
		return rc;
	set_times(timeline, contents->reader.header.tsc_khz);
	sort(timeline);
	begin_after_exits(timeline);
	sort(timeline);
	return nest(timeline);
}

void timeline_finish(struct timeline *timeline)
{
	free(timeline->slices);
	*timeline = (struct timeline){0};
}
