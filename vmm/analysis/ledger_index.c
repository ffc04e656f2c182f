/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/ledger_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/verdict.h"
#include "vmm/base/neighbourhood.h"
#include "vmm/base/progress.h"
#include "vmm/base/words.h"
#include "vmm/emulate/cpu_mode.h"
#include "vmm/plan/engine.h"
#include "vmm/ledger/hw_reason.h"

static void take_view(struct ledger_index *contents, unsigned long view, const char *name)
{
	if (view >= VIEW_MAX)
		return;
	contents->views[view] = name;
	contents->report.view_names = contents->views;
	if (view >= contents->report.view_count)
		contents->report.view_count = view + 1;
}

/* The values that are kept beside the keys of a set, with room for one for each; NULL if memory is
 * short, and `values` is then as it was. */
static void *beside(void *values, size_t size, const struct keyset *set)
{
	return realloc(values, set->capacity * size);
}

static struct key vcpu_key(uint64_t vm, uint64_t vcpu)
{
	return (struct key){vm << 32 | vcpu, 0};
}

/* "tsc_offset.VM.VCPU" */
static int take_clock(struct ledger_index *contents, const char *place, const char *value)
{
	char *end;
	uint64_t vm = strtoul(place, &end, 10);
	int64_t number, *offsets;

	if (*end != '.')
		return 0;
	number = keyset_add(&contents->clocks, vcpu_key(vm, strtoul(end + 1, NULL, 10)));
	if (number < 0)
		return (int)number;
	offsets = beside(contents->offsets, sizeof(*offsets), &contents->clocks);
	if (!offsets)
		return -ENOMEM;
	contents->offsets = offsets;
	offsets[number] = strtoll(value, NULL, 10);
	return 0;
}

/* "plan.VM" */
static void take_plan(struct ledger_index *contents, const char *vm, const char *value)
{
	unsigned long number = strtoul(vm, NULL, 10);

	if (number < REPORT_VMS_MAX)
		contents->report.plans[number] = value;
}

/* "compared.OPERATION" */
static void take_compared(struct ledger_index *contents, const char *operation, const char *value)
{
	unsigned long number = strtoul(operation, NULL, 10), with = strtoul(value, NULL, 10);

	if (number <= SS_MAX_OPERATIONS && with <= SS_MAX_OPERATIONS)
		contents->compared[number] = (uint32_t)with;
}

/* "skipped.OPERATION" */
static void take_skipped(struct ledger_index *contents, const char *operation, const char *why)
{
	unsigned long number = strtoul(operation, NULL, 10);

	if (number > SS_MAX_OPERATIONS)
		return;
	contents->skipped[number] = why;
	contents->skips[number]++;
}

/* The ledger is of a test. */
static void judge_by_expectations(struct report *report)
{
	report->judged = true;
	report->hidden = HIDE_IN_TEST;
}

static void take_expectation(struct ledger_index *contents, const struct record_expectation *expected)
{
	if (expected->operation == 0 || expected->operation > SS_MAX_OPERATIONS || expected->repetitions == 0)
		return;
	contents->expected[expected->operation] = expected;
	contents->expectations[expected->operation]++;
	judge_by_expectations(&contents->report);
}

/* One of a list of words; 0 for any other. */
static int word_of(const char *const *words, int count, const char *value)
{
	int number = words_find(words, count, value);

	return number < 0 ? 0 : number;
}

/* One of a later version, or of a run that others have made, is known by its name only. */
static void take_engine(struct report *report, const char *value)
{
	report->engine = (enum engine_id)word_of(engine_keys, ENGINE_COUNT, value);
	report->engine_name = report->engine == ENGINE_INVALID ? value : NULL;
}

