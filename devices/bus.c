/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/bus.h"

#include <errno.h>
#include <string.h>

/* Index of the first range whose base lies above the address. */
static size_t upper_bound(const struct bus *bus, uint64_t address)
{
	size_t low = 0, high = bus->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bus->ranges[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int bus_claim(struct bus *bus, uint64_t base, uint64_t length, const struct bus_ops *ops,
	      void *device)
{
	uint64_t last = base + (length - 1);
	size_t at = upper_bound(bus, base);

	if (length == 0 || last < base)
		return -EINVAL;
	if (at > 0 && bus->ranges[at - 1].last >= base)
		return -EEXIST;
	if (at < bus->count && bus->ranges[at].base <= last)
		return -EEXIST;
	if (bus->count == BUS_RANGES_MAX)
		return -ENOSPC;
	memmove(&bus->ranges[at + 1], &bus->ranges[at], (bus->count - at) * sizeof(bus->ranges[0]));
	bus->ranges[at] = (struct bus_range){base, last, ops, device};
	bus->count++;
	return 0;
}

static const struct bus_range *find(const struct bus *bus, uint64_t address, unsigned size)
{
	size_t at = upper_bound(bus, address);
	const struct bus_range *range;

	if (at == 0 || size == 0 || size > BUS_ACCESS_MAX)
		return NULL;
	range = &bus->ranges[at - 1];
	if (address > range->last || size - 1 > range->last - address)
		return NULL;
	return range;
}

int bus_read(const struct bus *bus, uint64_t address, void *data, unsigned size)
{
	const struct bus_range *range = find(bus, address, size);
	uint64_t value = UINT64_MAX;

	if (range && range->ops->read)
		value = range->ops->read(range->device, address - range->base, size);
	if (size > BUS_ACCESS_MAX) {
		memset(data, 0xff, size);
		return 0;
	}
	memcpy(data, &value, size);
	return range != NULL;
}

int bus_write(const struct bus *bus, uint64_t address, const void *data, unsigned size)
{
	const struct bus_range *range = find(bus, address, size);
	uint64_t value = 0;

	if (!range)
		return 0;
	memcpy(&value, data, size);
	if (range->ops->write)
		range->ops->write(range->device, address - range->base, size, value);
	return 1;
}
