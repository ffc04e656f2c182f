/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real-time clock and CMOS memory (Motorola MC146818 data sheet; the bytes beyond it as IBM's AT and QEMU's hw/i386/pc.c
 * have them). The time is that of the struct clock, in BCD and 24 hours; a guest cannot set it. There is no interrupt:
 * the alarm registers and the enable bits of register B are kept and without effect.
 */
#ifndef DEVICES_CMOS_H
#define DEVICES_CMOS_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/clock.h"

#define CMOS_PORTS 2
#define CMOS_SIZE 128

struct cmos {
	const struct clock *clock;
	uint8_t index;
	uint8_t memory[CMOS_SIZE]; /* what is computed when it is read is not in here */
};

/* The clock outlives the device. The guest's memory ends below 4 GiB and has no gap; its size, in bytes, is told. */
void cmos_init(struct cmos *cmos, const struct clock *clock, uint64_t memory_size);

/* For a range of CMOS_PORTS ports: index, data. */
extern const struct bus_ops cmos_bus_ops;

#endif
