/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers, as a guest that polls uses them. */
#include "serial_fixture.h"

#include <string.h>

static void reset_values(void **state)
{
	static const uint8_t wanted[] = {0, 0, 0x01, 3, 0, 0x60, 0xb0, 0};

	for (unsigned reg = 0; reg < SERIAL_PORTS; reg++)
		assert_int_equal(in(*state, reg), wanted[reg]);
}

/* What a polling driver does: wait for the transmitter, write. */
static void transmits(void **state)
{
	for (const char *text = "Hi\n"; *text; text++) {
		assert_int_equal(in(*state, LSR) & 0x20, 0x20);
		out(*state, DATA, (uint8_t)*text);
	}
	expect_output(*state, "Hi\n");
}

static void divisor(void **state)
{
	out(*state, LCR, 0x83);
	assert_int_equal(in(*state, DATA), 12); /* 9600 baud */
	out(*state, DATA, 0x34);
	out(*state, IER, 0x12);
	assert_int_equal(in(*state, DATA), 0x34);
	assert_int_equal(in(*state, IER), 0x12);
	out(*state, LCR, 3);
	assert_int_equal(in(*state, IER), 0); /* the divisor is no longer there */
	expect_output(*state, "");
	out(*state, LCR, 0x83);
	assert_int_equal(in(*state, DATA), 0x34);
	assert_int_equal(in(*state, IER), 0x12);
}

/* A driver finds out by this whether there is a UART, and by the FIFO bits which. */
static void detection(void **state)
{
	out(*state, SCR, 0x5a);
	assert_int_equal(in(*state, SCR), 0x5a);
	out(*state, SCR, 0xa5);
	assert_int_equal(in(*state, SCR), 0xa5);
	out(*state, FCR, 1);
	assert_int_equal(in(*state, IIR) & 0xc0, 0xc0);
	out(*state, FCR, 0);
	assert_int_equal(in(*state, IIR) & 0xc0, 0);
	out(*state, IER, 0xff);
	assert_int_equal(in(*state, IER), 0x0f);
	assert_int_equal(in(*state, IIR), 0x02);
	out(*state, LSR, 0); /* read-only */
	assert_int_equal(in(*state, LSR), 0x60);
	out(*state, MSR, 0);
	assert_int_equal(in(*state, MSR), 0xb0);
}

static void loopback(void **state)
{
	/* DTR, RTS, OUT1, OUT2 appear as DSR, CTS, RI, DCD. */
	static const uint8_t inputs[] = {0x20, 0x10, 0x40, 0x80};

	for (unsigned bits = 0; bits < 16; bits++) {
		unsigned wanted = 0;

		for (unsigned i = 0; i < 4; i++)
			wanted |= bits >> i & 1 ? inputs[i] : 0;
		out(*state, MCR, (uint8_t)(0xf0 | bits));
		assert_int_equal(in(*state, MCR), 0x10 | bits);
		assert_int_equal(in(*state, MSR) & 0xf0, wanted);
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		assert_int_equal(in(*state, LSR) & 1, 0);
		out(*state, DATA, (uint8_t)byte);
		assert_int_equal(in(*state, LSR) & 1, 1);
		assert_int_equal(in(*state, DATA), byte);
	}
	expect_output(*state, "");
	out(*state, MCR, 0);
	out(*state, DATA, 'x');
	assert_int_equal(in(*state, LSR) & 1, 0);
	expect_output(*state, "x");
}

/* A wide access touches consecutive registers, lowest first. */
static void wide(void **state)
{
	struct fixture *fixture = *state;
	uint16_t word = 0x4d00 | 'w';
	uint64_t all = 0;

	assert_int_equal(bus_write(&fixture->bus, 0x3f8 + DATA, &word, 2), 1);
	assert_int_equal(in(*state, IER), 0x0d);
	expect_output(*state, "w");
	assert_int_equal(bus_read(&fixture->bus, 0x3f8, &all, 8), 1);
	assert_int_equal(all, 0x00b0600003010d00);
	word = 0x1234;
	assert_int_equal(bus_write(&fixture->bus, 0x3f8 + SCR, &word, 2), 0);
	assert_int_equal(in(*state, SCR), 0);
	assert_int_equal(bus_read(&fixture->bus, 0x3f8 + SCR, &word, 2), 0);
	assert_int_equal(word, 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reset_values, setup, teardown),
		cmocka_unit_test_setup_teardown(transmits, setup, teardown),
		cmocka_unit_test_setup_teardown(divisor, setup, teardown),
		cmocka_unit_test_setup_teardown(detection, setup, teardown),
		cmocka_unit_test_setup_teardown(loopback, setup, teardown),
		cmocka_unit_test_setup_teardown(wide, setup, teardown),
	};

	return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
