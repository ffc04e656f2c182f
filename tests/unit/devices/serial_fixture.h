/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of the serial line: one on a bus of ports, what it prints, and who is told of its interrupts. */
#ifndef TESTS_UNIT_DEVICES_SERIAL_FIXTURE_H
#define TESTS_UNIT_DEVICES_SERIAL_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>

#include "devices/serial.h"

/* Registers by their data-sheet numbers (PC16550D, section 8). */
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

#define IER_DATA 0x01
#define IER_THRE 0x02
#define IER_MODEM 0x08
#define MCR_RTS 0x02
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

struct fixture {
	struct console console;
	struct serial serial;
	struct bus bus;
	int fd;
	unsigned raised, hungry;
	/* What comes once it is asked for. */
	const uint8_t *more;
	size_t more_count;
};

/* Of each test; *state is the struct fixture. */
int setup(void **state);
int teardown(void **state);

/* An access to a register, of a byte. */
uint8_t in(struct fixture *fixture, unsigned reg);
void out(struct fixture *fixture, unsigned reg, uint8_t value);

/* All that was printed since the beginning. */
void expect_output(struct fixture *fixture, const char *text);

/* Gives what is to come, when it is asked for; `opaque` is the struct fixture. */
void be_hungry(void *opaque);

/* Interrupts since the last question. */
unsigned raises(struct fixture *fixture);

/* Text from outside, and what a polling guest reads. */
void receive(struct fixture *fixture, const char *text);
void expect_input(struct fixture *fixture, const char *text);

#endif
