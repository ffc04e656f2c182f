/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/power.h"

#include <stddef.h>

#define STATUS_NO_CONTROLLER 0xfd /* bit 1, input buffer full, is clear */
#define COMMAND_RESET 0xfe
#define PORT_92_RESET 0x01
#define PORT_92_A20 0x02
#define RESET_CPU 0x04
#define PANIC_PANICKED 0x01

void power_init(struct power *power)
{
	*power = (struct power){POWER_NONE};
}

void power_end(struct power *power, enum power_event event)
{
	if (power->event == POWER_NONE)
		power->event = event;
}

const char *power_event_text(enum power_event event)
{
	static const char *const texts[] = {
#define POWER_TEXT(name, text, cause) [POWER_##name] = text,
		POWER_EVENTS(POWER_TEXT)
#undef POWER_TEXT
	};

	return event < POWER_EVENT_COUNT ? texts[event] : NULL;
}

const struct bus_ops keyboard_data_ops = {NULL, NULL};

static uint64_t keyboard_status_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return STATUS_NO_CONTROLLER;
}

static void keyboard_command_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	if (value == COMMAND_RESET)
		power_end(device, POWER_RESET_KEYBOARD);
}

const struct bus_ops keyboard_command_ops = {keyboard_status_read, keyboard_command_write};

static uint64_t port_92_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return PORT_92_A20;
}

static void port_92_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	if (value & PORT_92_RESET)
		power_end(device, POWER_RESET_PORT_92);
}

const struct bus_ops port_92_ops = {port_92_read, port_92_write};

/* Nothing is kept: drivers set the kind of the reset first, then bit 2 together with it. */
static uint64_t reset_control_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void reset_control_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	if (value & RESET_CPU)
		power_end(device, POWER_RESET_CF9);
}

const struct bus_ops reset_control_ops = {reset_control_read, reset_control_write};

static uint64_t panic_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return PANIC_PANICKED;
}

static void panic_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	if (value & PANIC_PANICKED)
		power_end(device, POWER_PANIC);
}

const struct bus_ops panic_ops = {panic_read, panic_write};
