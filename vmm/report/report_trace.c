/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace Event JSON. A process for each VM; in it for each vCPU a thread for what the guest performs
 * and one for every level at which exits were recorded.
 *
 * speedscope takes the arguments of a slice for a part of its name, and slices of different names for different
 * frames. So no slice has any: they are those of an instant at its beginning, which speedscope leaves out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/disassembly.h"
#include "vmm/analysis/observed.h"
#include "vmm/analysis/timeline.h"
#include "vmm/base/progress.h"
#include "vmm/report/report_ledger.h"
#include "vmm/table/json.h"

#define TELL_EVERY 65536 /* slices, for the progress */

static const char *const lane_names[LANE_COUNT] = {"guest", "l0", "monitor", "vmm"};

struct file_writer {
	FILE *stream;
	const struct ledger_index *contents;
	char **places; /* by number of the RIP: members that say where it is; NULL: not needed yet */
	bool first;    /* no event has been written */
	int rc;
};

/* A string that may be anything, as JSON has it, on the heap. */
static char *quoted(struct file_writer *writer, const char *text)
{
	json_t *string = json_text(text);
	char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

	json_decref(string);
	if (!quoted)
		writer->rc = -ENOMEM;
	return quoted;
}

static void put_quoted(struct file_writer *writer, const char *text)
{
	char *string = quoted(writer, text);

	fputs(string ? string : "\"\"", writer->stream);
	free(string);
}

/* The name is printable; there is one for every exit. */
static void put_operation(struct file_writer *writer, uint32_t number)
{
	fputc('"', writer->stream);
	for (const char *c = ledger_index_operation(writer->contents, number); *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', writer->stream);
		fputc(*c, writer->stream);
	}
	fputc('"', writer->stream);
}

/* 0 is a number that readers give to the idle task. */
static unsigned pid_of(struct track track)
{
	return track.vm + 1u;
}

static unsigned tid_of(struct track track)
{
	return track_number(track) + 1;
}

static void begin_event(struct file_writer *writer, const char *phase, struct track track)
{
	fprintf(writer->stream, "%s{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", writer->first ? "" : ",\n",
		phase, pid_of(track), tid_of(track));
	writer->first = false;
}

static void put_begin(const struct file_writer *writer, const struct slice *slice)
{
	fprintf(writer->stream, ",\"ts\":%" PRIu64 ".%03" PRIu64, slice->begin / 1000,
		slice->begin % 1000);
}

/* Readers add beginning and duration as floating-point numbers, and the sum may be a little too large.
 * So a slice ends a picosecond before what follows it, and before what is around it ends. Of two slices for the same
 * one is `inner`. */
static void put_times(const struct file_writer *writer, const struct slice *slice, bool inner)
{
	uint64_t ns = slice->end - slice->begin, early = ns ? (2 * slice->depth + inner) % 999 + 1 : 0;
	uint64_t us = ns / 1000, ps = ns % 1000 * 1000;

	put_begin(writer, slice);
	if (ps < early && us > 0) {
		us--;
		ps += 1000000;
	}
	fprintf(writer->stream, ",\"dur\":%" PRIu64 ".%06" PRIu64, us, ps - early);
}

static void name_track(struct file_writer *writer, const struct slice *slice, bool new_process)
{
	struct track track = slice->track;

	if (new_process) {
		begin_event(writer, "M", track);
		fprintf(writer->stream, ",\"name\":\"process_name\",\"args\":{\"name\":\"VM %u\"}}",
			track.vm);
	}
	begin_event(writer, "M", track);
	fprintf(writer->stream, ",\"name\":\"thread_name\",\"args\":{\"name\":\"vcpu%u %s\"}}", track.vcpu,
		lane_names[track.lane]);
	begin_event(writer, "M", track);
	fprintf(writer->stream, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}",
		tid_of(track));
}

