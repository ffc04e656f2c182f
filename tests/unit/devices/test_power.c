/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>

#include "devices/pc_map.h"
#include "devices/power.h"

static const struct {
	uint16_t port;
	const struct bus_ops *ops;
	uint8_t read; /* always */
	uint8_t mask, value; /* of a write that ends the computer */
	enum power_event event;
} ports[] = {
	{PC_KEYBOARD_DATA, &keyboard_data_ops, 0xff, 0, 1, POWER_NONE},
	{PC_KEYBOARD_COMMAND, &keyboard_command_ops, 0xfd, 0xff, 0xfe, POWER_RESET_KEYBOARD},
	{PC_PORT_92, &port_92_ops, 0x02, 0x01, 0x01, POWER_RESET_PORT_92},
	{PC_RESET_CONTROL, &reset_control_ops, 0x00, 0x04, 0x04, POWER_RESET_CF9},
	{PC_PANIC_PORT, &panic_ops, 0x01, 0x01, 0x01, POWER_PANIC},
};

/* Every value at every port. */
static void events(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		for (unsigned value = 0; value < 256; value++) {
			bool ends = (value & ports[i].mask) == ports[i].value;
			struct power power;
			struct bus bus = {0};
			uint8_t byte = (uint8_t)value;

			power_init(&power);
			assert_int_equal(bus_claim(&bus, ports[i].port, 1, ports[i].ops, &power), 0);
			assert_int_equal(bus_write(&bus, ports[i].port, &byte, 1), 1);
			assert_int_equal(power.event, ends ? ports[i].event : POWER_NONE);
			assert_int_equal(bus_read(&bus, ports[i].port, &byte, 1), 1);
			assert_int_equal(byte, ports[i].read);
		}
}

/* What the guest may do before it is stopped changes nothing. */
static void first_counts(void **state)
{
	(void)state;
	for (enum power_event first = POWER_NONE + 1; first < POWER_EVENT_COUNT; first++)
		for (enum power_event second = POWER_NONE + 1; second < POWER_EVENT_COUNT; second++) {
			struct power power = {0};

			power_end(&power, first);
			power_end(&power, second);
			assert_int_equal(power.event, first);
		}
}

/* Every event has a text of its own. */
static void texts(void **state)
{
	(void)state;
	assert_null(power_event_text(POWER_NONE));
	assert_null(power_event_text(POWER_EVENT_COUNT));
	assert_string_equal(power_event_text(POWER_OFF_ACPI), "power-off by ACPI");
	for (enum power_event event = POWER_NONE + 1; event < POWER_EVENT_COUNT; event++) {
		assert_non_null(power_event_text(event));
		for (enum power_event other = POWER_NONE + 1; other < event; other++)
			assert_string_not_equal(power_event_text(event), power_event_text(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(first_counts),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
