/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts, and what comes from outside. */
#include "serial_fixture.h"

#include <stdio.h>
#include <string.h>

/* It is an interrupt that the transmitter is empty, when that is enabled and after each byte, until IIR has told it. */
static void transmitter_interrupt(void **state)
{
	out(*state, MCR, MCR_OUT2);
	out(*state, DATA, 'a');
	assert_int_equal(raises(*state), 0);
	for (int i = 0; i < 2; i++) {
		out(*state, IER, IER_THRE);
		assert_int_equal(raises(*state), 1);
		assert_int_equal(in(*state, IIR), 0x02);
		assert_int_equal(in(*state, IIR), 0x01);
		out(*state, IER, IER_THRE); /* enabled already */
		assert_int_equal(in(*state, IIR), 0x01);
		assert_int_equal(raises(*state), 0);
		out(*state, IER, 0);
	}
	out(*state, IER, IER_THRE);
	assert_int_equal(in(*state, IIR), 0x02);
	assert_int_equal(raises(*state), 1);
	/* Also of a byte that is written before the interrupt of the last has been looked at. */
	for (int i = 0; i < 3; i++) {
		out(*state, DATA, 'b');
		assert_int_equal(raises(*state), 1);
	}
	assert_int_equal(in(*state, IIR), 0x02);
	assert_int_equal(in(*state, IIR), 0x01);
	out(*state, DATA, 'b');
	out(*state, IER, 0);
	assert_int_equal(in(*state, IIR), 0x01);
	raises(*state);
	/* The divisor is not the data. */
	out(*state, IER, IER_THRE);
	assert_int_equal(in(*state, IIR), 0x02);
	out(*state, LCR, 0x83);
	raises(*state);
	out(*state, DATA, 1);
	out(*state, IER, 0);
	assert_int_equal(in(*state, IIR), 0x01);
	assert_int_equal(raises(*state), 0);
}

/* OUT2 connects the output with the line; in loopback it is off. */
static void interrupt_gate(void **state)
{
	out(*state, IER, IER_THRE);
	for (unsigned mcr = 0; mcr < 32; mcr++) {
		bool open = (mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

		out(*state, MCR, 0);
		raises(*state);
		out(*state, MCR, (uint8_t)mcr);
		assert_int_equal(raises(*state), open);
		out(*state, DATA, 0);
		assert_int_equal(raises(*state), open);
	}
}

/* IIR tells the causes one after the other. One that is enabled while another is pending is no edge. */
static void priorities(void **state)
{
	out(*state, MCR, MCR_OUT2 | MCR_RTS | MCR_LOOP);
	in(*state, MSR);
	out(*state, MCR, MCR_OUT2 | MCR_RTS);
	out(*state, IER, IER_MODEM);
	assert_int_equal(raises(*state), 1);
	assert_int_equal(in(*state, IIR), 0x00);
	assert_int_equal(in(*state, IIR), 0x00);
	out(*state, IER, IER_MODEM | IER_THRE);
	receive(*state, "x");
	out(*state, IER, IER_MODEM | IER_THRE | IER_DATA);
	assert_int_equal(raises(*state), 0);
	assert_int_equal(in(*state, IIR), 0x04);
	assert_int_equal(in(*state, IIR), 0x04);
	assert_int_equal(in(*state, DATA), 'x');
	assert_int_equal(in(*state, IIR), 0x02);
	assert_int_equal(in(*state, IIR), 0x00);
	assert_int_equal(raises(*state), 0);
	in(*state, MSR);
	assert_int_equal(in(*state, IIR), 0x01);
	receive(*state, "y");
	assert_int_equal(raises(*state), 1);
	receive(*state, "z");
	assert_int_equal(raises(*state), 0);
	/* What happens anew is an edge, if it is enabled. */
	out(*state, DATA, 0);
	assert_int_equal(raises(*state), 1);
	assert_int_equal(in(*state, DATA), 'y');
	assert_int_equal(raises(*state), 1);
	out(*state, IER, IER_DATA);
	out(*state, DATA, 0);
	assert_int_equal(raises(*state), 0);
	out(*state, IER, IER_THRE);
	raises(*state);
	assert_int_equal(in(*state, DATA), 'z');
	receive(*state, "!");
	assert_int_equal(raises(*state), 0);
}

/* Without FIFO each byte is an interrupt, with it each FIFO that has been filled. */
static void receiver_interrupt(void **state)
{
	struct fixture *fixture = *state;

	out(*state, MCR, MCR_OUT2 | MCR_RTS);
	out(*state, IER, IER_DATA);
	receive(*state, "abc");
	assert_int_equal(raises(*state), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(in(*state, IIR), 0x04);
		assert_int_equal(in(*state, DATA), "abc"[i]);
		assert_int_equal(raises(*state), i < 2);
	}
	assert_int_equal(in(*state, IIR), 0x01);
	out(*state, FCR, 1);
	receive(*state, "0123456789abcdef0123456789abcdef01234567");
	assert_int_equal(in(*state, IIR), 0xc4);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(fixture->raised, 1 + i / 16);
		assert_int_equal(in(*state, DATA), "0123456789abcdef"[i % 16]);
	}
	assert_int_equal(raises(*state), 3);
	assert_int_equal(in(*state, IIR), 0xc1);
	/* The latch of the divisor is not the data. */
	receive(*state, "k");
	out(*state, LCR, 0x83);
	assert_int_equal(in(*state, DATA), 12);
	out(*state, LCR, 3);
	expect_input(*state, "k");
	out(*state, IER, 0);
	raises(*state);
	receive(*state, "k");
	assert_int_equal(in(*state, IIR), 0xc1);
	assert_int_equal(raises(*state), 0);
}

