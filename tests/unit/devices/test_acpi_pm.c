/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>

#include "devices/acpi_pm.h"
#include "devices/pc_map.h"

static uint64_t now;
static struct power power;
static struct acpi_pm pm;
static struct bus bus;

static uint64_t read_now(void *opaque)
{
	return *(const uint64_t *)opaque;
}

static const struct clock clock_of_test = {read_now, &now};

static int setup(void **state)
{
	(void)state;
	now = 0;
	bus = (struct bus){0};
	power_init(&power);
	acpi_pm_init(&pm, &clock_of_test, &power);
	return bus_claim(&bus, PC_PM1_EVENT, PC_PM1_EVENT_SIZE, &acpi_pm_event_ops, &pm) ||
	       bus_claim(&bus, PC_PM1_CONTROL, PC_PM1_CONTROL_SIZE, &acpi_pm_control_ops, &pm) ||
	       bus_claim(&bus, PC_PM_TIMER, PC_PM_TIMER_SIZE, &acpi_pm_timer_ops, &pm) ||
	       bus_claim(&bus, PC_ACPI_RESET, 1, &acpi_reset_ops, &pm);
}

static uint64_t in(uint16_t port, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(bus_read(&bus, port, &value, size), 1);
	return value;
}

static void out(uint16_t port, unsigned size, uint64_t value)
{
	assert_int_equal(bus_write(&bus, port, &value, size), 1);
}

/* Status stays 0; enable bits are kept. */
static void event_block(void **state)
{
	(void)state;
	assert_int_equal(in(PC_PM1_EVENT, 4), 0);
	out(PC_PM1_EVENT, 2, 0xffff);
	assert_int_equal(in(PC_PM1_EVENT, 4), 0);
	out(PC_PM1_EVENT + 2, 2, 0x0321);
	assert_int_equal(in(PC_PM1_EVENT, 4), 0x03210000);
	assert_int_equal(in(PC_PM1_EVENT + 2, 2), 0x0321);
	out(PC_PM1_EVENT + 3, 1, 0x05);
	assert_int_equal(in(PC_PM1_EVENT + 2, 1), 0x21);
	assert_int_equal(in(PC_PM1_EVENT + 3, 1), 0x05);
	out(PC_PM1_EVENT, 4, 0x0100ffff);
	assert_int_equal(in(PC_PM1_EVENT, 4), 0x01000000);
	assert_int_equal(power.event, POWER_NONE);
}

/* Every value: only SLP_EN with the type of S5 is the end, and SCI_EN cannot be cleared. */
static void control(void **state)
{
	for (unsigned value = 0; value < 0x10000; value++) {
		bool off = value & 0x2000 && (value >> 10 & 7) == 5;

		setup(state);
		assert_int_equal(in(PC_PM1_CONTROL, 2), 1);
		out(PC_PM1_CONTROL, 2, value);
		assert_int_equal(power.event, off ? POWER_OFF_ACPI : POWER_NONE);
		assert_int_equal(in(PC_PM1_CONTROL, 2), (value & ~0x2004u) | 1);
	}
	/* By bytes, type and enable in two writes. */
	setup(state);
	out(PC_PM1_CONTROL + 1, 1, 0x14);
	assert_int_equal(in(PC_PM1_CONTROL, 2), 0x1401);
	out(PC_PM1_CONTROL, 1, 0x02);
	assert_int_equal(in(PC_PM1_CONTROL, 2), 0x1403);
	assert_int_equal(power.event, POWER_NONE);
	out(PC_PM1_CONTROL + 1, 1, 0x34);
	assert_int_equal(power.event, POWER_OFF_ACPI);
}

static void timer(void **state)
{
	/* At and around seconds, at the first tick, when 32 bits come round, now, and at the end of time. */
	static const uint64_t times[] = {
		0, 279, 280, 999999999, 1000000000, 1000000001, 1199864031999, 1199864032000,
		1795825461123456789, UINT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		uint32_t wanted = (uint32_t)((unsigned __int128)times[i] * 3579545 / 1000000000);

		now = times[i];
		assert_int_equal(in(PC_PM_TIMER, 4), wanted);
		for (unsigned byte = 0; byte < 4; byte++)
			assert_int_equal(in((uint16_t)(PC_PM_TIMER + byte), 1), wanted >> 8 * byte & 0xff);
		out(PC_PM_TIMER, 4, 0);
		assert_int_equal(in(PC_PM_TIMER, 4), wanted);
	}
	now = 1000000000;
	assert_int_equal(in(PC_PM_TIMER, 4), 3579545);
}

static void reset(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		setup(state);
		out(PC_ACPI_RESET, 1, value);
		assert_int_equal(power.event, value == PC_ACPI_RESET_VALUE ? POWER_RESET_ACPI : POWER_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(event_block, setup),
		cmocka_unit_test_setup(control, setup),
		cmocka_unit_test_setup(timer, setup),
		cmocka_unit_test_setup(reset, setup),
	};

	return cmocka_run_group_tests_name("acpi_pm", tests, NULL, NULL);
}