/* What one finds where the slice begins that was written before. */
static void begin_instant(struct file_writer *writer, const struct slice *slice, const char *category)
{
	begin_event(writer, "i", slice->track);
	put_begin(writer, slice);
	fprintf(writer->stream, ",\"s\":\"t\",\"cat\":\"%s\"", category);
}

static void put_batch(struct file_writer *writer, const struct slice *slice)
{
	const struct record_batch *batch = (const void *)slice->record;
	struct stat_values stats = {.observed = batch->observed};
	enum stat_id counter = summary_l0_counter(&stats, writer->contents->report.backend);

	begin_event(writer, "X", slice->track);
	put_times(writer, slice, false);
	fputs(",\"cat\":\"operation\",\"name\":", writer->stream);
	put_operation(writer, batch->operation);
	fputc('}', writer->stream);
	begin_instant(writer, slice, "operation");
	fprintf(writer->stream, ",\"name\":\"batch\",\"args\":{\"repetitions\":%u", batch->count);
	if (stat_observed(&stats, counter))
		fprintf(writer->stream, ",\"%s\":%" PRIu64, stat_names[counter],
			batch->value[counter] < INT64_MAX ? batch->value[counter] : INT64_MAX);
	fputs("}}", writer->stream);
}

static void put_view(struct file_writer *writer, const struct slice *slice)
{
	begin_instant(writer, slice, "view");
	fputs(",\"name\":", writer->stream);
	put_quoted(writer, report_view_name(&writer->contents->report, slice->view));
	fprintf(writer->stream, ",\"args\":{\"view\":%" PRIu32 ",\"seen\":\"%s\"}}", slice->view,
		slice->record->type == RECORD_BATCH ? "at the end of the operation" : "as it happened");
}

/* "at" and "instruction" of an exit; made once for every RIP. */
static const char *place_of(struct file_writer *writer, const struct record_exit *exit)
{
	int64_t number = keyset_find(&writer->contents->places, (struct key){exit->rip, 0});
	struct code_place place;
	char name[112], *at, *text;

	if (number < 0)
		return "";
	if (writer->places[number])
		return writer->places[number];
	disassembly_locate(writer->contents->codes[number], exit, writer->contents->report.backend, &place);
	at = quoted(writer, disassembly_place_name(&place, name, sizeof(name)));
	text = quoted(writer, place.text);
	if (at && text && asprintf(&writer->places[number], ",\"at\":%s,\"instruction\":%s", at, text) < 0)
		writer->places[number] = NULL;
	free(at);
	free(text);
	if (!writer->places[number])
		writer->rc = -ENOMEM;
	return writer->places[number] ? writer->places[number] : "";
}

/* The function around an exit that is in no operation. */
static void put_function(struct file_writer *writer, const struct slice *slice, const struct record_exit *exit)
{
	const struct record_code *code = ledger_index_code(writer->contents, exit->rip);

	if (exit->operation || !code || !code->symbol[0])
		return;
	begin_event(writer, "X", slice->track);
	put_times(writer, slice, false);
	fputs(",\"cat\":\"function\",\"name\":", writer->stream);
	put_quoted(writer, code->symbol);
	fputc('}', writer->stream);
}

