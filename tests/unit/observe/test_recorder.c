/* SPDX-License-Identifier: GPL-2.0-only */
/* Who gets a record, in which order, and what is added to it. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/observe/recorder.h"

enum { VM = 3, VCPU = 2, OPERATION = 1, TIME = 1000 };
#define RIP UINT64_C(0x100000)

/* What happened, a letter each: s summary, w watch, l ledger, f code fetched, d ring drained, k kicked, e ended. */
static char happened[64];
static union {
	struct record record;
	struct record_exit exit;
	struct record_batch batch;
	struct record_code code;
} last[2]; /* of the summary, of the ledger */

static void note(char what)
{
	size_t length = strlen(happened);

	assert_true(length + 1 < sizeof(happened));
	happened[length] = what;
}

static void expect_happened(const char *wanted)
{
	assert_string_equal(happened, wanted);
	memset(happened, 0, sizeof(happened));
}

void __wrap_summary_add(struct summary *summary, const struct record *record);
void __wrap_summary_add(struct summary *summary, const struct record *record)
{
	assert_non_null(summary);
	note('s');
	memcpy(&last[0], record, record->size);
}

void __wrap_ledger_append(struct ledger *ledger, const struct record *record);
void __wrap_ledger_append(struct ledger *ledger, const struct record *record)
{
	assert_non_null(ledger);
	note('l');
	memcpy(&last[1], record, record->size);
}

void __wrap_trace_drain(struct trace *trace, struct l0_assembler *assembler);
void __wrap_trace_drain(struct trace *trace, struct l0_assembler *assembler)
{
	(void)trace;
	(void)assembler;
	note('d');
}

/* There is a ring, of which nobody reads. */
void __wrap_trace_open(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size);
void __wrap_trace_open(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size)
{
	(void)plan;
	(void)reason;
	(void)size;
	trace->mapping = &happened;
}

static bool fetched_outer; /* the code that was fetched last may be the monitor's */

static void watch_add(struct record_watch *watch, const struct record *record)
{
	(void)watch;
	(void)record;
	note('w');
}

static void watch_kicked(struct record_watch *watch)
{
	(void)watch;
	note('k');
}

static void watch_ended(struct record_watch *watch)
{
	(void)watch;
	note('e');
}

/* The 256 bytes that the address is in. */
static uint64_t code_at = RIP;

static void fetch(void *opaque, bool outer, struct record_code *record)
{
	fetched_outer = outer;
	assert_ptr_equal(opaque, happened);
	assert_int_equal(record->rip & ~UINT64_C(0xff), code_at);
	record->count = 1;
	note('f');
}

static struct ss_operation operations[] = {{.name = "an.operation"}};
static const struct image image = {.operations = operations, .operation_count = 1};
static struct ss_vcpu_page page;
static struct record_watch watch = {watch_add, watch_kicked, watch_ended};
static struct ledger ledger;
static struct recorder *recorder;

static int setup(void **state)
{
	(void)state;
	memset(happened, 0, sizeof(happened));
	page = (struct ss_vcpu_page){0};
	recorder = recorder_create(VM, VCPU, &image, &page);
	return recorder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	recorder_destroy(recorder);
	return 0;
}

static void keep(void)
{
	assert_int_equal(recorder_keep(recorder, &ledger, fetch, happened), 0);
}

static struct record_exit exit_at(uint64_t rip)
{
	return (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(struct record_exit), .level = LEVEL_VMM},
		.rip = rip,
	};
}

static void goes_to_whoever_is_there(void **state)
{
	struct record_interrupt record = {.record = {.type = RECORD_INTERRUPT, .size = sizeof(record)}};

	(void)state;
	recorder_add(recorder, &record.record);
	expect_happened("s");
	assert_int_equal(last[0].record.vm, VM);
	assert_int_equal(last[0].record.vcpu, VCPU);
	recorder->watch = &watch;
	recorder_add(recorder, &record.record);
	expect_happened("sw");
	keep();
	recorder_add(recorder, &record.record);
	expect_happened("swl");
	assert_int_equal(last[1].record.vm, VM);
	assert_int_equal(last[1].record.vcpu, VCPU);
}