/* What has no number of a VM, vCPU or operation in its key. */
static void take_of_run(struct report *report, const char *key, const char *value)
{
	const struct {
		const char *key, **text;
	} texts[] = {
		{"below", &report->below},
		{"sidestep", &report->sidestep},     {"command", &report->command},
		{"date", &report->date},
		{"kernel", &report->kernel},         {"guest", &report->guest},
		{"seccomp", &report->seccomp},       {"landlock", &report->landlock},
		{"instrumented", &report->instrumented}, {"tracepoints.missing", &report->trace_missing},
		{"counters.missing", &report->counters_missing},
	};
	const struct {
		const char *key;
		unsigned *number;
	} numbers[] = {
		{"vcpus", &report->vcpus}, {"vms", &report->vms}, {"tracing.blind", &report->vcpus_blind}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			*texts[i].text = value;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(key, numbers[i].key) == 0)
			*numbers[i].number = (unsigned)strtoul(value, NULL, 10);
	if (strcmp(key, "judged") == 0)
		judge_by_expectations(report);
	else if (strcmp(key, "samples.lost") == 0)
		report->samples_lost = strtoull(value, NULL, 10);
	else if (strcmp(key, "engine") == 0)
		take_engine(report, value);
	else if (strcmp(key, "backend") == 0)
		report->backend = (enum host_backend)word_of(host_backend_keys, HOST_BACKEND_COUNT, value);
	else if (strcmp(key, "tracing") == 0 && words_find(trace_mode_keys, TRACING_MODE_COUNT, value) >= 0)
		report->trace_mode = words_find(trace_mode_keys, TRACING_MODE_COUNT, value);
}

static int take_meta(struct ledger_index *contents, const struct record_meta *meta)
{
	size_t room = meta->record.size - sizeof(*meta);
	const char *key = meta->text, *value;
	size_t key_size = strnlen(key, room);

	if (key_size + 1 >= room || !memchr(key + key_size + 1, '\0', room - key_size - 1))
		return 0;
	value = key + key_size + 1;
	if (strncmp(key, "tsc_offset.", 11) == 0)
		return take_clock(contents, key + 11, value);
	if (strncmp(key, "region.", 7) == 0)
		return ledger_regions_take(&contents->regions, value);
	if (strncmp(key, "view.", 5) == 0)
		take_view(contents, strtoul(key + 5, NULL, 10), value);
	else if (strncmp(key, "plan.", 5) == 0)
		take_plan(contents, key + 5, value);
	else if (strncmp(key, "compared.", 9) == 0)
		take_compared(contents, key + 9, value);
	else if (strncmp(key, "skipped.", 8) == 0)
		take_skipped(contents, key + 8, value);
	else
		take_of_run(&contents->report, key, value);
	return 0;
}

static bool is_printable(const char *name)
{
	while (*name > ' ' && *name <= '~')
		name++;
	return *name == '\0';
}

/* The characters that the name of an operation has, see abi.h: more if the guest has given it as it ran. */
static bool is_name(const struct record_operation *operation)
{
	const char *name = operation->name;
	size_t length = strnlen(name, sizeof(operation->name));

	if (length == 0 || length == sizeof(operation->name))
		return false;
	return operation->kind == SS_KIND_INVALID ? is_printable(name)
						  : strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length;
}

static void take_operation(struct ledger_index *contents, const struct record_operation *operation)
{
	if (operation->number == 0 || operation->number > SS_MAX_OPERATIONS ||
	    !is_name(operation)) {
		contents->odd = true;
		return;
	}
	contents->names[operation->number] = operation->name;
	contents->kinds[operation->number] = operation->kind;
}

static int take_code(struct ledger_index *contents, const struct record_code *code)
{
	const struct record_code **codes;
	size_t known = contents->places.count;
	int64_t number;

	if (code->count > CODE_BYTES || code->before > code->count || code->before > CODE_BEFORE ||
	    code->width >= WIDTH_COUNT ||
	    !memchr(code->symbol, '\0', sizeof(code->symbol))) {
		contents->odd = true;
		return 0;
	}
	number = keyset_add(&contents->places, (struct key){code->rip, 0});
	if (number < 0)
		return (int)number;
	codes = beside(contents->codes, sizeof(const struct record_code *), &contents->places);
	if (!codes)
		return -ENOMEM;
	contents->codes = codes;
	/* The first one is what the first exit there found. */
	if ((size_t)number == known)
		codes[number] = code;
	return 0;
}

