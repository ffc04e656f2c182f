/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <time.h>

#include "devices/cmos.h"
#include "devices/pc_map.h"

#define MIB (UINT64_C(1) << 20)

static uint64_t now;
static struct cmos cmos;
static struct bus bus;

static uint64_t read_now(void *opaque)
{
	return *(const uint64_t *)opaque;
}

static const struct clock clock_of_test = {read_now, &now};

static void start(uint64_t memory_size)
{
	now = UINT64_C(1795825461) * 1000000000;
	bus = (struct bus){0};
	cmos_init(&cmos, &clock_of_test, memory_size);
	assert_int_equal(bus_claim(&bus, PC_CMOS_PORT, CMOS_PORTS, &cmos_bus_ops, &cmos), 0);
}

static int setup(void **state)
{
	(void)state;
	start(128 * MIB);
	return 0;
}

static void select_register(unsigned reg)
{
	uint8_t index = (uint8_t)reg;

	assert_int_equal(bus_write(&bus, PC_CMOS_PORT, &index, 1), 1);
}

static unsigned get(unsigned reg)
{
	uint8_t value;

	select_register(reg);
	assert_int_equal(bus_read(&bus, PC_CMOS_PORT + 1, &value, 1), 1);
	return value;
}

static void set(unsigned reg, uint8_t value)
{
	select_register(reg);
	assert_int_equal(bus_write(&bus, PC_CMOS_PORT + 1, &value, 1), 1);
}

static unsigned two_digits(unsigned reg)
{
	unsigned value = get(reg);

	assert_true((value & 15) < 10 && value >> 4 < 10);
	return (value >> 4) * 10 + (value & 15);
}

static void expect_time(uint64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	now = seconds * 1000000000;
	assert_non_null(gmtime_r(&time, &tm));
	assert_int_equal(two_digits(0x00), tm.tm_sec);
	assert_int_equal(two_digits(0x02), tm.tm_min);
	assert_int_equal(two_digits(0x04), tm.tm_hour);
	assert_int_equal(two_digits(0x06), tm.tm_wday + 1);
	assert_int_equal(two_digits(0x07), tm.tm_mday);
	assert_int_equal(two_digits(0x08), tm.tm_mon + 1);
	assert_int_equal(two_digits(0x32) * 100 + two_digits(0x09), tm.tm_year + 1900);
}

/* Every day that 64 bits of nanoseconds reach, at a time that differs, against the C library. */
static void dates(void **state)
{
	const uint64_t days = UINT64_MAX / 1000000000 / 86400;

	(void)state;
	for (uint64_t day = 0; day < days; day++)
		expect_time(day * 86400 + day * 7919 % 86400);
	for (uint64_t second = 0; second < 86400; second += 59)
		expect_time(UINT64_C(951782400) + second); /* 2000-02-29 */
	expect_time(UINT64_MAX / 1000000000);
}

/* Writes to the time are dropped, and it goes on. */
static void time_is_not_set(void **state)
{
	static const uint8_t registers[] = {0, 2, 4, 6, 7, 8, 9, 0x32};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		unsigned before = get(registers[i]);

		set(registers[i], (uint8_t)(before + 1));
		assert_int_equal(get(registers[i]), before);
		assert_int_equal(cmos.memory[registers[i]], 0);
	}
}

static void status_registers(void **state)
{
	(void)state;
	assert_int_equal(get(0x0a), 0x26);
	assert_int_equal(get(0x0b), 0x02);
	assert_int_equal(get(0x0c), 0x00);
	assert_int_equal(get(0x0d), 0x80);
	set(0x0a, 0xaf);
	assert_int_equal(get(0x0a), 0x2f);
	set(0x0b, 0x24); /* binary, 12 hours, alarm interrupt */
	assert_int_equal(get(0x0b), 0x22);
	set(0x0c, 0xff);
	assert_int_equal(get(0x0c), 0x00);
	set(0x0d, 0x00);
	assert_int_equal(get(0x0d), 0x80);
}

/* The last 244 microseconds of each second, unless the guest holds the time. */
static void update_in_progress(void **state)
{
	static const struct {
		uint64_t nanoseconds;
		bool updating;
	} rows[] = {{0, false},        {999755999, false},  {999756000, true},
		    {999999999, true}, {1000000000, false}, {1999999999, true}};
	const uint64_t start_time = now;

	(void)state;
	for (unsigned hold = 0; hold < 2; hold++) {
		set(0x0b, hold ? 0x82 : 0x02);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			now = start_time + rows[i].nanoseconds;
			assert_int_equal(get(0x0a), rows[i].updating && !hold ? 0xa6 : 0x26);
		}
	}
}

static unsigned word(unsigned reg)
{
	return get(reg) | get(reg + 1) << 8;
}

static void memory_size(void **state)
{
	static const struct {
		uint64_t size;
		unsigned base, extended, above_16m;
	} rows[] = {
		{128 * MIB, 640, 0xffff, 0x700},   {0, 0, 0, 0},
		{512 << 10, 512, 0, 0},            {MIB, 640, 0, 0},
		{16 * MIB, 640, 15 * 1024, 0},     {17 * MIB, 640, 16 * 1024, 0x10},
		{64 * MIB, 640, 63 * 1024, 0x300}, {3072 * MIB, 640, 0xffff, 0xbf00},
		{4112 * MIB, 640, 0xffff, 0xffff}, {UINT64_MAX, 640, 0xffff, 0xffff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(rows[i].size);
		assert_int_equal(word(0x15), rows[i].base);
		assert_int_equal(word(0x17), rows[i].extended);
		assert_int_equal(word(0x30), rows[i].extended);
		assert_int_equal(word(0x34), rows[i].above_16m);
	}
}

/* All other bytes, the alarm's among them, are memory; the index has 7 bits and is not read. */
static void memory(void **state)
{
	uint8_t value = 0;

	(void)state;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned reg = 0; reg < 256; reg++) {
			unsigned at = reg & 0x7f;

			if ((at <= 9 && at != 1 && at != 3 && at != 5) || (at >= 10 && at <= 13) || at == 0x32)
				continue;
			if (pass == 0)
				set(reg, (uint8_t)(at * 5));
			else
				assert_int_equal(get(reg), (uint8_t)(at * 5));
		}
	select_register(0x20);
	assert_int_equal(bus_read(&bus, PC_CMOS_PORT, &value, 1), 1);
	assert_int_equal(value, 0xff);
}

/* A word is an index and a value. */
static void words(void **state)
{
	uint16_t both = 0x5520;

	(void)state;
	assert_int_equal(bus_write(&bus, PC_CMOS_PORT, &both, 2), 1);
	assert_int_equal(get(0x20), 0x55);
	select_register(0x40);
	assert_int_equal(bus_read(&bus, PC_CMOS_PORT, &both, 2), 1);
	assert_int_equal(both, 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dates, setup),
		cmocka_unit_test_setup(time_is_not_set, setup),
		cmocka_unit_test_setup(status_registers, setup),
		cmocka_unit_test_setup(update_in_progress, setup),
		cmocka_unit_test_setup(memory_size, setup),
		cmocka_unit_test_setup(memory, setup),
		cmocka_unit_test_setup(words, setup),
	};

	return cmocka_run_group_tests_name("cmos", tests, NULL, NULL);
}
