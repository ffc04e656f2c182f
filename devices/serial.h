/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A UART (National Semiconductor PC16550D data sheet, section 8) as a PC has it. The transmitter is always empty:
 * what is written is output at once. There are no line errors, no receive timeout and no trigger level: received data is
 * told as soon as there is any.
 *
 * Interrupts. The output is a level, which an edge-triggered input does not see: its rise is told. Drivers read IIR until
 * nothing is pending (Linux: serial8250_interrupt()), by when the level has fallen, so that no further edge is needed. But
 * they may bound that loop, and two causes can take turns so that the level never falls. So two things are told whenever
 * they happen anew and are enabled, also while the level is high: the transmitter is empty after a byte, and an empty FIFO
 * has been filled. More than that would only interrupt drivers that are in their loop and find nothing to do afterwards.
 * As on a PC, OUT2 connects the output with the interrupt line; in loopback it is forced off.
 *
 * Reception. Bytes from outside wait on the wire, in a queue, and the next 16 (or 1, without FIFO) of them are seen in
 * the FIFO. The other side heeds RTS: nothing comes in while it is off. Drivers clear the FIFO and read data that they
 * ignore until they have opened the port, and raise RTS only then (Linux: serial8250_do_startup(), uart_startup());
 * so nothing is lost that was typed or piped in earlier. To a guest that has never written MCR, which may know nothing of
 * modem lines, the other side sends too. When the FIFO is cleared by FCR, its bytes have not left the wire yet: those
 * that were looped back are dropped, others come again.
 */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/bus.h"
#include "devices/console.h"

#define SERIAL_PORTS 8
#define SERIAL_FIFO 16
#define SERIAL_QUEUE 4096

struct serial {
	struct console *console;
	uint8_t ier, fcr, lcr, mcr, scr;
	uint16_t divisor;
	uint8_t modem_changes; /* the low half of MSR */
	bool thr_empty;        /* not reported yet; whether it is enabled or not */
	bool active;           /* the interrupt line */
	bool modem_lines;      /* the guest has written MCR */

	uint8_t looped[SERIAL_FIFO]; /* in front of what came from outside */
	unsigned looped_count;
	unsigned in_fifo; /* this many of the queue's first bytes */
	uint8_t queue[SERIAL_QUEUE];
	size_t first, queued;
	bool refused;

	void (*raise)(void *opaque);
	void (*hungry)(void *opaque);
	void (*sent)(void *opaque, uint8_t byte); /* sees what goes out; may be NULL */
	void *opaque;
};

/* The console outlives the device. Registers take their reset values, and no interrupt line is connected. */
void serial_init(struct serial *serial, struct console *console);

/*
 * Connects the interrupt line and the other side; both may be NULL. `raise` is called for each edge of the line.
 * `hungry` is called once when the queue, after it has refused bytes, has drained to half; it may call
 * serial_receive(). Both are called during an access to a register, `raise` also by serial_receive().
 */
void serial_connect(struct serial *serial, void (*raise)(void *opaque), void (*hungry)(void *opaque), void *opaque);

/* Bytes that arrive from outside. Returns how many were taken, fewer than `count` when the queue is full. */
size_t serial_receive(struct serial *serial, const uint8_t *bytes, size_t count);

/* For a range of SERIAL_PORTS ports. */
extern const struct bus_ops serial_bus_ops;

#endif