static void take_end(struct ledger_index *contents, const struct record_end *end)
{
	contents->ended = true;
	/* Without a process that could have had it, this is the only place of the exit status. */
	if (contents->report.backend == HOST_BACKEND_BARE)
		contents->report.status = end->status;
	if (end->cause != STOP_EXIT && end->cause != STOP_OFF && contents->report.end[0] == '\0')
		snprintf(contents->report.end, sizeof(contents->report.end), "%.*s",
			 (int)sizeof(end->text), end->text);
}

static int take(struct ledger_index *contents, const struct record *record)
{
	struct summary **summary = &contents->vm_summaries[record->vm];

	if (!*summary)
		*summary = summary_create();
	if (!*summary)
		return -ENOMEM;
	summary_add(*summary, record);
	switch (record->type) {
	case RECORD_META:
		return take_meta(contents, (const void *)record);
	case RECORD_OPERATION:
		take_operation(contents, (const void *)record);
		return 0;
	case RECORD_CODE:
		return take_code(contents, (const void *)record);
	case RECORD_EXPECTATION:
		take_expectation(contents, (const void *)record);
		return 0;
	case RECORD_END:
		take_end(contents, (const void *)record);
		return 0;
	default:
		return 0;
	}
}

/* How many of the runs have performed it of which something was expected: an image may find out that it cannot. */
static unsigned runs_of(const struct ledger_index *contents, uint32_t number)
{
	const unsigned expected = contents->expectations[number], skips = contents->skips[number];

	return expected > skips ? expected - skips : 0;
}

static void judge(struct ledger_index *contents, struct report_row *row)
{
	struct report *report = &contents->report;
	const unsigned vms = row->vm == REPORT_ALL_VMS && report->vms ? report->vms : 1;

	verdict_compare(row, contents->expected[row->number], report->backend,
			(uint64_t)report->vcpus * vms * runs_of(contents, row->number));
	if (row->verdict == VERDICT_PASS)
		report->passed++;
	else
		report->failed++;
}

static void add_skipped(struct ledger_index *contents, uint32_t number)
{
	struct report *report = &contents->report;
	struct report_row *row = &report->rows[report->row_count++];

	*row = (struct report_row){.name = ledger_index_operation(contents, number), .number = number,
				   .vm = REPORT_ALL_VMS, .verdict = VERDICT_SKIP};
	snprintf(row->note, sizeof(row->note), "%s", contents->skipped[number]);
	report->skipped++;
}

/* An operation that was to be performed has its row in any case. */
static void add_operation(struct ledger_index *contents, uint32_t number)
{
	struct report *report = &contents->report;
	const size_t first = report->row_count;

	if (contents->skipped[number] && runs_of(contents, number) == 0) {
		add_skipped(contents, number);
		return;
	}
	report->rows_for_all = contents->expected[number] != NULL;
	/* Performed as what others are compared with, not asked for. */
	if (report->judged && !report->rows_for_all)
		return;
	report_add_rows(report, &(struct report_row){.name = ledger_index_operation(contents, number),
						     .number = number,
						     .compared = contents->compared[number]});
	for (size_t i = first; contents->expected[number] && i < report->row_count; i++)
		judge(contents, &report->rows[i]);
}

/* The last operation that there is something to be said of. */
static uint32_t last_operation(const struct ledger_index *contents)
{
	uint32_t last = contents->summary->highest;

	for (uint32_t n = last + 1; n <= SS_MAX_OPERATIONS; n++)
		if (contents->expected[n] || contents->skipped[n])
			last = n;
	return last;
}

