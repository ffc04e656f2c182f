/* SPDX-License-Identifier: GPL-2.0-only */
/* The small devices: debug console, exit ports, control port, and a scratch register. */
#ifndef DEVICES_PORTS_H
#define DEVICES_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"

/* Debug console: every byte written is output; a read gives 0xe9, by which guests detect it. The
 * device is a struct console. */
extern const struct bus_ops debug_console_ops;

/*
 * Exit port: the first write is the guest's exit status. With exit_port_ops, for one port, it is the byte written. With
 * debug_exit_ops, for the 4 ports of QEMU's isa-debug-exit (hw/misc/debugexit.c there), it is 0 if 0 was written, else
 * the low byte of (code << 1 | 1), with which QEMU ends: what guests write so that QEMU ends with 77 or 127 gives 77 or
 * 127 here too. Only success differs, which is 1 there.
 */
struct exit_port {
	bool written;
	uint8_t status;
};
extern const struct bus_ops exit_port_ops;
extern const struct bus_ops debug_exit_ops;

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