/* It comes before the exit that it belongs to, once for each address, and only if somebody wants it. */
static void code_comes_with_the_first_exit(void **state)
{
	struct record_exit here = exit_at(RIP), there = exit_at(RIP + 1);

	(void)state;
	recorder_exit(recorder, &here);
	expect_happened("s");
	keep();
	recorder_exit(recorder, &here);
	expect_happened("flsl");
	assert_int_equal(last[1].exit.record.type, RECORD_EXIT);
	recorder_exit(recorder, &here);
	expect_happened("sl");
	recorder_exit(recorder, &there);
	expect_happened("flsl");
}

/* Of address 0 as of any, and of addresses with the same low bits. */
static void code_comes_from_any_address(void **state)
{
	struct record_exit exit = exit_at(0);

	(void)state;
	keep();
	for (code_at = 0; code_at <= 2 * CODE_CAPTURES_RECENT; code_at += CODE_CAPTURES_RECENT) {
		exit.rip = code_at;
		recorder_exit(recorder, &exit);
		expect_happened("flsl");
	}
	code_at = RIP;
	exit.rip = 0;
	recorder_exit(recorder, &exit);
	expect_happened("sl");
}

/* Whoever watches gets it too, and with no ledger. */
static void code_comes_to_whoever_watches(void **state)
{
	struct record_exit here = exit_at(RIP);

	(void)state;
	recorder->watch = &watch;
	recorder_exit(recorder, &here);
	expect_happened("sw");
	assert_int_equal(recorder_capture(recorder, fetch, happened), 0);
	recorder_exit(recorder, &here);
	expect_happened("fwsw");
	recorder_exit(recorder, &here);
	expect_happened("sw");
	/* A ledger that comes too does not have it twice. */
	keep();
	recorder_exit(recorder, &here);
	expect_happened("swl");
	here.rip++;
	recorder_exit(recorder, &here);
	expect_happened("fwlswl");
}

/* Of a nested guest's exit it cannot be, wherever the guest has its code. */
static void only_what_l0_saw_of_no_nested_guest_may_be_the_monitors_code(void **state)
{
	const struct attribution attribution = {.image = &image};
	struct record_exit exit = exit_at(RIP);
	struct l0_exit seen = {.rip = RIP + 1};
	char reason[8];

	(void)state;
	keep();
	recorder_open_trace(recorder, NULL, TRACE_kvm_exit, &attribution, reason, sizeof(reason));
	fetched_outer = true;
	recorder_exit(recorder, &exit);
	assert_false(fetched_outer);
	recorder->sampler.assembler.emit(recorder, &seen);
	assert_true(fetched_outer);
	seen = (struct l0_exit){.rip = RIP + 2, .flags = L0_NESTED};
	recorder->sampler.assembler.emit(recorder, &seen);
	assert_false(fetched_outer);
	expect_happened("flslflslflsl");
	recorder->sampler.trace.mapping = NULL;
}

static void knows_operations_of_the_image_only(void **state)
{
	(void)state;
	page.marker.operation = OPERATION;
	assert_int_equal(recorder_operation(recorder), OPERATION);
	page.marker.operation = OPERATION + 1;
	assert_int_equal(recorder_operation(recorder), 0);
}

static void told(void *opaque, uint32_t number, const char *name)
{
	(void)opaque;
	(void)number;
	(void)name;
}

/* A guest without a catalogue: what has been named counts, and its batches say that they were marked. */
static void knows_operations_that_were_named(void **state)
{
	const struct image named = {.marks = marks_create()};
	struct recorder *own;

	(void)state;
	assert_non_null(named.marks);
	own = recorder_create(VM, VCPU, &named, &page);
	assert_non_null(own);
	recorder_mark(own, OPERATION);
	assert_int_equal(page.marker.operation, OPERATION);
	assert_int_equal(page.marker.sequence, 1);
	assert_int_equal(recorder_operation(own), 0);
	assert_int_equal(marks_number(named.marks, "one", told, NULL), OPERATION);
	assert_int_equal(recorder_operation(own), OPERATION);
	recorder_mark(own, 0);
	assert_int_equal(page.marker.sequence, 2);
	recorder_batch_begin(own, OPERATION, 1, TIME);
	assert_int_equal(recorder_batch_close(own, OPERATION, TIME + 5), 0);
	recorder_batch_end(own, 0);
	assert_int_equal(last[0].batch.flags, BATCH_MARKED);
	recorder_destroy(own);
	marks_destroy(named.marks);
}

