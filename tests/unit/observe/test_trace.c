/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples of kvm tracepoints: their formats, and the ring they come in. */
#include "tests/unit/observe/trace_fixture.h"

#include <errno.h>
#include <string.h>

#include "vmm/observe/l0_exit.h"
#include "vmm/observe/trace.h"
#include "vmm/observe/trace_ring.h"

/* Fields are found by name wherever they are. */
static void fields_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		const struct kernel *kernel = &kernels[i];
		struct raw raw = make_exit(kernel, 59, 0x100123);
		struct trace_formats formats;

		load(kernel, &formats);
		assert_int_equal(trace_format_which(&formats, raw.bytes, sizeof(raw)), TRACE_kvm_exit);
#define VALUE(field) trace_format_value(&formats, FIELD_kvm_exit_##field, raw.bytes, sizeof(raw))
		assert_int_equal(VALUE(exit_reason), 59);
		assert_int_equal(VALUE(guest_rip), 0x100123);
		assert_int_equal(VALUE(isa), 1);
		assert_int_equal(VALUE(info1), 0x11);
		assert_int_equal(VALUE(info2), 0x2200000000);
#undef VALUE
		raw = make(kernel, TRACE_kvm_userspace_exit);
		set(&raw, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-4);
		assert_int_equal((int64_t)trace_format_value(&formats, FIELD_kvm_userspace_exit_errno,
							     raw.bytes, sizeof(raw)),
				 -4);
	}
}

/* A record that ends too early has zeros for what is missing; a number nobody gave is nothing. */
static void short_records(void **state)
{
	struct raw raw = make_exit(&kernels[0], 59, 0x100123);
	struct trace_formats formats;

	(void)state;
	load(&kernels[0], &formats);
	assert_int_equal(trace_format_which(&formats, raw.bytes, 1), TRACE_COUNT);
	assert_int_equal(trace_format_which(&formats, raw.bytes, 2), TRACE_kvm_exit);
	assert_int_equal(trace_format_value(&formats, FIELD_kvm_exit_guest_rip, raw.bytes, 23), 0);
	assert_int_equal(trace_format_value(&formats, FIELD_kvm_exit_guest_rip, raw.bytes, 24),
			 0x100123);
	raw.bytes[0] ^= 1;
	assert_int_equal(trace_format_which(&formats, raw.bytes, sizeof(raw)), TRACE_COUNT);
}

/* What does not fit is refused, and leaves what is known as it was. */
static void bad_formats(void **state)
{
	const struct event *good = event_of(&kernels[0], TRACE_kvm_exit);
	struct trace_formats formats = {0}, none = {0};
	struct event lacking = *good;
	char text[2048];
	size_t size;

	(void)state;
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, "", 0), -EINVAL);
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, "hello\n", 6), -EINVAL);
	size = write_format(good, "kvm_entry", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	lacking.fields[2].name = "is_a";
	size = write_format(&lacking, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	lacking = *good;
	lacking.fields[1].size = 16;
	size = write_format(&lacking, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	assert_memory_equal(&formats, &none, sizeof(none));
	size = write_format(good, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), 0);
}

/* --- The ring. */

#define RING_SIZE 4096

static struct perf_event_mmap_page page;
static uint8_t ring_data[RING_SIZE];

static void put(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring_data[(page.data_head + i) % RING_SIZE] = ((const uint8_t *)bytes)[i];
	page.data_head += size;
}

/* Sizes of records are multiples of 8; the raw part tells its own. */
static void put_sample(uint64_t time, const void *raw, uint32_t raw_size)
{
	uint32_t padded = (raw_size + 4 + 7) / 8 * 8 - 4;
	struct perf_event_header header = {
		.type = PERF_RECORD_SAMPLE,
		.size = (uint16_t)(sizeof(header) + sizeof(time) + sizeof(padded) + padded)};
	static const uint8_t zeros[8];

	put(&header, sizeof(header));
	put(&time, sizeof(time));
	put(&padded, sizeof(padded));
	put(raw, raw_size);
	put(zeros, padded - raw_size);
}

static void put_lost(uint64_t lost)
{
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
	} record = {{.type = PERF_RECORD_LOST, .size = sizeof(record)}, 17, lost};

	put(&record, sizeof(record));
}

static void fresh_ring(struct trace_ring *ring, uint64_t start)
{
	page = (struct perf_event_mmap_page){.data_head = start, .data_tail = start};
	memset(ring_data, 0xee, sizeof(ring_data));
	trace_ring_attach(ring, &page, ring_data, RING_SIZE);
}

/* Records come out in order, whole, also those that go round the end, wherever that cuts them. */
static void ring_wraps(void **state)
{
	(void)state;
	for (uint64_t start = RING_SIZE - 120; start < RING_SIZE + 8; start += 8) {
		struct trace_sample sample;
		struct trace_ring ring;

		fresh_ring(&ring, start);
		for (uint64_t i = 0; i < 8; i++) {
			uint64_t raw[7];

			for (size_t j = 0; j < ARRAY_SIZE(raw); j++)
				raw[j] = 100 * i + j;
			put_sample(1000 + i, raw, (uint32_t)(sizeof(raw) - 4 * (i % 2)));
		}
		assert_int_equal(trace_ring_used(&ring), page.data_head - start);
		for (uint64_t i = 0; i < 8; i++) {
			uint64_t value;

			assert_true(trace_ring_next(&ring, &sample));
			assert_int_equal(sample.time, 1000 + i);
			assert_true(sample.size >= 52 && sample.size <= 60);
			memcpy(&value, sample.raw + 40, sizeof(value));
			assert_int_equal(value, 100 * i + 5);
		}
		assert_int_equal(page.data_tail, start);
		assert_false(trace_ring_next(&ring, &sample));
		assert_int_equal(page.data_tail, page.data_head);
		assert_int_equal(trace_ring_used(&ring), 0);
		assert_int_equal(ring.lost + ring.broken, 0);
	}
}