/* Every byte once and in order, across the end of the queue. More is asked for once, when half is left. */
static void queue(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t bytes[3 * SERIAL_QUEUE];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 251);
	assert_int_equal(serial_receive(&fixture->serial, bytes, 1000), 1000);
	for (unsigned i = 0; i < 900; i++)
		assert_int_equal(in(*state, DATA), bytes[i]);
	assert_int_equal(fixture->hungry, 0);
	assert_int_equal(serial_receive(&fixture->serial, bytes + 1000, sizeof(bytes) - 1000), SERIAL_QUEUE - 100);
	assert_int_equal(serial_receive(&fixture->serial, bytes, 1), 0);
	fixture->more = bytes + 1000 + SERIAL_QUEUE - 100;
	fixture->more_count = 3000;
	for (unsigned i = 900; i < 900 + SERIAL_QUEUE / 2 - 1; i++)
		assert_int_equal(in(*state, DATA), bytes[i]);
	assert_int_equal(fixture->hungry, 0);
	assert_int_equal(in(*state, DATA), bytes[900 + SERIAL_QUEUE / 2 - 1]);
	assert_int_equal(fixture->hungry, 1);
	for (unsigned i = 900 + SERIAL_QUEUE / 2; i < 900 + SERIAL_QUEUE + 3000; i++)
		assert_int_equal(in(*state, DATA), bytes[i]);
	/* 3000 do not fit into half of it. */
	assert_int_equal(fixture->hungry, 2);
	assert_int_equal(fixture->more_count, 0);
	assert_int_equal(in(*state, LSR), 0x60);
	/* What just fits is not refused. */
	assert_int_equal(serial_receive(&fixture->serial, bytes, SERIAL_QUEUE), SERIAL_QUEUE);
	for (unsigned i = 0; i < SERIAL_QUEUE; i++)
		assert_int_equal(in(*state, DATA), bytes[i]);
	assert_int_equal(fixture->hungry, 2);
	assert_int_equal(fixture->raised, 0);
}