static int make_rows(struct ledger_index *contents)
{
	struct report *report = &contents->report;
	const struct summary *summary = contents->summary;
	const uint32_t last = last_operation(contents);

	report->rows = calloc((last + 1ull) * report_rows_most(report), sizeof(*report->rows));
	if (!report->rows)
		return -ENOMEM;
	for (uint32_t n = 1; n <= last; n++)
		if (contents->kinds[n] == SS_KIND_NOTHING)
			report->loop_number = n;
	if (report->loop_number)
		report->loop = &summary->operations[report->loop_number];
	for (uint32_t n = 1; n <= last; n++)
		add_operation(contents, n);
	report->rows_for_all = false;
	report_compare(report);
	return 0;
}

/* All VMs together; where there is only one that is its own. */
static int add_up(struct ledger_index *contents)
{
	struct summary **vms = contents->vm_summaries, *only = NULL;
	size_t count = 0;

	for (size_t i = 0; i < REPORT_VMS_MAX; i++) {
		if (!vms[i])
			continue;
		only = vms[i];
		count++;
		contents->report.vm_count = i + 1;
	}
	if (count == 1) {
		vms[contents->report.vm_count - 1] = NULL;
		contents->report.vm_count = 0;
	}
	contents->summary = count == 1 ? only : summary_create();
	if (!contents->summary)
		return -ENOMEM;
	for (size_t i = 0; i < contents->report.vm_count; i++)
		if (vms[i])
			summary_include(contents->summary, vms[i]);
	contents->report.summary = contents->summary;
	contents->report.vm_summaries = vms;
	return 0;
}

/* The reader has been opened. */
static int take_apart(struct ledger_index *contents, const char *name, struct error *error)
{
	const struct record *record;
	int rc = 0;

	contents->report = (struct report){
		.schema = "sidestep.ledger",
		.kernel = "?",
		.guest = "?",
		.of_ledger = true,
		.trace_mode = TRACE_MODE_UNKNOWN,
		.lost = contents->reader.header.lost,
		.hidden = HIDE_IN_LEDGER,
	};
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL)
		rc = take(contents, record);
	if (rc == 0)
		rc = add_up(contents);
	if (rc == 0)
		ledger_regions_name(&contents->regions, contents->summary);
	if (rc == 0)
		rc = ledger_symbols_find(&contents->symbols, contents->codes, contents->places.count);
	if (rc == 0)
		rc = make_rows(contents);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", name);
	return 0;
}

int ledger_index_open(struct ledger_index *contents, const char *path, struct error *error)
{
	int rc;

	*contents = (struct ledger_index){0};
	rc = ledger_open(&contents->reader, path, error);
	progress_step("counting the records of %s", path);
	return rc == 0 ? take_apart(contents, path, error) : rc;
}

int ledger_index_open_memory(struct ledger_index *contents, const void *data, size_t size, const char *name,
			     struct error *error)
{
	int rc;

	*contents = (struct ledger_index){0};
	rc = ledger_open_memory(&contents->reader, data, size, name, error);
	progress_step("counting all records");
	return rc == 0 ? take_apart(contents, name, error) : rc;
}

void ledger_index_close(struct ledger_index *contents)
{
	free(contents->report.rows);
	keyset_finish(&contents->places);
	keyset_finish(&contents->clocks);
	free(contents->codes);
	free(contents->offsets);
	ledger_symbols_finish(&contents->symbols);
	disassembly_mnemonics_finish(&contents->mnemonics);
	ledger_regions_finish(&contents->regions);
	summary_destroy(contents->summary);
	for (size_t i = 0; i < REPORT_VMS_MAX; i++)
		summary_destroy(contents->vm_summaries[i]);
	ledger_reader_close(&contents->reader);
	*contents = (struct ledger_index){0};
}

