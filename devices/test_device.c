/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/test_device.h"

#include <string.h>

void test_device_init(struct test_device *device, const struct test_device_owner *owner)
{
	memset(device, 0, sizeof(*device));
	device->owner = *owner;
}

static uint64_t latch_read(void *device, uint64_t offset, unsigned size)
{
	const struct test_device *test = device;

	(void)size;
	return bus_part(test->latch, offset);
}

static void latch_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct test_device *test = device;

	test->latch = (uint32_t)bus_merge(test->latch, offset, size, value);
}

const struct bus_ops test_latch_ops = {latch_read, latch_write};

static void flush_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	const struct test_device *test = device;

	if (offset == 0 && size == 4)
		test->owner.flush(test->owner.opaque, (uint32_t)value);
}

const struct bus_ops test_flush_ops = {NULL, flush_write};

/* A wide access would be one to several lines; there is none in QEMU, and it is for the first here. */
static void irq_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	const struct test_device *test = device;

	(void)size;
	test->owner.line(test->owner.opaque, (unsigned)offset, value != 0);
}

const struct bus_ops test_irq_ops = {NULL, irq_write};

static uint64_t memory_read(void *device, uint64_t offset, unsigned size)
{
	const struct test_device *test = device;
	uint64_t value = 0;

	memcpy(&value, test->memory + offset, size);
	return value;
}

static void memory_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct test_device *test = device;

	memcpy(test->memory + offset, &value, size);
}

const struct bus_ops test_memory_ops = {memory_read, memory_write};
