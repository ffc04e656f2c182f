/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/ledger_join.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/progress.h"

#define VARIOUS "various"

/* What a report says of its run. Each may be another in another ledger; of `one_run` there is nothing to say then. */
static const struct {
	size_t offset;
	bool one_run;
} texts[] = {
	{offsetof(struct report, kernel), false},	{offsetof(struct report, sidestep), false},
	{offsetof(struct report, command), true},	{offsetof(struct report, date), true},
	{offsetof(struct report, seccomp), false},	{offsetof(struct report, landlock), false},
	{offsetof(struct report, instrumented), false}, {offsetof(struct report, below), false},
	{offsetof(struct report, trace_missing), false}, {offsetof(struct report, counters_missing), false},
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static const char **text_of(struct report *report, size_t number)
{
	return (const char **)((char *)report + texts[number].offset);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
}

static int refuse_as(const char *path, const char *what, const char *other, const char *known, const char *where,
		     struct error *error)
{
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "%s: %s is %s, and %s in %s: only ledgers of runs that were configured alike add up; --diff compares two",
			 path, what, other ? other : "not known", known ? known : "not known", where);
}

static int refuse(const struct ledger_join *join, const char *path, const char *what, const char *first,
		  const char *other, struct error *error)
{
	return refuse_as(path, what, other, first, join->first_name, error);
}

/* `first`: what the first ledger calls it. */
static int agree(const struct ledger_join *join, const char *path, const char *what, const char *first, char **known,
		 const char *name, struct error *error)
{
	if (!name)
		return 0;
	if (*known && strcmp(*known, name) != 0)
		return refuse_as(path, what, name, *known, first ? join->first_name : "one before it", error);
	if (!*known)
		*known = strdup(name);
	return *known ? 0 : out_of_memory(error);
}

/* Numbers of operations and views are those of the run. */
static int compare_names(struct ledger_join *join, const char *path, struct error *error)
{
	const struct ledger_index *first = &join->first, *part = ledger_join_last(join);
	char what[40];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i <= SS_MAX_OPERATIONS; i++) {
		snprintf(what, sizeof(what), "operation %zu", i);
		rc = agree(join, path, what, first->names[i], &join->names[i], part->names[i], error);
	}
	for (size_t i = 0; rc == 0 && i < VIEW_MAX; i++) {
		snprintf(what, sizeof(what), "view %zu", i);
		rc = agree(join, path, what, first->views[i], &join->views[i], part->views[i], error);
	}
	return rc;
}

/* A sample is of so many repetitions, and a sum of samples could not say of how many. */
static int compare_counts(struct ledger_join *join, const char *path, struct error *error)
{
	const struct summary *summary = ledger_join_last(join)->summary;
	const struct operation_summary *part = summary->operations;
	char what[60], a[24], b[24];

	for (size_t i = 0; i <= summary->highest; i++) {
		if (!part[i].result_known)
			continue;
		if (join->counts[i] && part[i].result.count && join->counts[i] != part[i].result.count) {
			snprintf(what, sizeof(what), "the count of operation %zu", i);
			snprintf(a, sizeof(a), "%u", part[i].result.count);
			snprintf(b, sizeof(b), "%u", join->counts[i]);
			return refuse_as(path, what, a, b, "one before it", error);
		}
		join->counts[i] = part[i].result.count ? part[i].result.count : join->counts[i];
	}
	return 0;
}

static int compare_numbers(const struct ledger_join *join, const char *path, struct error *error)
{
	const struct report *first = &join->first.report, *part = &join->part.report;
	const struct {
		const char *what;
		unsigned first, part;
	} numbers[] = {{"the number of VMs", first->vms, part->vms}, {"the number of vCPUs", first->vcpus, part->vcpus}};
	char a[24], b[24];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(a, sizeof(a), "%u", numbers[i].first);
		snprintf(b, sizeof(b), "%u", numbers[i].part);
		if (numbers[i].first != numbers[i].part)
			return refuse(join, path, numbers[i].what, a, b, error);
	}
	return 0;
}

static const char *tracing_of(const struct report *report)
{
	return report->trace_mode == TRACE_MODE_UNKNOWN ? NULL : trace_mode_keys[report->trace_mode];
}

