/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/ports.h"

#include "devices/console.h"

#define DEBUG_CONSOLE_PRESENT 0xe9

static uint64_t debug_console_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return DEBUG_CONSOLE_PRESENT;
}

static void debug_console_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	char byte = (char)value;

	(void)offset;
	(void)size;
	console_write(device, &byte, 1);
}

const struct bus_ops debug_console_ops = {debug_console_read, debug_console_write};

static void end(struct exit_port *port, uint8_t status)
{
	if (port->written)
		return;
	port->written = true;
	port->status = status;
}

static void exit_port_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	end(device, (uint8_t)value);
}

const struct bus_ops exit_port_ops = {NULL, exit_port_write};

/* A code other than 0 is never a success: what it becomes is odd. */
static void debug_exit_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	(void)size;
	end(device, value == 0 ? 0 : (uint8_t)(value << 1 | 1));
}

const struct bus_ops debug_exit_ops = {NULL, debug_exit_write};

static void control_port_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct control_port *port = device;

	if (offset == 0 && size == 4)
		port->request(port->opaque, (uint32_t)value);
}

const struct bus_ops control_port_ops = {NULL, control_port_write};

static uint64_t scratch_read(void *device, uint64_t offset, unsigned size)
{
	const struct scratch_register *reg = device;

	(void)size;
	return bus_part(reg->value, offset);
}

static void scratch_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct scratch_register *reg = device;

	reg->value = bus_merge(reg->value, offset, size, value);
}

const struct bus_ops scratch_register_ops = {scratch_read, scratch_write};
