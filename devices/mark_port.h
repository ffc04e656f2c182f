/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port by which a guest names what it does from here on (guestfw/abi.h, SS_PORT_MARK). Several vCPUs write names at
 * the same time, so each of them has its own under way.
 */
#ifndef DEVICES_MARK_PORT_H
#define DEVICES_MARK_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "guestfw/abi.h"

/* What the port asks its owner for. */
struct mark_owner {
	/* The vCPU that accesses the port, below SS_MAX_VCPUS. */
	unsigned (*writer)(void *opaque);
	/* It performs nothing any more. */
	void (*end)(void *opaque);
	/* It begins the operation of this name, which has 1 to SS_MARK_NAME_MAX printable characters. Returns its number,
	 * 0 if there is no room for one more name. */
	uint32_t (*name)(void *opaque, const char *name);
	/* It begins the operation of this number, which may be anything but 0. Returns whether there is one. */
	bool (*number)(void *opaque, uint32_t number);
	/* It has asked for what cannot be, and goes on performing nothing. The text is constant: "a name of ..." */
	void (*refuse)(void *opaque, const char *what);
	void *opaque;
};

struct mark_port {
	struct mark_owner owner;
	struct mark_line {
		bool begun;
		const char *fault; /* what is wrong with the name so far; NULL: nothing */
		uint32_t last;	   /* number of the last complete one */
		uint8_t length;
		char text[SS_MARK_NAME_MAX + 1];
	} lines[SS_MAX_VCPUS];
};

void mark_port_init(struct mark_port *port, const struct mark_owner *owner);

/* For SS_MARK_PORTS ports; the device is the struct mark_port. Anything but a byte and 4 bytes at the first does nothing,
 * and reads as all ones. */
extern const struct bus_ops mark_port_ops;

#endif
