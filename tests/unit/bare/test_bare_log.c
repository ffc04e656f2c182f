/* SPDX-License-Identifier: GPL-2.0-only */
/* Records that the bare monitor's code sends, as the host's decoder gets them: the same, in the same order. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "guestfw/relay/relay.h"

/* Where vCPUs are in the monitor's memory this process has none. */
static uint8_t vcpu_area[4 * RELAY_VCPU_STRIDE] __attribute__((aligned(64)));
#undef RELAY_VCPUS
#define RELAY_VCPUS ((uint64_t)(uintptr_t)vcpu_area)

#include "guestfw/bare/guest_text.c"
#include "guestfw/bare/log.c"
#include "vmm/ledger/serial_log.h"

#define OPERATIONS 10

struct bare bare;

static char *wire;
static size_t wire_size, wire_room;
/* What was logged. */
static uint8_t *wanted;
static size_t wanted_size, wanted_room;

static struct {
	struct bare_plan plan;
	uint8_t records[512];
} plan;
static uint8_t log_room[BARE_LOG_SIZE] __attribute__((aligned(8)));

/* As much as is needed, and so much more that it is seldom: a copy of all for each byte would be most of this test. */
static void *with_room(void *data, size_t needed, size_t *room)
{
	if (needed <= *room)
		return data;
	*room = 2 * needed + 4096;
	data = realloc(data, *room);
	assert_non_null(data);
	return data;
}

void console_serial(char c)
{
	wire = with_room(wire, wire_size + 1, &wire_room);
	wire[wire_size++] = c;
}

void console_put(char c)
{
	console_serial(c);
}

/* A computer starts: nothing is known, nothing was sent. */
static int setup(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(vcpu_area, 0, sizeof(vcpu_area));
	plan.plan.operation_count = OPERATIONS;
	plan.plan.guest_count = plan.plan.vcpu_count = 1;
	bare = (struct bare){.plan = &plan.plan, .base = (uint64_t)(uintptr_t)log_room};
	used = sequence = repeat_count = known_next = 0;
	last_time = 0;
	memset(known, 0, sizeof(known));
	guest_text_end();
	wire_size = wanted_size = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(wire);
	free(wanted);
	wire = NULL;
	wanted = NULL;
	wire_room = wanted_room = 0;
	return 0;
}

static void want(const struct record *record)
{
	wanted = with_room(wanted, wanted_size + record->size, &wanted_room);
	memcpy(wanted + wanted_size, record, record->size);
	wanted_size += record->size;
}

static void take(const struct record *record)
{
	want(record);
	log_record(bare_relay_vcpu(0), record);
}

static struct serial_log decoded(void)
{
	struct serial_log log;

	assert_int_equal(serial_log_decode(wire, wire_size, &log), 0);
	return log;
}

static void comes_back(void)
{
	struct serial_log log;

	log_flush();
	log = decoded();
	assert_int_equal(log.damaged, 0);
	assert_int_equal(log.missing, 0);
	assert_false(log.cut);
	assert_int_equal(log.size - LEDGER_HEADER_SIZE, wanted_size);
	assert_memory_equal(log.data + LEDGER_HEADER_SIZE, wanted, wanted_size);
	free(log.data);
}

static unsigned lines(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < wire_size; i++)
		count += wire[i] == '\n';
	return count;
}

static struct record_exit exit_at(uint64_t rip, uint64_t time, uint32_t cost)
{
	return (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(struct record_exit), .level = LEVEL_VMM},
		.time = time,
		.rip = rip,
		.operation = 3,
		.cost = cost,
		.reason = EXIT_REASON_IO,
	};
}

static void take_exit(uint64_t rip, uint64_t time, uint32_t cost)
{
	const struct record_exit exit = exit_at(rip, time, cost);

	take(&exit.record);
}

static void take_batch(void)
{
	const struct record_batch batch = {
		.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .operation = 3, .count = 9, .begin = 1, .end = 2};

	take(&batch.record);
}

