/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An address space in which devices claim ranges: ports or memory-mapped registers. Nothing here
 * knows about KVM; the run loop hands over address, size and data of an access.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stddef.h>
#include <stdint.h>

#define BUS_RANGES_MAX 32
#define BUS_ACCESS_MAX 8

/*
 * A device's view of one access. `offset` counts from the start of the range that was claimed and
 * `size` is 1, 2, 4 or 8; the access lies within the range. Data is little endian, in the low
 * `size` bytes. Either may be NULL: reads then give all ones and writes are dropped.
 */
struct bus_ops {
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
};

struct bus_range {
	uint64_t base, last; /* both inclusive, so that a range may end at 2^64 - 1 */
	const struct bus_ops *ops;
	void *device;
};

/* Ranges ascend by base and do not overlap. Starts zeroed; needs no destruction. */
struct bus {
	struct bus_range ranges[BUS_RANGES_MAX];
	size_t count;
};

/*
 * Claims [base, base + length) for a device, which the caller keeps alive as long as the bus is
 * used. Returns 0, -EINVAL (empty or wrapping range), -EEXIST (overlap) or -ENOSPC.
 */
int bus_claim(struct bus *bus, uint64_t base, uint64_t length, const struct bus_ops *ops,
	      void *device);

/* What reading a part of a register gives, and what the register is after a part of it has been written. */
static inline uint64_t bus_part(uint64_t reg, uint64_t offset)
{
	return offset < BUS_ACCESS_MAX ? reg >> 8 * offset : 0;
}

static inline uint64_t bus_merge(uint64_t reg, uint64_t offset, unsigned size, uint64_t value)
{
	uint64_t mask = size >= BUS_ACCESS_MAX ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;

	if (offset >= BUS_ACCESS_MAX)
		return reg;
	mask <<= 8 * offset;
	return (reg & ~mask) | (value << 8 * offset & mask);
}

/*
 * One access of 1 to 8 bytes. An access that no single range contains reads all ones and writes
 * nothing. All `size` bytes of the data are defined afterwards. Returns 1 if a device answered,
 * 0 if nobody claims the address.
 */
int bus_read(const struct bus *bus, uint64_t address, void *data, unsigned size);
int bus_write(const struct bus *bus, uint64_t address, const void *data, unsigned size);

#endif
