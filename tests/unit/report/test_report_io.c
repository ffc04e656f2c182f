/* SPDX-License-Identifier: GPL-2.0-only */
/* From records of interrupts and buffers to what a report says of them. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/report/report_io.h"

static struct summary *summary;

static int setup(void **state)
{
	(void)state;
	summary = summary_create();
	return summary ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	summary_destroy(summary);
	return 0;
}

static void add_interrupts(struct summary *into, uint16_t vector, uint16_t event, int count)
{
	struct record_interrupt record = {
		.record = {.type = RECORD_INTERRUPT, .size = sizeof(record)},
		.vector = vector,
		.event = event,
	};

	while (count-- > 0)
		summary_add(into, &record.record);
}

static void add_pin(struct summary *into, uint32_t event, uint64_t total, int status, uint64_t limit)
{
	struct record_pin record = {
		.record = {.type = RECORD_PIN, .size = sizeof(record)},
		.event = event,
		.total = total,
		.status = status,
		.limit = limit,
	};

	summary_add(into, &record.record);
}

static char *text_of(void)
{
	struct report report = {.summary = summary};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	report_io_text(&report, stream);
	fclose(stream);
	return text;
}

static void expect_text(const char *wanted)
{
	char *text = text_of();

	assert_string_equal(text, wanted);
	free(text);
}

static void nothing_to_say(void **state)
{
	(void)state;
	expect_text("");
}

static void interrupts(void **state)
{
	struct summary *other = summary_create();

	(void)state;
	add_interrupts(summary, 255, INTERRUPT_DROPPED, 1);
	add_interrupts(summary, 0x40, INTERRUPT_DELIVERED, 3);
	add_interrupts(summary, 0x40, INTERRUPT_HELD, 2);
	add_interrupts(other, 0x40, INTERRUPT_DELIVERED, 4);
	add_interrupts(other, 0x20, INTERRUPT_COALESCED, 5);
	summary_merge(summary, other);
	expect_text("interrupts of vector 0x20: 5 coalesced\n"
		    "interrupts of vector 0x40: 7 delivered, 2 held\n"
		    "interrupts of vector 0xff: 1 dropped\n");
	summary_merge(summary, other);
	expect_text("interrupts of vector 0x20: 5 coalesced\n"
		    "interrupts of vector 0x40: 7 delivered, 2 held\n"
		    "interrupts of vector 0xff: 1 dropped\n");
	summary_destroy(other);
}

static void pins(void **state)
{
	struct summary *other = summary_create();

	(void)state;
	add_pin(summary, PIN_PINNED, 8192, 0, 0);
	add_pin(summary, PIN_UNPINNED, 4096, 0, 0);
	add_pin(summary, PIN_REFUSED, 4096, -EACCES, 0);
	expect_text("pinned: 8 KiB at most in a VM; buffers: 1, refused: 1\n");
	add_pin(other, PIN_PINNED, 20480, 0, 0);
	add_pin(other, PIN_HOST_REFUSED, 20480, -ENOMEM, 65536);
	summary_merge(summary, other);
	expect_text("pinned: 20 KiB at most in a VM; buffers: 2, refused: 2\n"
		    "  1 by the host: Cannot allocate memory; RLIMIT_MEMLOCK is 64 KiB, ulimit -l sets it\n");
	add_pin(summary, PIN_HOST_REFUSED, 0, -EAGAIN, UINT64_MAX);
	expect_text("pinned: 20 KiB at most in a VM; buffers: 2, refused: 3\n"
		    "  2 by the host: Resource temporarily unavailable\n");
	summary_destroy(other);
}

/* Records of a foreign ledger: what is out of range counts nowhere. */
static void foreign(void **state)
{
	(void)state;
	add_interrupts(summary, 256, INTERRUPT_DELIVERED, 1);
	add_interrupts(summary, UINT16_MAX, UINT16_MAX, 1);
	add_interrupts(summary, 0x40, INTERRUPT_EVENT_COUNT, 1);
	add_pin(summary, PIN_EVENT_COUNT, UINT64_MAX, 0, 0);
	add_pin(summary, UINT32_MAX, UINT64_MAX, 0, 0);
	expect_text("");
	add_pin(summary, PIN_HOST_REFUSED, 0, INT32_MIN, 0);
	assert_int_equal(summary->pins.host_error, 0);
	add_pin(summary, PIN_HOST_REFUSED, 0, 5, 0);
	assert_int_equal(summary->pins.host_error, 0);
}

static void json(void **state)
{
	struct report report = {.summary = summary};
	json_t *rows, *row, *object;

	(void)state;
	add_interrupts(summary, 0x40, INTERRUPT_DELIVERED, 3);
	add_interrupts(summary, 0x41, INTERRUPT_DROPPED, 2);
	add_pin(summary, PIN_PINNED, 8192, 0, 0);
	add_pin(summary, PIN_RELEASED, 0, 0, 0);
	rows = report_interrupts_json(&report);
	assert_int_equal(json_array_size(rows), 2);
	row = json_array_get(rows, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "vector")), 0x40);
	assert_int_equal(json_integer_value(json_object_get(row, "delivered")), 3);
	assert_int_equal(json_integer_value(json_object_get(row, "dropped")), 0);
	row = json_array_get(rows, 1);
	assert_int_equal(json_integer_value(json_object_get(row, "dropped")), 2);
	object = report_pins_json(&report);
	assert_int_equal(json_integer_value(json_object_get(object, "bytes_at_most")), 8192);
	assert_int_equal(json_integer_value(json_object_get(object, "pinned")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "released")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "host_refused")), 0);
	json_decref(rows);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_to_say, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(pins, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(json, setup, teardown),
	};

	return cmocka_run_group_tests_name("report_io", tests, NULL, NULL);
}
