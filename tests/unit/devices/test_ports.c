/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/console.h"
#include "devices/ports.h"

static void debug_console(void **state)
{
	struct console console;
	struct bus bus = {0};
	char data[8];
	uint8_t byte = 'A';
	int fd = memfd_create("debug", MFD_CLOEXEC);

	(void)state;
	console_init(&console, fd, CONSOLE_LIMIT);
	assert_int_equal(bus_claim(&bus, 0xe9, 1, &debug_console_ops, &console), 0);
	assert_int_equal(bus_write(&bus, 0xe9, &byte, 1), 1);
	assert_int_equal(bus_read(&bus, 0xe9, &byte, 1), 1);
	assert_int_equal(byte, 0xe9);
	assert_int_equal(bus_write(&bus, 0xe9, "BC", 2), 0);
	console_finish(&console);
	assert_int_equal(pread(fd, data, sizeof(data), 0), 1);
	assert_int_equal(data[0], 'A');
	close(fd);
}

/* Only the first status counts: a guest may go on for a while before it is stopped. */
static void exit_port(void **state)
{
	(void)state;
	for (unsigned status = 0; status < 256; status++) {
		struct exit_port port = {0};
		struct bus bus = {0};
		uint8_t byte = (uint8_t)status, other = (uint8_t)~status;

		assert_int_equal(bus_claim(&bus, 0xf4, 1, &exit_port_ops, &port), 0);
		assert_int_equal(bus_read(&bus, 0xf4, &other, 1), 1);
		assert_int_equal(other, 0xff);
		assert_false(port.written);
		assert_int_equal(bus_write(&bus, 0xf4, &byte, 1), 1);
		assert_int_equal(bus_write(&bus, 0xf4, &other, 1), 1);
		assert_true(port.written);
		assert_int_equal(port.status, status);
	}
}

/* What QEMU's isa-debug-exit would end with, but for success; from any of the ports and in any size. */
static void debug_exit(void **state)
{
	static const struct {
		uint64_t code;
		unsigned offset, size;
		uint8_t status;
	} rows[] = {
		{0, 0, 4, 0},           {0, 0, 1, 0},  {0, 2, 2, 0},  {1, 0, 4, 3},
		{77 >> 1, 0, 4, 77},    {127 >> 1, 0, 1, 127},        {0x7f, 3, 1, 0xff},
		{0x80, 0, 4, 1},        {0xff, 0, 1, 0xff},           {0x100, 0, 4, 1},
		{0x80000000, 0, 4, 1},  {0xffffffff, 0, 4, 0xff},     {0x8000, 0, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_port port = {0};
		struct bus bus = {0};
		uint32_t other = 55;

		assert_int_equal(bus_claim(&bus, 0xf4, 4, &debug_exit_ops, &port), 0);
		assert_int_equal(bus_read(&bus, 0xf4, &other, 4), 1);
		assert_int_equal(other, 0xffffffff);
		assert_false(port.written);
		assert_int_equal(bus_write(&bus, 0xf4 + rows[i].offset, &rows[i].code, rows[i].size), 1);
		other = 55;
		assert_int_equal(bus_write(&bus, 0xf4, &other, 4), 1);
		assert_true(port.written);
		assert_int_equal(port.status, rows[i].status);
	}
}

static void take_request(void *opaque, uint32_t address)
{
	uint32_t *seen = opaque;

	seen[0]++;
	seen[1] = address;
}

/* Nothing but four bytes at offset 0 is a request. */
static void control_port(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 4; offset++) {
		for (unsigned size = 1; size <= 8; size++) {
			uint32_t seen[2] = {0};
			struct control_port port = {take_request, seen};
			struct bus bus = {0};
			bool request = offset == 0 && size == 4;

			assert_int_equal(bus_claim(&bus, 0x5e0, 4, &control_port_ops, &port), 0);
			bus_write(&bus, 0x5e0 + offset, "\x78\x56\x34\x92\xff\xff\xff\xff", size);
			assert_int_equal(seen[0], request);
			assert_int_equal(seen[1], request ? 0x92345678 : 0);
		}
	}
}

/* Every part of the register, against eight bytes of memory. */
static void scratch(void **state)
{
	uint8_t mirror[8] = {0};
	struct scratch_register reg = {0};
	struct bus bus = {0};
	uint64_t pattern = 0x0123456789abcdef;

	(void)state;
	assert_int_equal(bus_claim(&bus, 0xd0000000, 8, &scratch_register_ops, &reg), 0);
	for (unsigned offset = 0; offset < 8; offset++) {
		for (unsigned size = 1; offset + size <= 8; size++) {
			uint8_t data[8];

			pattern = pattern * 6364136223846793005 + 1;
			assert_int_equal(bus_write(&bus, 0xd0000000 + offset, &pattern, size), 1);
			memcpy(mirror + offset, &pattern, size);
			assert_memory_equal(&reg.value, mirror, 8);
			assert_int_equal(bus_read(&bus, 0xd0000000 + offset, data, size), 1);
			assert_memory_equal(data, mirror + offset, size);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debug_console),
		cmocka_unit_test(exit_port),
		cmocka_unit_test(debug_exit),
		cmocka_unit_test(control_port),
		cmocka_unit_test(scratch),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