static void put_exit(struct file_writer *writer, const struct slice *slice)
{
	const struct ledger_index *contents = writer->contents;
	struct record_exit exit = {0};
	bool port, address;
	unsigned level;

	ledger_index_exit(slice->record, &exit);
	level = exit.record.level;
	port = level == LEVEL_VMM && exit.reason == EXIT_REASON_IO;
	address = level == LEVEL_VMM && exit.reason == EXIT_REASON_MMIO;
	put_function(writer, slice, &exit);
	begin_event(writer, "X", slice->track);
	put_times(writer, slice, true);
	fprintf(writer->stream, ",\"cat\":\"%s\",\"name\":\"%s\"}", level_keys[level],
		ledger_index_reason(contents, level, exit.reason));
	begin_instant(writer, slice, level_keys[level]);
	fputs(",\"name\":\"exit\",\"args\":{\"operation\":", writer->stream);
	put_operation(writer, exit.operation);
	fprintf(writer->stream, ",\"rip\":\"0x%" PRIx64 "\"%s", exit.rip, place_of(writer, &exit));
	if (port || address || exit.qualification)
		fprintf(writer->stream, ",\"%s\":\"0x%" PRIx64 "\"",
			port ? "port" : address ? "address" : "qualification", exit.qualification);
	if (port || address)
		fprintf(writer->stream, ",\"access\":\"%s of %u\"",
			exit.detail >> 8 ? "write" : "read", exit.detail & 0xff);
	if (!observed_cost(exit.cost))
		fputs(",\"handling\":\"" NOT_OBSERVED "\"", writer->stream);
	fputs("}}", writer->stream);
}

static void put_events(struct file_writer *writer, const struct timeline *timeline)
{
	static void (*const put[])(struct file_writer *writer, const struct slice *slice) = {
		[SLICE_BATCH] = put_batch, [SLICE_EXIT] = put_exit, [SLICE_VIEW] = put_view};

	progress_step("writing the trace");
	for (size_t i = 0; i < timeline->count && writer->rc == 0; i++) {
		const struct slice *slice = &timeline->slices[i];
		const struct slice *before = i ? slice - 1 : NULL;

		if (!before || track_number(before->track) != track_number(slice->track))
			name_track(writer, slice, !before || before->track.vm != slice->track.vm);
		if (i % TELL_EVERY == 0)
			progress_at(i, timeline->count);
		put[slice->kind](writer, slice);
	}
	progress_end();
}

/* What a reader shows beside the time line. */
static void put_about(struct file_writer *writer)
{
	const struct report *report = &writer->contents->report;
	char recorded[LEVEL_COUNT][OBSERVED_SIZE];
	const char *const members[][2] = {
		{"engine", report_engine(report)},
		{"backend", host_backend_keys[report->backend]},
		{"kernel", report->kernel},
		{"guest", report->guest},
		{"l0", observed_counts_text(report, LEVEL_L0, recorded[LEVEL_L0])},
		{"exits at l0", observed_records_text(report, LEVEL_L0, recorded[LEVEL_L0])},
		{"exits at monitor",
		 observed_records_text(report, LEVEL_MONITOR, recorded[LEVEL_MONITOR])},
		{"exits at vmm", observed_records_text(report, LEVEL_VMM, recorded[LEVEL_VMM])},
		{"time", report_attached(report) ? "of CLOCK_MONOTONIC_RAW, a tick is a nanosecond"
			 : writer->contents->reader.header.tsc_khz
				 ? "from ticks of the host's time stamp counter"
				 : "one nanosecond is a tick of the host's time stamp counter, whose "
				   "frequency is not known"},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		fprintf(writer->stream, "%s\"%s\":", i ? "," : "", members[i][0]);
		put_quoted(writer, members[i][1]);
	}
}

int report_trace(struct ledger_index *contents, enum report_weight weight, FILE *stream)
{
	struct file_writer writer = {.stream = stream, .contents = contents, .first = true};
	struct timeline timeline;

	(void)weight;
	writer.rc = timeline_make(contents, &timeline);
	writer.places = calloc(contents->places.count + 1, sizeof(*writer.places));
	if (!writer.places)
		writer.rc = -ENOMEM;
	if (writer.rc == 0) {
		fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{", stream);
		put_about(&writer);
		fputs("},\"traceEvents\":[\n", stream);
		put_events(&writer, &timeline);
		fputs("\n]}\n", stream);
	}
	for (size_t i = 0; writer.places && i < contents->places.count; i++)
		free(writer.places[i]);
	free(writer.places);
	timeline_finish(&timeline);
	return writer.rc;
}