bool ledger_index_complaint(const struct ledger_index *contents, char *text, size_t size)
{
	const struct ledger_reader *reader = &contents->reader;
	char version[80] = "", unknown[80] = "";

	if (reader->version)
		snprintf(version, sizeof(version), "version %u of the format, this program reads %u; ",
			 reader->header.version, LEDGER_VERSION);
	if (reader->unknown)
		snprintf(unknown, sizeof(unknown), "%llu records of unknown types left out; ",
			 (unsigned long long)reader->unknown);
	snprintf(text, size, "%s%s%s%swhat could be read is shown", version, unknown,
		 reader->truncated ? "truncated; " : "",
		 reader->damaged || contents->odd ? "damaged; " : "");
	return reader->version || reader->unknown || reader->truncated || reader->damaged ||
	       contents->odd;
}

const char *ledger_index_operation(const struct ledger_index *contents, uint32_t number)
{
	if (number == 0)
		return "-";
	return number <= SS_MAX_OPERATIONS && contents->names[number] ? contents->names[number] : "?";
}

const struct record_code *ledger_index_code(const struct ledger_index *contents, uint64_t rip)
{
	int64_t number = keyset_find(&contents->places, (struct key){rip, 0});

	return number < 0 ? NULL : contents->codes[number];
}

/* Bit 0, which no address of a neighbourhood has, says that the number is one; those of functions are above it. */
uint64_t ledger_index_place(const struct ledger_index *contents, uint64_t rip)
{
	const struct record_code *code = ledger_index_code(contents, rip);
	uint64_t function = code ? ledger_symbols_number(&contents->symbols, code->symbol) : 0;

	if (function || rip == 0)
		return function << 1;
	return neighbourhood_of(rip) | 1;
}

bool ledger_index_place_unnamed(uint64_t place)
{
	return place & 1;
}

uint64_t ledger_index_place_address(uint64_t place)
{
	return neighbourhood_of(place);
}

const char *ledger_index_place_name(const struct ledger_index *contents, uint64_t place)
{
	return ledger_symbols_name(&contents->symbols, place & 1 ? 0 : place >> 1);
}

bool ledger_index_exit(const struct record *record, struct record_exit *ret_exit)
{
	const struct record_l0_exit *l0 = (const void *)record;

	if (record->type == RECORD_EXIT) {
		*ret_exit = *(const struct record_exit *)record;
		return true;
	}
	if (record->type != RECORD_L0_EXIT)
		return false;
	*ret_exit = (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(*ret_exit), .vm = record->vm,
			   .vcpu = record->vcpu, .level = LEVEL_L0},
		.time = l0->time,
		.rip = l0->rip,
		.qualification = l0->info1,
		.operation = l0->operation,
		.cost = l0->cost,
		.reason = (uint16_t)l0->reason,
	};
	return true;
}

uint64_t ledger_index_time(const struct ledger_index *contents, const struct record_exit *exit)
{
	int64_t number;

	if (exit->record.level != LEVEL_MONITOR)
		return exit->time;
	number = keyset_find(&contents->clocks, vcpu_key(exit->record.vm, exit->record.vcpu));
	return number < 0 ? exit->time : exit->time - (uint64_t)contents->offsets[number];
}

static enum hw_isa isa_of(enum host_backend backend)
{
	return backend == HOST_BACKEND_VMX   ? ISA_VMX
	       : backend == HOST_BACKEND_SVM ? ISA_SVM
					     : ISA_INTERPRETED;
}

/* All that is cut off of a reason are the upper half of VMEXIT_INVALID and flags of VMX. */
static uint64_t l0_reason(uint64_t reason)
{
	return reason == UINT16_MAX ? UINT32_MAX : reason;
}

const char *ledger_index_reason(const struct ledger_index *contents, unsigned level, uint64_t reason)
{
	const struct engine *engine = engine_by_key(engine_keys[contents->report.engine]);

	if (level == LEVEL_L0)
		return hw_reason_name(isa_of(contents->report.backend), l0_reason(reason));
	if (level == LEVEL_MONITOR)
		/* With no engine of ours it is a hypervisor in somebody else's VM that got the exit. */
		return !engine ? hw_reason_name(isa_of(contents->report.backend), l0_reason(reason))
		       : engine->reason_name ? engine->reason_name(reason)
					     : "?";
	return exit_reason_key((uint32_t)reason);
}