static void records_of_every_size_come_back(void **state)
{
	const struct record_violation violation = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(violation)}, .gpa = 0x5000, .region = "region"};
	const struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)},
					     .result = {.operation = 3, .count = 9, .value = UINT64_MAX}};
	const struct record_end end = {
		.record = {.type = RECORD_END, .size = sizeof(end)}, .cause = STOP_EXIT, .status = 7, .text = "the end"};

	(void)state;
	take_exit(1, 1, 1);
	take(&violation.record);
	take_batch();
	take(&result.record);
	take(&end.record);
	comes_back();
	assert_int_equal(lines(), 5);
}

/* Exits of FRAME_KNOWN + 2 places in turn, with times and costs that a repeat can say and others. */
static void exits_that_repeat_come_back(void **state)
{
	static const int64_t steps[] = {1, 1000, INT32_MAX, INT32_MAX + INT64_C(1), -1, INT32_MIN, INT32_MIN - INT64_C(1), 0};
	static const uint32_t costs[] = {0, 1, (1u << FRAME_COST_BITS) - 1, 1u << FRAME_COST_BITS, UINT32_MAX};
	uint64_t time = UINT64_C(1) << 40;

	(void)state;
	for (unsigned places = 1; places <= FRAME_KNOWN + 2; places++) {
		for (unsigned i = 0; i < 5 * 8 * 7; i++) {
			time += (uint64_t)steps[i % ARRAY_SIZE(steps)];
			take_exit(0x1000 + i / 3 % places, time, costs[i % ARRAY_SIZE(costs)]);
		}
		take_batch();
	}
	comes_back();
}

static void exits_that_repeat_take_few_lines(void **state)
{
	const unsigned count = 10 * FRAME_REPEATS_MAX;

	(void)state;
	for (unsigned i = 0; i < FRAME_KNOWN; i++)
		take_exit(i, i, 5);
	for (unsigned i = 0; i < count; i++)
		take_exit(i % FRAME_KNOWN, 100 + i, 5);
	comes_back();
	assert_int_equal(lines(), FRAME_KNOWN + count / FRAME_REPEATS_MAX);
}

/* Whatever differs but time and cost makes another exit. */
static void every_other_word_of_an_exit_counts(void **state)
{
	const struct record_exit first = exit_at(7, 7, 7);

	(void)state;
	for (size_t byte = sizeof(struct record); byte < sizeof(first); byte++) {
		struct record_exit exit = first;

		((uint8_t *)&exit)[byte] ^= 1;
		take(&first.record);
		take(&exit.record);
		take(&first.record);
	}
	comes_back();
}

static void a_batch_forgets_what_was_known(void **state)
{
	(void)state;
	take_exit(1, 1, 1);
	take_batch();
	take_exit(1, 2, 1);
	take_batch();
	comes_back();
	/* No repeat among them: what is known of one batch is not needed for the next. */
	assert_int_equal(lines(), 4);
}

/* Takes a line out of what was sent. */
static void lose_line(unsigned number)
{
	size_t begin = 0, end;

	for (; number > 0; number--)
		begin = (size_t)((char *)memchr(wire + begin, '\n', wire_size - begin) - wire) + 1;
	end = (size_t)((char *)memchr(wire + begin, '\n', wire_size - begin) - wire) + 1;
	memmove(wire + begin, wire + end, wire_size - end);
	wire_size -= end - begin;
}