/* A guest without an interrupt line, which knows nothing of the modem's. */
static void unconnected(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t bytes[SERIAL_QUEUE + 1] = "ab";

	serial_connect(&fixture->serial, NULL, NULL, NULL);
	receive(*state, "hello");
	expect_input(*state, "hello");
	out(*state, MCR, MCR_OUT2 | MCR_RTS);
	out(*state, IER, 0x0f);
	assert_int_equal(serial_receive(&fixture->serial, bytes, sizeof(bytes)), SERIAL_QUEUE);
	for (unsigned i = 0; i < SERIAL_QUEUE; i++)
		assert_int_equal(in(*state, DATA), bytes[i]);
	assert_int_equal(fixture->raised + fixture->hungry, 0);
}

/* The other side heeds RTS once the guest has written MCR. In loopback the wire is cut. */
static void request_to_send(void **state)
{
	receive(*state, "ab");
	assert_int_equal(in(*state, DATA), 'a');
	out(*state, FCR, 3);
	out(*state, MCR, 0);
	expect_input(*state, "b"); /* it had come in */
	receive(*state, "c");
	expect_input(*state, "");
	out(*state, MCR, MCR_RTS | MCR_LOOP);
	expect_input(*state, "");
	out(*state, MCR, MCR_RTS);
	assert_int_equal(in(*state, LSR), 0x61);
	out(*state, MCR, MCR_RTS | MCR_LOOP);
	expect_input(*state, "");
	out(*state, DATA, 'x');
	out(*state, MCR, MCR_RTS);
	receive(*state, "d");
	expect_input(*state, "xcd");
}

/* What FCR clears is what was looped back. Bytes from outside come again. */
static void fifo_control(void **state)
{
	static const struct {
		uint8_t before, written;
		bool cleared;
	} rows[] = {{0, 0, false}, {0, 2, false}, {0, 1, true},  {0, 3, true}, {1, 1, false},
		    {1, 3, true},  {1, 0, true},  {1, 2, true}, {1, 5, false}, {1, 0xc1, false}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out(*state, FCR, rows[i].before);
		out(*state, MCR, MCR_RTS | MCR_LOOP);
		out(*state, DATA, 'x');
		receive(*state, "typed ahead");
		out(*state, MCR, MCR_RTS);
		out(*state, FCR, rows[i].written);
		if (!rows[i].cleared)
			assert_int_equal(in(*state, DATA), 'x');
		assert_int_equal(in(*state, DATA), 't');
		out(*state, FCR, 7);
		expect_input(*state, "yped ahead");
	}
}

/* 16 bytes, of which the first are kept; without FIFO one, the last. */
static void loopback_fifo(void **state)
{
	for (unsigned fifo = 0; fifo < 2; fifo++) {
		out(*state, FCR, (uint8_t)fifo);
		out(*state, MCR, MCR_LOOP);
		for (unsigned i = 0; i < 20; i++)
			out(*state, DATA, (uint8_t)('a' + i));
		expect_input(*state, fifo ? "abcdefghijklmnop" : "t");
	}
	expect_output(*state, "");
}

/* DSR, CTS and DCD have changed; of RI it is the end. */
static void modem_changes(void **state)
{
	for (unsigned from = 0; from < 16; from++)
		for (unsigned to = 0; to < 16; to++) {
			unsigned change = from ^ to, wanted = 0;

			out(*state, MCR, (uint8_t)(MCR_LOOP | from));
			in(*state, MSR);
			assert_int_equal(in(*state, MSR) & 0x0f, 0);
			out(*state, MCR, (uint8_t)(MCR_LOOP | to));
			wanted |= change & 1 ? 2 : 0; /* DTR, DSR */
			wanted |= change & 2 ? 1 : 0; /* RTS, CTS */
			wanted |= change & from & 4;  /* OUT1, RI */
			wanted |= change & 8;         /* OUT2, DCD */
			assert_int_equal(in(*state, IIR), 0x01); /* not enabled */
			assert_int_equal(in(*state, MSR) & 0x0f, wanted);
			assert_int_equal(in(*state, MSR) & 0x0f, 0);
		}
}

/* As Linux's serial8250_clear_fifos(). */
static void clear_fifos(struct fixture *fixture)
{
	out(fixture, FCR, 1);
	out(fixture, FCR, 7);
	out(fixture, FCR, 0);
}

