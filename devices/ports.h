/* SPDX-License-Identifier: GPL-2.0-only */
/* The small devices: debug console, exit port, control port, and a scratch register. */
#ifndef DEVICES_PORTS_H
#define DEVICES_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"

/* Debug console: every byte written is output; a read gives 0xe9, by which guests detect it. The
 * device is a struct console. */
extern const struct bus_ops debug_console_ops;

/* Exit port: the first byte written is the guest's exit status. */
struct exit_port {
	bool written;
	uint8_t status;
};
extern const struct bus_ops exit_port_ops;

/* Control port: a 4-byte write hands the guest-physical address of a request to the VMM. */
struct control_port {
	void (*request)(void *opaque, uint32_t address);
	void *opaque;
};
extern const struct bus_ops control_port_ops;

/* One register of 8 bytes; narrower accesses touch part of it. */
struct scratch_register {
	uint64_t value;
};
extern const struct bus_ops scratch_register_ops;

#endif