/* One batch without its first line: its other exits would be taken for what they are not. The next is whole. */
static void without_a_line_repeats_are_dropped_up_to_the_next_batch(void **state)
{
	struct serial_log log;
	size_t first_batch;

	(void)state;
	take_exit(1, 1, 1);
	take_exit(2, 2, 1);
	take_exit(1, 3, 1);
	take_exit(2, 4, 1);
	first_batch = wanted_size;
	take_batch();
	take_exit(3, 5, 1);
	take_exit(3, 6, 1);
	take_exit(3, 7, 1);
	log_flush();
	lose_line(0);
	log = decoded();
	assert_int_equal(log.missing, 1);
	assert_int_equal(log.damaged, 0);
	/* Of the first batch the second exit, which came as a record; of the second all. */
	assert_int_equal(log.size - LEDGER_HEADER_SIZE, wanted_size - 3 * sizeof(struct record_exit));
	assert_memory_equal(log.data + LEDGER_HEADER_SIZE, wanted + sizeof(struct record_exit), sizeof(struct record_exit));
	assert_memory_equal(log.data + LEDGER_HEADER_SIZE + sizeof(struct record_exit), wanted + first_batch,
			    wanted_size - first_batch);
	free(log.data);
}

/* Whichever it is, no record comes out that was not logged, and the loss is told. */
static void whatever_line_is_lost_nothing_is_made_up(void **state)
{
	unsigned total;

	(void)state;
	for (unsigned lost = 0, count = 1; lost < count; lost++) {
		struct serial_log log;
		size_t at = 0;

		setup(NULL);
		for (unsigned i = 0; i < 40; i++) {
			take_exit(i / 2 % 3, 10 * i, i);
			if (i % 13 == 12)
				take_batch();
		}
		log_flush();
		total = lines();
		count = total - 1; /* of the last one nobody can know */
		lose_line(lost);
		log = decoded();
		assert_int_equal(log.missing, 1);
		assert_true(log.size - LEDGER_HEADER_SIZE < wanted_size);
		for (size_t out = LEDGER_HEADER_SIZE; out < log.size;) {
			const size_t size = ((const struct record *)(log.data + out))->size;

			while (at < wanted_size && memcmp(wanted + at, log.data + out, size) != 0)
				at += ((const struct record *)(wanted + at))->size;
			assert_true(at < wanted_size);
			at += size;
			out += size;
		}
		free(log.data);
	}
}

/* The log has two runs: what was lost of the first one is none of the second. */
static void a_computer_that_is_started_again_has_lost_nothing(void **state)
{
	(void)state;
	take_exit(1, 1, 1);
	take_exit(2, 2, 1);
	take_exit(1, 3, 1);
	log_flush();
	lose_line(1);
	sequence = known_next = 0;
	memset(known, 0, sizeof(known));
	wanted_size = 0;
	take_exit(3, 5, 1);
	take_exit(3, 6, 1);
	comes_back();
}

static void records_that_find_no_room_are_sent_at_once(void **state)
{
	const unsigned count = BARE_LOG_SIZE / sizeof(struct record_batch) + 3;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		assert_true(used <= BARE_LOG_SIZE);
		take_batch();
	}
	assert_true(lines() > 0);
	comes_back();
}

/* The relay's ring, with what a guest has put into its marker. */
static void records_of_the_ring_become_exits(void **state)
{
	static struct relay_record ring[RELAY_RING_RECORDS];
	struct relay_vcpu *vcpu = bare_relay_vcpu(0);
	const unsigned first = RELAY_RING_RECORDS - 2, count = 5;

	(void)state;
	vcpu->ring = (uint64_t)(uintptr_t)ring;
	vcpu->head = first + count;
	vcpu->tail = first;
	for (unsigned i = 0; i < count; i++) {
		struct relay_record *from = &ring[(first + i) % RELAY_RING_RECORDS];
		const struct record_exit exit = {
			.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = LEVEL_MONITOR},
			.time = 100 + i,
			.rip = 0x1000,
			.qualification = 0x42,
			.operation = i == 2 ? 0 : OPERATIONS,
			.cost = 30 + i,
			.reason = 28,
			.view = 2,
			.service = 5,
		};

		*from = (struct relay_record){
			.time = exit.time, .rip = exit.rip, .qualification = exit.qualification, .reason = exit.reason,
			.operation = i == 2 ? OPERATIONS + 1 : OPERATIONS, .cost = exit.cost, .view = exit.view,
			.service = exit.service,
		};
		/* The last one is not finished yet. */
		if (i + 1 < count)
			want(&exit.record);
	}
	log_drain(vcpu, 1);
	assert_int_equal(vcpu->tail, vcpu->head - 1);
	assert_int_equal(bare.vcpus[0].exits[LEVEL_MONITOR], count - 1);
	assert_int_equal(bare.vcpus[0].exits[LEVEL_VMM], 0);
	comes_back();
}

