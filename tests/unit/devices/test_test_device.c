/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "devices/test_device.h"

static struct test_device device;
static struct bus ports, mmio;
static unsigned flushes, lines;
static uint32_t flushed;
static unsigned line_gsi;
static bool line_level;

static void take_flush(void *opaque, uint32_t gpa)
{
	assert_ptr_equal(opaque, &ports);
	flushes++;
	flushed = gpa;
}

static void take_line(void *opaque, unsigned gsi, bool level)
{
	assert_ptr_equal(opaque, &ports);
	lines++;
	line_gsi = gsi;
	line_level = level;
}

static int setup(void **state)
{
	const struct test_device_owner owner = {take_flush, take_line, &ports};

	(void)state;
	ports = mmio = (struct bus){0};
	flushes = lines = 0;
	test_device_init(&device, &owner);
	return bus_claim(&ports, PC_TEST_LATCH, PC_TEST_LATCH_SIZE, &test_latch_ops, &device) ||
	       bus_claim(&ports, PC_TEST_FLUSH, 4, &test_flush_ops, &device) ||
	       bus_claim(&ports, PC_TEST_IRQ, PC_TEST_IRQ_COUNT, &test_irq_ops, &device) ||
	       bus_claim(&mmio, PC_TEST_MEMORY, PC_TEST_MEMORY_SIZE, &test_memory_ops, &device);
}

/* Every part of the latch, against four bytes of memory. */
static void latch(void **state)
{
	static const uint8_t zeros[4];
	uint64_t pattern = 0x0123456789abcdef;
	uint8_t mirror[4] = {0}, data[4];

	(void)state;
	assert_int_equal(bus_read(&ports, PC_TEST_LATCH, data, 4), 1);
	assert_memory_equal(data, zeros, 4);
	for (unsigned offset = 0; offset < 4; offset++)
		for (unsigned size = 1; offset + size <= 4; size++) {
			pattern = pattern * 6364136223846793005 + 1;
			assert_int_equal(bus_write(&ports, PC_TEST_LATCH + offset, &pattern, size), 1);
			memcpy(mirror + offset, &pattern, size);
			assert_int_equal(bus_read(&ports, PC_TEST_LATCH, data, 4), 1);
			assert_memory_equal(data, mirror, 4);
			assert_int_equal(bus_read(&ports, PC_TEST_LATCH + offset, data, size), 1);
			assert_memory_equal(data, mirror + offset, size);
		}
	assert_int_equal(flushes + lines, 0);
}

/* Nothing but four bytes at offset 0 is an address. */
static void flush(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 4; offset++)
		for (unsigned size = 1; size <= 8; size++) {
			flushes = 0;
			bus_write(&ports, PC_TEST_FLUSH + offset, "\x78\x56\x34\x92\xff\xff\xff\xff", size);
			assert_int_equal(flushes, offset == 0 && size == 4);
		}
	assert_int_equal(flushed, 0x92345678);
}

static void interrupt_lines(void **state)
{
	static const uint32_t levels[] = {0, 1, 0x80, 0};

	(void)state;
	for (unsigned gsi = 0; gsi < PC_TEST_IRQ_COUNT; gsi++)
		for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
			lines = 0;
			assert_int_equal(bus_write(&ports, PC_TEST_IRQ + gsi, &levels[i], 1), 1);
			assert_int_equal(lines, 1);
			assert_int_equal(line_gsi, gsi);
			assert_int_equal(line_level, levels[i] != 0);
		}
	assert_int_equal(bus_write(&ports, PC_TEST_IRQ + PC_TEST_IRQ_COUNT, &levels[1], 1), 0);
	assert_int_equal(bus_write(&ports, PC_TEST_IRQ + 11, &levels[1], 4), 1);
	assert_int_equal(line_gsi, 11);
	assert_true(line_level);
	assert_int_equal(flushes, 0);
}

/* Every byte of it, and accesses of every size up to the last. */
static void memory(void **state)
{
	uint64_t value = 0;

	(void)state;
	for (uint32_t at = 0; at < PC_TEST_MEMORY_SIZE; at++) {
		uint8_t byte = (uint8_t)(at * 7 + (at >> 8));

		assert_int_equal(bus_read(&mmio, PC_TEST_MEMORY + at, &value, 1), 1);
		assert_int_equal((uint8_t)value, 0);
		assert_int_equal(bus_write(&mmio, PC_TEST_MEMORY + at, &byte, 1), 1);
	}
	for (unsigned size = 1; size <= 8; size++)
		for (uint32_t at = PC_TEST_MEMORY_SIZE - 64; at + size <= PC_TEST_MEMORY_SIZE; at++) {
			value = 0;
			assert_int_equal(bus_read(&mmio, PC_TEST_MEMORY + at, &value, size), 1);
			for (unsigned i = 0; i < 8; i++)
				assert_int_equal(value >> 8 * i & 0xff,
						 i < size ? (uint8_t)((at + i) * 7 + ((at + i) >> 8)) : 0);
		}
	value = UINT64_MAX;
	assert_int_equal(bus_write(&mmio, PC_TEST_MEMORY + 0x8001, &value, 4), 1);
	assert_int_equal(bus_read(&mmio, PC_TEST_MEMORY + 0x7ffe, &value, 8), 1);
	assert_int_equal(value, 0xa3ffffffff807871); /* neighbours as they were */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(latch, setup),
		cmocka_unit_test_setup(flush, setup),
		cmocka_unit_test_setup(interrupt_lines, setup),
		cmocka_unit_test_setup(memory, setup),
	};

	return cmocka_run_group_tests_name("test_device", tests, NULL, NULL);
}
