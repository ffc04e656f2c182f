/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "devices/bus.h"

/* A device that remembers the last access. */
struct probe {
	unsigned reads, writes, size;
	uint64_t offset, value;
};

static uint64_t probe_read(void *device, uint64_t offset, unsigned size)
{
	struct probe *probe = device;

	probe->reads++;
	probe->offset = offset;
	probe->size = size;
	return 0x8877665544332211;
}

static void probe_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct probe *probe = device;

	probe->writes++;
	probe->offset = offset;
	probe->size = size;
	probe->value = value;
}

static const struct bus_ops both = {probe_read, probe_write};
static const struct bus_ops neither = {NULL, NULL};

static void claims(void **state)
{
	static const struct {
		uint64_t base, length;
		int rc;
	} rows[] = {
		{100, 10, 0},
		{100, 0, -EINVAL},
		{0, 0, -EINVAL},
		{UINT64_MAX, 2, -EINVAL},
		{UINT64_MAX - 7, 9, -EINVAL},
		{2, UINT64_MAX, -EINVAL},
		{0, UINT64_MAX, -EEXIST},
		{100, 10, -EEXIST},
		{100, 1, -EEXIST},
		{109, 1, -EEXIST},
		{91, 10, -EEXIST},
		{109, 10, -EEXIST},
		{90, 30, -EEXIST},
		{102, 2, -EEXIST},
		{90, 10, 0}, /* both neighbours touch */
		{110, 10, 0},
		{UINT64_MAX, 1, 0},
		{UINT64_MAX - 8, 8, 0},
		{0, 1, 0},
	};
	struct bus bus = {0};
	struct probe probe;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bus before = bus;

		assert_int_equal(bus_claim(&bus, rows[i].base, rows[i].length, &both, &probe),
				 rows[i].rc);
		if (rows[i].rc != 0)
			assert_memory_equal(&bus, &before, sizeof(bus));
	}
	for (size_t i = 1; i < bus.count; i++)
		assert_true(bus.ranges[i - 1].last < bus.ranges[i].base);
}

static void full(void **state)
{
	struct bus bus = {0};
	struct probe probe;

	(void)state;
	/* From the top down, so that every claim moves the others. */
	for (uint64_t i = BUS_RANGES_MAX; i-- > 0;)
		assert_int_equal(bus_claim(&bus, i * 16, 8, &both, &probe), 0);
	assert_int_equal(bus_claim(&bus, 8, 8, &both, &probe), -ENOSPC);
	assert_int_equal(bus_claim(&bus, 0, 8, &both, &probe), -EEXIST);
	assert_int_equal(bus.count, BUS_RANGES_MAX);
}

/* Every address and size around a range, against the plain definition of containment. */
static void containment(void **state)
{
	static const uint64_t bases[] = {16, UINT64_MAX - 7};
	uint8_t ones[16];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t b = 0; b < ARRAY_SIZE(bases); b++) {
		struct probe probe = {0};
		struct bus bus = {0};

		assert_int_equal(bus_claim(&bus, bases[b], 8, &both, &probe), 0);
		for (int delta = -10; delta <= 18; delta++) {
			uint64_t address = bases[b] + (uint64_t)(int64_t)delta;

			for (unsigned size = 0; size <= 16; size++) {
				bool inside = delta >= 0 && size >= 1 && delta + (int)size <= 8;
				uint8_t data[16], after[16];

				probe = (struct probe){0};
				memset(data, 0xee, sizeof(data));
				memcpy(after, ones, size);
				memset(after + size, 0xee, sizeof(after) - size);
				if (inside)
					for (unsigned i = 0; i < size; i++)
						after[i] = (uint8_t)(0x11 * (i + 1));
				assert_int_equal(bus_read(&bus, address, data, size), inside);
				assert_memory_equal(data, after, sizeof(data));
				assert_int_equal(probe.reads, inside);
				assert_int_equal(bus_write(&bus, address, "ABCDEFGHIJKLMNOP", size),
						 inside);
				assert_int_equal(probe.writes, inside);
				if (!inside)
					continue;
				assert_int_equal(probe.offset, delta);
				assert_int_equal(probe.size, size);
				assert_int_equal(probe.value,
						 0x4847464544434241 &
							 (size == 8 ? UINT64_MAX
								    : (UINT64_C(1) << 8 * size) - 1));
			}
		}
	}
}

/* An access that two neighbours share belongs to neither. */
static void neighbours(void **state)
{
	struct probe low = {0}, high = {0};
	struct bus bus = {0};
	uint32_t data = 0;

	(void)state;
	assert_int_equal(bus_claim(&bus, 8, 4, &both, &high), 0);
	assert_int_equal(bus_claim(&bus, 4, 4, &both, &low), 0);
	assert_int_equal(bus_read(&bus, 6, &data, 4), 0);
	assert_int_equal(data, 0xffffffff);
	assert_int_equal(bus_write(&bus, 6, &data, 4), 0);
	assert_int_equal(low.reads + low.writes + high.reads + high.writes, 0);
	assert_int_equal(bus_read(&bus, 4, &data, 4), 1);
	assert_int_equal(bus_read(&bus, 8, &data, 4), 1);
	assert_int_equal(low.reads, 1);
	assert_int_equal(high.reads, 1);
}

static void without_handlers(void **state)
{
	struct bus bus = {0};
	uint16_t data = 0;

	(void)state;
	assert_int_equal(bus_read(&bus, 0, &data, 2), 0);
	assert_int_equal(data, 0xffff);
	assert_int_equal(bus_claim(&bus, 0, 8, &neither, NULL), 0);
	data = 0;
	assert_int_equal(bus_read(&bus, 0, &data, 2), 1);
	assert_int_equal(data, 0xffff);
	assert_int_equal(bus_write(&bus, 0, &data, 2), 1);
}

/* Random claims and accesses against an array that says who owns each address. */
static void random_claims(void **state)
{
	enum { SPACE = 64 };

	(void)state;
	srand(1);
	for (int run = 0; run < 2000; run++) {
		const struct probe *owner[SPACE] = {NULL};
		struct probe probes[BUS_RANGES_MAX] = {0};
		struct bus bus = {0};

		for (int i = 0; i < BUS_RANGES_MAX; i++) {
			unsigned base = (unsigned)rand() % SPACE, length = 1 + (unsigned)rand() % 6;
			bool taken = false;

			if (base + length > SPACE)
				continue;
			for (unsigned a = base; a < base + length; a++)
				taken |= owner[a] != NULL;
			assert_int_equal(bus_claim(&bus, base, length, &both, &probes[i]),
					 taken ? -EEXIST : 0);
			for (unsigned a = base; !taken && a < base + length; a++)
				owner[a] = &probes[i];
		}
		for (unsigned a = 0; a < SPACE; a++) {
			uint8_t byte;

			assert_int_equal(bus_read(&bus, a, &byte, 1), owner[a] != NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims),           cmocka_unit_test(full),
		cmocka_unit_test(containment),      cmocka_unit_test(neighbours),
		cmocka_unit_test(without_handlers), cmocka_unit_test(random_claims),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