/* Its slice was over, or others had changed rights: that is in the ledger, and no exit of what the guest did. */
static void an_exit_by_others_is_not_counted_as_the_guests(void **state)
{
	static struct relay_record ring[2];
	struct relay_vcpu *vcpu = bare_relay_vcpu(0);
	const struct record_exit exit = exit_at(0x1000, 7, 3);
	struct record_exit out = exit;

	(void)state;
	vcpu->ring = (uint64_t)(uintptr_t)ring;
	vcpu->head = 2;
	for (unsigned i = 0; i < 2; i++) {
		ring[i] = (struct relay_record){
			.time = exit.time, .rip = exit.rip, .qualification = exit.qualification, .reason = exit.reason,
			.operation = i ? RELAY_OPERATION_TAKEN : OPERATIONS, .cost = exit.cost, .view = exit.view,
			.service = exit.service,
		};
		out.record.level = LEVEL_MONITOR;
		out.operation = i ? 0 : OPERATIONS;
		want(&out.record);
	}
	log_drain(vcpu, 0);
	assert_int_equal(bare.vcpus[0].exits[LEVEL_MONITOR], 1);
	comes_back();
}

static void exits_of_random_programs_are_only_counted(void **state)
{
	const struct record_exit exit = exit_at(1, 1, 1);

	(void)state;
	plan.plan.programs = 1;
	for (unsigned i = 0; i < 3; i++)
		log_record(bare_relay_vcpu(0), &exit);
	take_batch();
	assert_int_equal(bare.vcpus[0].exits[LEVEL_VMM], 3);
	comes_back();
}

/* Records that say nothing of it themselves; exits of all of them in turn, of which a line may say several. */
static void a_record_says_whose_it_is(void **state)
{
	(void)state;
	plan.plan.guest_count = plan.plan.vcpu_count = 2;
	for (unsigned i = 0; i < 40; i++) {
		const unsigned number = i % 4;
		struct record_exit exit = exit_at(0x1000, i, 1);
		struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .count = i};

		log_record(bare_relay_vcpu(number), &exit);
		exit.record.vm = (uint8_t)(number / 2);
		exit.record.vcpu = (uint8_t)(number % 2);
		want(&exit.record);
		if (i % 13 != 12)
			continue;
		log_record(bare_relay_vcpu(number), &batch);
		batch.record.vm = exit.record.vm;
		batch.record.vcpu = exit.record.vcpu;
		want(&batch.record);
	}
	comes_back();
}

static void a_record_of_the_computer_is_nobodys(void **state)
{
	const struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}};

	(void)state;
	plan.plan.guest_count = 4;
	log_record(bare_relay_vcpu(3), &batch);
	log_record(NULL, &batch);
	assert_int_equal(((const struct record *)log_room)->vm, 3);
	assert_int_equal(((const struct record *)(log_room + sizeof(batch)))->vm, 0);
	assert_int_equal(((const struct record *)(log_room + sizeof(batch)))->vcpu, 0);
}

/* By level, with those of its ring. */
static void exits_are_counted_for_their_vcpu(void **state)
{
	static struct relay_record ring[RELAY_RING_RECORDS];
	const struct record_exit exit = exit_at(1, 1, 1);

	(void)state;
	plan.plan.vcpu_count = 3;
	for (unsigned number = 0; number < 3; number++) {
		struct relay_vcpu *vcpu = bare_relay_vcpu(number);

		for (unsigned i = 0; i < 2 * number + 1; i++)
			log_record(vcpu, &exit);
		vcpu->ring = (uint64_t)(uintptr_t)ring;
		vcpu->head = 5 + number;
		log_drain(vcpu, 0);
	}
	for (unsigned number = 0; number < 3; number++) {
		assert_int_equal(bare.vcpus[number].exits[LEVEL_VMM], 2 * number + 1);
		assert_int_equal(bare.vcpus[number].exits[LEVEL_MONITOR], 5 + number);
	}
}

