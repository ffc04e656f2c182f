/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kvm-unit-tests test devices with (QEMU's hw/misc/pc-testdev.c): a latch that is read back, a port that drops a page
 * from KVM's tables, interrupt lines, and memory that is reached by exits. The port by which they end is debug_exit_ops
 * of devices/ports.h.
 */
#ifndef DEVICES_TEST_DEVICE_H
#define DEVICES_TEST_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "devices/pc_map.h"

/* What the test device asks its owner for. */
struct test_device_owner {
	/* Has the page of guest memory mapped anew at the next access. The address is the guest's: it may be anything. */
	void (*flush)(void *opaque, uint32_t gpa);
	/* Sets an interrupt line, below PC_TEST_IRQ_COUNT. */
	void (*line)(void *opaque, unsigned gsi, bool level);
	void *opaque;
};

struct test_device {
	struct test_device_owner owner;
	uint32_t latch;
	uint8_t memory[PC_TEST_MEMORY_SIZE];
};

void test_device_init(struct test_device *device, const struct test_device_owner *owner);

/* The device of all of them is the struct test_device. Each is for the range that devices/pc_map.h names. */
extern const struct bus_ops test_latch_ops;  /* PC_TEST_LATCH */
extern const struct bus_ops test_flush_ops;  /* PC_TEST_FLUSH, 4 ports: 4 bytes are the address */
extern const struct bus_ops test_irq_ops;    /* PC_TEST_IRQ: any other value than 0 is a high level */
extern const struct bus_ops test_memory_ops; /* PC_TEST_MEMORY, of guest-physical memory */

#endif
