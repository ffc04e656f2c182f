/* SPDX-License-Identifier: GPL-2.0-only */
#include "serial_fixture.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void count_raise(void *opaque)
{
	struct fixture *fixture = opaque;

	assert_true(fixture->serial.active);
	fixture->raised++;
}

void be_hungry(void *opaque)
{
	struct fixture *fixture = opaque;
	size_t taken = serial_receive(&fixture->serial, fixture->more, fixture->more_count);

	fixture->hungry++;
	fixture->more += taken;
	fixture->more_count -= taken;
}

int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.fd = memfd_create("serial", MFD_CLOEXEC)};
	console_init(&fixture.console, fixture.fd, CONSOLE_LIMIT);
	serial_init(&fixture.serial, &fixture.console);
	serial_connect(&fixture.serial, count_raise, be_hungry, &fixture);
	*state = &fixture;
	return bus_claim(&fixture.bus, 0x3f8, SERIAL_PORTS, &serial_bus_ops, &fixture.serial);
}

int teardown(void **state)
{
	struct fixture *fixture = *state;

	console_finish(&fixture->console);
	return close(fixture->fd);
}

uint8_t in(struct fixture *fixture, unsigned reg)
{
	uint8_t value;

	assert_int_equal(bus_read(&fixture->bus, 0x3f8 + reg, &value, 1), 1);
	return value;
}

void out(struct fixture *fixture, unsigned reg, uint8_t value)
{
	assert_int_equal(bus_write(&fixture->bus, 0x3f8 + reg, &value, 1), 1);
}

void expect_output(struct fixture *fixture, const char *text)
{
	char data[64];

	console_flush(&fixture->console);
	assert_int_equal(pread(fixture->fd, data, sizeof(data), 0), strlen(text));
	assert_memory_equal(data, text, strlen(text));
}
unsigned raises(struct fixture *fixture)
{
	unsigned raised = fixture->raised;

	fixture->raised = 0;
	return raised;
}

void receive(struct fixture *fixture, const char *text)
{
	assert_int_equal(serial_receive(&fixture->serial, (const uint8_t *)text, strlen(text)), strlen(text));
}

void expect_input(struct fixture *fixture, const char *text)
{
	for (; *text; text++) {
		assert_int_equal(in(fixture, LSR), 0x61);
		assert_int_equal(in(fixture, DATA), *text);
	}
	assert_int_equal(in(fixture, LSR), 0x60);
	assert_int_equal(in(fixture, DATA), 0);
}