static void ring_losses(void **state)
{
	const uint64_t raw = 5;
	struct trace_sample sample;
	struct trace_ring ring;
	struct perf_event_header throttle = {.type = PERF_RECORD_THROTTLE, .size = sizeof(throttle)};

	(void)state;
	fresh_ring(&ring, 0);
	put_lost(3);
	put_sample(1, &raw, sizeof(raw));
	put(&throttle, sizeof(throttle));
	put_lost(4000000000);
	put_sample(2, &raw, sizeof(raw));
	put_lost(1);
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.time, 1);
	assert_int_equal(ring.lost, 3);
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.time, 2);
	assert_false(trace_ring_next(&ring, &sample));
	assert_int_equal(ring.lost, 4000000004);
	assert_int_equal(ring.broken, 0);
}

/* What makes no sense is given up and counted; the ring works again afterwards. */
static void ring_broken(void **state)
{
	static const struct perf_event_header bad[] = {
		{.type = PERF_RECORD_SAMPLE, .size = 0},
		{.type = PERF_RECORD_SAMPLE, .size = 4},
		{.type = PERF_RECORD_SAMPLE, .size = 8},
		{.type = PERF_RECORD_SAMPLE, .size = 4000},
		{.type = PERF_RECORD_LOST, .size = 8},
	};
	const uint64_t raw = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trace_sample sample;
		struct trace_ring ring;
		uint64_t size;

		fresh_ring(&ring, 8 * i);
		put(&bad[i], sizeof(bad[i]));
		size = page.data_head;
		assert_false(trace_ring_next(&ring, &sample));
		assert_int_equal(ring.broken, 1);
		assert_int_equal(page.data_tail, size);
		put_sample(9, &raw, sizeof(raw));
		assert_true(trace_ring_next(&ring, &sample));
		assert_int_equal(sample.time, 9);
	}
}

/* A raw part that claims more than its record has is no sample. */
static void ring_raw_too_long(void **state)
{
	struct {
		struct perf_event_header header;
		uint64_t time;
		uint32_t size, raw;
	} record = {{.type = PERF_RECORD_SAMPLE, .size = sizeof(record)}, 1, 5, 0};
	struct trace_sample sample;
	struct trace_ring ring;

	(void)state;
	fresh_ring(&ring, 0);
	put(&record, sizeof(record));
	assert_false(trace_ring_next(&ring, &sample));
	assert_int_equal(ring.broken, 1);
	record.size = 4;
	put(&record, sizeof(record));
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.size, 4);
}

/* Every tracepoint has a use, and what a flag refers to is recorded. */
static void uses(void **state)
{
	(void)state;
	for (int id = 0; id < TRACE_COUNT; id++) {
		assert_true(trace_uses[id][0] != '\0');
		assert_int_equal(strspn(trace_uses[id], "CSPIAB"), strlen(trace_uses[id]));
	}
#define X(name, bit, tracepoint, key, text) assert_non_null(strchr(trace_uses[TRACE_##tracepoint], 'S'));
	L0_FLAGS(X)
#undef X
}

/* What is not the guest's doing is no sample. */
static void filters(void **state)
{
	(void)state;
	assert_non_null(strstr(trace_filter(TRACE_kvm_exit, TRACING_COUNT), "exit_reason == 1)"));
	assert_non_null(strstr(trace_filter(TRACE_kvm_nested_vmexit, TRACING_SAMPLE), "exit_reason == 96)"));
	assert_string_equal(trace_filter(TRACE_kvm_userspace_exit, TRACING_SAMPLE), "errno >= 0");
	assert_null(trace_filter(TRACE_kvm_entry, TRACING_SAMPLE));
}

/* What helps is named, with the setting's present value. */
static void explanations(void **state)
{
	char reason[240];

	(void)state;
	trace_explain(-ENOENT, TRACING_SAMPLE, reason, sizeof(reason));
	assert_non_null(strstr(reason, "mount -t tracefs tracefs /sys/kernel/tracing"));
	trace_explain(-EACCES, TRACING_SAMPLE, reason, sizeof(reason));
	assert_non_null(strstr(reason, "kernel.perf_event_paranoid (now "));
	assert_non_null(strstr(reason, ") to -1 "));
	trace_explain(-EPERM, TRACING_COUNT, reason, sizeof(reason));
	assert_non_null(strstr(reason, ") to 1 or less"));
	trace_explain(-EMFILE, TRACING_COUNT, reason, sizeof(reason));
	assert_string_equal(reason, "perf_event_open: Too many open files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_by_name),
		cmocka_unit_test(short_records),
		cmocka_unit_test(bad_formats),
		cmocka_unit_test(ring_wraps),
		cmocka_unit_test(ring_losses),
		cmocka_unit_test(ring_broken),
		cmocka_unit_test(ring_raw_too_long),
		cmocka_unit_test(uses),
		cmocka_unit_test(filters),
		cmocka_unit_test(explanations),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
