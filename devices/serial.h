/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550 UART as seen by a polling driver: transmitter always empty, no receiver input except in
 * loopback, no interrupt line (National Semiconductor PC16550D data sheet, section 8).
 */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "devices/console.h"

#define SERIAL_PORTS 8

struct serial {
	struct console *console;
	uint8_t ier, fcr, lcr, mcr, scr;
	uint16_t divisor;
	uint8_t loopback;
	bool loopback_ready;
};

/* The console outlives the device. Registers take their reset values. */
void serial_init(struct serial *serial, struct console *console);

extern const struct bus_ops serial_bus_ops;

#endif