static void the_ledger_begins_with_the_records_of_the_plan(void **state)
{
	union {
		struct record_meta meta;
		uint8_t bytes[sizeof(struct record_meta) + 24];
	} meta = {.meta = {.record = {.type = RECORD_META, .size = sizeof(meta)}}};
	const struct record_expectation expectation = {
		.record = {.type = RECORD_EXPECTATION, .size = sizeof(expectation)}, .operation = 3, .repetitions = 9};

	(void)state;
	memcpy(meta.meta.text, "engine\0vmx", 10);
	want(&meta.meta.record);
	want(&expectation.record);
	memcpy(plan.records, wanted, wanted_size);
	plan.plan.records = offsetof(__typeof__(plan), records);
	plan.plan.records_size = wanted_size;
	log_begin();
	take_exit(1, 1, 1);
	comes_back();
}

/* A key and a value, each with its end, in a record whose size is a multiple of 8; what is too long is cut. */
static void a_property_comes_back(void **state)
{
	static const char *const values[] = {"KVMKVMKVM", "",
					    "a value that is longer than there is room for, which is cut and has its end"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct serial_log log;
		const struct record_meta *meta;

		setup(NULL);
		log_meta("below", values[i]);
		log_flush();
		assert_int_equal(serial_log_decode(wire, wire_size, &log), 0);
		meta = (const void *)(log.data + LEDGER_HEADER_SIZE);
		assert_int_equal(meta->record.type, RECORD_META);
		assert_int_equal(meta->record.size, log.size - LEDGER_HEADER_SIZE);
		assert_int_equal(meta->record.size % 8, 0);
		assert_string_equal(meta->text, "below");
		assert_int_equal(strncmp(meta->text + 6, values[i], strlen(meta->text + 6)), 0);
		assert_int_equal(strlen(meta->text + 6), i < 2 ? strlen(values[i]) : META_TEXT_MAX - 6 - 2);
		free(log.data);
	}
}

/* The last line of the guest's has not ended when records go out: what it writes next begins one all the same. */
static void among_records_a_guest_forges_no_line(void **state)
{
	static const char text[] = "sidestep: end of run";

	(void)state;
	guest_text('x');
	take_exit(1, 1, 1);
	log_flush();
	for (const char *c = text; *c; c++)
		guest_text(*c);
	guest_text('\n');
	console_serial('\0');
	assert_null(strstr(wire, "\nsidestep: "));
	assert_non_null(strstr(wire, " sidestep: end of run\n"));
	wire_size--;
	comes_back();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(records_of_every_size_come_back),
		TEST(exits_that_repeat_come_back),
		TEST(exits_that_repeat_take_few_lines),
		TEST(every_other_word_of_an_exit_counts),
		TEST(a_batch_forgets_what_was_known),
		TEST(without_a_line_repeats_are_dropped_up_to_the_next_batch),
		TEST(whatever_line_is_lost_nothing_is_made_up),
		TEST(a_computer_that_is_started_again_has_lost_nothing),
		TEST(records_that_find_no_room_are_sent_at_once),
		TEST(records_of_the_ring_become_exits),
		TEST(an_exit_by_others_is_not_counted_as_the_guests),
		TEST(exits_of_random_programs_are_only_counted),
		TEST(a_record_says_whose_it_is),
		TEST(a_record_of_the_computer_is_nobodys),
		TEST(exits_are_counted_for_their_vcpu),
		TEST(the_ledger_begins_with_the_records_of_the_plan),
		TEST(a_property_comes_back),
		TEST(among_records_a_guest_forges_no_line),
	};

	return cmocka_run_group_tests_name("bare_log", tests, NULL, NULL);
}