static void clear_interrupts(struct fixture *fixture)
{
	in(fixture, LSR);
	in(fixture, DATA);
	in(fixture, IIR);
	in(fixture, MSR);
}

/* Input from before the boot, while Linux finds the port, prints and opens it (drivers/tty/serial/8250/8250_port.c). */
static void linux_driver(void **state)
{
	receive(*state, "typed ");
	/* autoconfig() */
	out(*state, IER, 0);
	out(*state, IER, 0x0f);
	out(*state, IER, 0);
	out(*state, MCR, MCR_LOOP | 0x0a);
	assert_int_equal(in(*state, MSR) & 0xf0, 0x90);
	out(*state, MCR, 0);
	out(*state, FCR, 1);
	assert_int_equal(in(*state, IIR) >> 6, 3);
	clear_fifos(*state);
	in(*state, DATA);
	/* the console: DTR, and waits for the transmitter */
	out(*state, MCR, 1);
	for (int i = 0; i < 5; i++) {
		in(*state, LSR);
		out(*state, DATA, '.');
	}
	receive(*state, "ahead");
	/* serial8250_do_startup() */
	clear_fifos(*state);
	clear_interrupts(*state);
	out(*state, IER, IER_THRE);
	assert_int_equal(in(*state, IIR) & 1, 0);
	out(*state, IER, 0);
	out(*state, IER, IER_THRE);
	assert_int_equal(in(*state, IIR) & 1, 0); /* else it takes the port to be broken */
	out(*state, IER, 0);
	out(*state, MCR, 1 | MCR_OUT2);
	out(*state, IER, IER_THRE);
	assert_int_equal(in(*state, LSR), 0x60);
	assert_int_equal(in(*state, IIR) & 1, 0);
	out(*state, IER, 0);
	clear_interrupts(*state);
	/* serial8250_do_set_termios(), then RTS */
	out(*state, IER, 5);
	out(*state, FCR, 1);
	out(*state, FCR, 0x81);
	raises(*state);
	out(*state, MCR, 1 | MCR_OUT2 | MCR_RTS);
	assert_int_equal(raises(*state), 1);
	assert_int_equal(in(*state, IIR), 0xc4);
	expect_input(*state, "typed ahead");
	expect_output(*state, ".....");
}

/*
 * A driver that is called for each interrupt, is interrupted again at most once while it is at work, and gives up after
 * some bytes, as Linux's does after many: neither what it receives nor what it sends comes to a stop.
 */
static void nothing_lost(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t bytes[5 * SERIAL_QUEUE];
	unsigned sent = 0;
	size_t got = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 251);
	out(*state, FCR, 0x81);
	out(*state, MCR, MCR_OUT2 | MCR_RTS);
	out(*state, IER, IER_DATA | IER_THRE);
	fixture->more = bytes;
	fixture->more_count = sizeof(bytes);
	be_hungry(fixture);
	while (raises(fixture)) {
		for (int pass = 0; pass < 2 && !(in(*state, IIR) & 1); pass++) {
			for (int i = 0; i < 30 && in(*state, LSR) & 1; i++)
				assert_int_equal(in(*state, DATA), bytes[got++]);
			if (sent < 1000)
				out(*state, DATA, (uint8_t)sent++);
		}
	}
	assert_int_equal(got, sizeof(bytes));
	assert_int_equal(sent, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transmitter_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupt_gate, setup, teardown),
		cmocka_unit_test_setup_teardown(priorities, setup, teardown),
		cmocka_unit_test_setup_teardown(receiver_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(queue, setup, teardown),
		cmocka_unit_test_setup_teardown(unconnected, setup, teardown),
		cmocka_unit_test_setup_teardown(request_to_send, setup, teardown),
		cmocka_unit_test_setup_teardown(fifo_control, setup, teardown),
		cmocka_unit_test_setup_teardown(loopback_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(modem_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(linux_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_lost, setup, teardown),
	};

	return cmocka_run_group_tests_name("serial interrupts", tests, NULL, NULL);
}