static int compare_runs(const struct ledger_join *join, const char *path, struct error *error)
{
	const struct report *first = &join->first.report, *part = &join->part.report;
	const struct {
		const char *what, *first, *part;
	} rows[] = {
		{"the engine", report_engine(first), report_engine(part)},
		{"the backend", host_backend_keys[first->backend], host_backend_keys[part->backend]},
		{"the guest", first->guest, part->guest},
		{"what was traced", tracing_of(first), tracing_of(part)},
		{"level l0", report_has_no_l0(first) ? "not there" : "there", report_has_no_l0(part) ? "not there" : "there"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!same_text(rows[i].first, rows[i].part))
			return refuse(join, path, rows[i].what, rows[i].first, rows[i].part, error);
	if (compare_numbers(join, path, error) != 0)
		return -EINVAL;
	for (size_t i = 0; i < REPORT_VMS_MAX; i++)
		if (!same_text(first->plans[i], part->plans[i]))
			return refuse(join, path, "the plan of a VM", first->plans[i], part->plans[i], error);
	return 0;
}

static void note_texts(struct ledger_join *join)
{
	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (!same_text(*text_of(&join->first.report, i), *text_of(&join->part.report, i)))
			join->various |= 1u << i;
}

static int append(struct ledger_join *join, struct ledger_reader *reader, const char *path, struct error *error)
{
	const struct record *record;

	progress_step("adding %s", path);
	ledger_rewind(reader);
	while ((record = ledger_next(reader)) != NULL)
		fwrite(record, record->size, 1, join->records);
	return ferror(join->records) ? out_of_memory(error) : 0;
}

/* The header is filled in at the end. */
static int begin(struct ledger_join *join, struct error *error)
{
	const char header[LEDGER_HEADER_SIZE] = {0};

	join->records = open_memstream(&join->data, &join->size);
	if (!join->records)
		return out_of_memory(error);
	fwrite(header, sizeof(header), 1, join->records);
	return 0;
}

static struct ledger_index *last(struct ledger_join *join)
{
	return join->count < 2 ? &join->first : &join->part;
}

const struct ledger_index *ledger_join_last(const struct ledger_join *join)
{
	return join->count < 2 ? &join->first : &join->part;
}

int ledger_join_add(struct ledger_join *join, const char *path, struct error *error)
{
	struct ledger_index *part;
	int rc = 0;

	if (join->count++ == 0) {
		join->first_name = path;
		rc = begin(join, error);
	}
	part = last(join);
	ledger_index_close(part);
	if (rc == 0)
		rc = ledger_index_open(part, path, error);
	if (rc == 0 && join->count > 1)
		rc = compare_runs(join, path, error);
	if (rc == 0)
		rc = compare_names(join, path, error);
	if (rc == 0)
		rc = compare_counts(join, path, error);
	if (rc != 0)
		return rc;
	if (join->count == 1)
		join->header = part->reader.header;
	else
		note_texts(join);
	/* With two clocks a tick is no time. */
	if (join->header.tsc_khz != part->reader.header.tsc_khz)
		join->header.tsc_khz = 0;
	if (part->reader.version)
		join->header.version = part->reader.header.version;
	join->header.lost += join->count > 1 ? part->reader.header.lost : 0;
	join->samples_lost += part->report.samples_lost;
	join->vcpus_blind = part->report.vcpus_blind > join->vcpus_blind ? part->report.vcpus_blind : join->vcpus_blind;
	join->status = join->status ? join->status : part->report.status;
	return append(join, &part->reader, path, error);
}

/* What the records say one after the other is that of the last ledger. */
static void correct(const struct ledger_join *join, struct ledger_index *contents)
{
	struct report *report = &contents->report;

	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (join->various >> i & 1)
			*text_of(report, i) = texts[i].one_run ? NULL : VARIOUS;
	report->samples_lost = join->samples_lost;
	report->vcpus_blind = join->vcpus_blind;
	report->status = join->status;
}

int ledger_join_finish(struct ledger_join *join, struct ledger_index *ret_contents, struct error *error)
{
	int rc = fclose(join->records);

	join->records = NULL;
	if (rc != 0)
		return out_of_memory(error);
	join->header.magic = LEDGER_MAGIC;
	join->header.header_size = LEDGER_HEADER_SIZE;
	join->header.used = join->size - LEDGER_HEADER_SIZE;
	memcpy(join->data, &join->header, sizeof(join->header));
	rc = ledger_index_open_memory(ret_contents, join->data, join->size, join->first_name, error);
	if (rc == 0)
		correct(join, ret_contents);
	return rc;
}

void ledger_join_close(struct ledger_join *join)
{
	if (join->records)
		fclose(join->records);
	free(join->data);
	for (size_t i = 0; i <= SS_MAX_OPERATIONS; i++)
		free(join->names[i]);
	for (size_t i = 0; i < VIEW_MAX; i++)
		free(join->views[i]);
	ledger_index_close(&join->first);
	ledger_index_close(&join->part);
	*join = (struct ledger_join){0};
}