static void a_batch_is_one_record(void **state)
{
	(void)state;
	recorder_batch_begin(recorder, OPERATION, 7, TIME);
	assert_int_equal(recorder_batch_close(recorder, OPERATION, TIME + 5), 0);
	expect_happened("");
	recorder_batch_end(recorder, 4);
	expect_happened("s");
	assert_int_equal(last[0].batch.record.type, RECORD_BATCH);
	assert_int_equal(last[0].batch.operation, OPERATION);
	assert_int_equal(last[0].batch.count, 7);
	assert_int_equal(last[0].batch.view, 4);
	assert_int_equal(last[0].batch.begin, TIME);
	assert_int_equal(last[0].batch.end, TIME + 5);
	assert_int_equal(last[0].batch.observed, 0);
	assert_int_equal(last[0].batch.flags, 0);
	/* It is over. */
	assert_int_equal(recorder_batch_close(recorder, OPERATION, TIME + 6), -EINVAL);
}

static void a_batch_ends_by_its_own_operation(void **state)
{
	(void)state;
	assert_int_equal(recorder_batch_close(recorder, 0, TIME), -EINVAL);
	recorder_batch_begin(recorder, OPERATION, 7, TIME);
	assert_int_equal(recorder_batch_close(recorder, OPERATION + 1, TIME), -EINVAL);
	assert_int_equal(recorder_batch_close(recorder, OPERATION + (UINT64_C(1) << 32), TIME), -EINVAL);
	assert_int_equal(recorder_batch_close(recorder, OPERATION, TIME), 0);
}

/* What has been sampled belongs to the time before: before a batch, and before whoever watches is told. */
static void drains_first(void **state)
{
	(void)state;
	recorder->watch = &watch;
	recorder->sampler.trace.on = true;
	recorder_kicked(recorder);
	expect_happened("dk");
	recorder_batch_begin(recorder, OPERATION, 1, TIME);
	expect_happened("d");
	/* Nothing has changed since. */
	recorder_observe(recorder);
	expect_happened("");
	page.marker.operation = OPERATION;
	recorder_observe(recorder);
	expect_happened("d");
	page.marker.sequence++;
	recorder_observe(recorder);
	expect_happened("d");
	recorder->sampler.trace.on = false;
	page.marker.sequence++;
	recorder_observe(recorder);
	recorder_kicked(recorder);
	recorder_end(recorder);
	expect_happened("ke");
}

static void kick_finds(uint32_t operation)
{
	recorder->sampler.assembler.pending = true;
	recorder->sampler.assembler.exit.attributed = false;
	recorder_kicked(recorder);
	expect_happened("d");
	assert_int_equal(recorder->sampler.interval, operation);
	assert_int_equal(recorder->sampler.assembler.exit.operation, operation);
}

/* The counters of a batch begin before the marker says so, and end after. */
static void a_kick_takes_no_exit_from_a_batch(void **state)
{
	(void)state;
	recorder->sampler.trace.on = true;
	kick_finds(0);
	recorder_batch_begin(recorder, OPERATION, 1, TIME);
	expect_happened("d");
	kick_finds(OPERATION);
	page.marker = (struct ss_marker){.operation = OPERATION, .sequence = 1};
	kick_finds(OPERATION);
	page.marker = (struct ss_marker){.operation = 0, .sequence = 2};
	kick_finds(OPERATION);
	assert_int_equal(recorder_batch_close(recorder, OPERATION, TIME), 0);
	recorder->sampler.interval = 0;
	recorder_batch_end(recorder, 0);
	expect_happened("ds");
	assert_int_equal(recorder->sampler.interval, OPERATION);
	kick_finds(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_to_whoever_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(code_comes_with_the_first_exit, setup, teardown),
		cmocka_unit_test_setup_teardown(code_comes_from_any_address, setup, teardown),
		cmocka_unit_test_setup_teardown(code_comes_to_whoever_watches, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_l0_saw_of_no_nested_guest_may_be_the_monitors_code, setup,
						teardown),
		cmocka_unit_test_setup_teardown(knows_operations_of_the_image_only, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_operations_that_were_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_one_record, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_ends_by_its_own_operation, setup, teardown),
		cmocka_unit_test_setup_teardown(drains_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kick_takes_no_exit_from_a_batch, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
