/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/guest/guest_ram.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* What the header says, one byte at a time: which part an address is in, 0 if none. */
static int part_of(uint64_t ram_size, uint64_t gpa)
{
	uint64_t low = ram_size < RAM_HOLE_BASE ? ram_size : RAM_HOLE_BASE;

	if (gpa < low)
		return 1;
	return gpa >= RAM_HIGH_BASE && gpa - RAM_HIGH_BASE < ram_size - low ? 2 : 0;
}

static bool all_in_one_part(uint64_t ram_size, uint64_t gpa, uint64_t size)
{
	return size != 0 && gpa + (size - 1) >= gpa && part_of(ram_size, gpa) != 0 &&
	       part_of(ram_size, gpa) == part_of(ram_size, gpa + (size - 1));
}

/* Every edge with every size that could wrap or cross, for memories around the hole. */
static void edges(void **state)
{
	static const uint64_t memories[] = {4 * MIB, RAM_HOLE_BASE - 4096, RAM_HOLE_BASE,
					    RAM_HOLE_BASE + 4096, 4 * GIB, 5 * GIB, 512 * GIB};
	static const uint64_t corners[] = {0, 4 * MIB, RAM_HOLE_BASE - 4096, RAM_HOLE_BASE,
					   RAM_HIGH_BASE - 4096, RAM_HIGH_BASE,
					   RAM_HIGH_BASE + 4096, 5 * GIB, 6 * GIB, 513 * GIB,
					   UINT64_C(1) << 32, UINT64_C(1) << 63, 0};
	static const uint64_t sizes[] = {1, 2, 8, 4095, 4096, 4097, 4 * MIB, RAM_HOLE_BASE,
					 4 * GIB, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(memories); m++)
		for (size_t c = 0; c < ARRAY_SIZE(corners); c++)
			for (int delta = -9; delta <= 9; delta++)
				for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
					uint64_t gpa = corners[c] + (uint64_t)(int64_t)delta;

					assert_int_equal(
						guest_ram_contains(memories[m], gpa_at(gpa), sizes[s]),
						all_in_one_part(memories[m], gpa, sizes[s]));
				}
}

static void parts(void **state)
{
	struct guest_ram ram = {.size = 4 * MIB};

	(void)state;
	assert_int_equal(guest_ram_low(&ram), 4 * MIB);
	assert_int_equal(guest_ram_high(&ram), 0);
	ram.size = RAM_HOLE_BASE;
	assert_int_equal(guest_ram_low(&ram), RAM_HOLE_BASE);
	assert_int_equal(guest_ram_high(&ram), 0);
	ram.size = RAM_HOLE_BASE + 4096;
	assert_int_equal(guest_ram_low(&ram), RAM_HOLE_BASE);
	assert_int_equal(guest_ram_high(&ram), 4096);
}

/* Nothing is copied, and the caller's data is untouched, unless all of the range is memory. */
static void copies(void **state)
{
	struct guest_ram ram;
	char data[16];

	(void)state;
	assert_int_equal(guest_ram_create(&ram, MIB), 0);
	for (uint64_t i = 0; i < MIB; i++)
		assert_int_equal(ram.host[i], 0);
	assert_int_equal(guest_ram_write(&ram, gpa_at(MIB - 8), "12345678", 8), 0);
	assert_int_equal(guest_ram_write(&ram, gpa_at(MIB - 7), "abcdefgh", 8), -EFAULT);
	assert_int_equal(guest_ram_write(&ram, gpa_at(MIB), "x", 1), -EFAULT);
	assert_int_equal(guest_ram_write(&ram, gpa_at(UINT64_MAX - 3), "abcdefgh", 8), -EFAULT);
	assert_int_equal(guest_ram_write(&ram, gpa_at(RAM_HIGH_BASE), "x", 1), -EFAULT);
	memset(data, '.', sizeof(data));
	assert_int_equal(guest_ram_read(&ram, gpa_at(MIB - 8), data, 8), 0);
	assert_memory_equal(data, "12345678........", 16);
	assert_int_equal(guest_ram_read(&ram, gpa_at(MIB - 7), data, 8), -EFAULT);
	assert_memory_equal(data, "12345678........", 16);
	assert_ptr_equal(guest_ram_at(&ram, gpa_at(MIB - 1), 1), ram.host + MIB - 1);
	assert_null(guest_ram_at(&ram, gpa_at(MIB - 1), 2));
	guest_ram_destroy(&ram);
	assert_null(ram.host);
	guest_ram_destroy(&ram);
}

/* The upper part follows the lower one in the host's block; nothing is reserved for the hole. */
static void across_the_hole(void **state)
{
	struct guest_ram ram;

	(void)state;
	if (guest_ram_create(&ram, RAM_HOLE_BASE + MIB) != 0)
		skip();
	assert_ptr_equal(guest_ram_at(&ram, gpa_at(RAM_HIGH_BASE), 1), ram.host + RAM_HOLE_BASE);
	assert_ptr_equal(guest_ram_at(&ram, gpa_at(RAM_HIGH_BASE + MIB - 1), 1),
			 ram.host + RAM_HOLE_BASE + MIB - 1);
	assert_null(guest_ram_at(&ram, gpa_at(RAM_HOLE_BASE - 1), 2));
	assert_null(guest_ram_at(&ram, gpa_at(RAM_HOLE_BASE), 1));
	assert_null(guest_ram_at(&ram, gpa_at(RAM_HIGH_BASE + MIB), 1));
	assert_int_equal(guest_ram_write(&ram, gpa_at(RAM_HOLE_BASE - 4), "lowhigh.", 8), -EFAULT);
	assert_int_equal(guest_ram_write(&ram, gpa_at(RAM_HIGH_BASE), "high", 4), 0);
	assert_memory_equal(ram.host + RAM_HOLE_BASE, "high", 4);
	guest_ram_destroy(&ram);
}

static bool is_mapped(const uint8_t *at)
{
	unsigned char resident;

	return mincore((void *)(uintptr_t)at, 4096, &resident) == 0;
}

/* On a border of large pages or in the middle wherever the kernel puts it, and no more than was asked for stays. */
static void lies(int (*create)(struct guest_ram *, uint64_t), uint64_t behind)
{
	static const uint64_t sizes[] = {4096, MIB, GPA_LARGE_PAGE_SIZE - 4096, GPA_LARGE_PAGE_SIZE,
					 GPA_LARGE_PAGE_SIZE + 4096, 16 * MIB, GIB};
	struct guest_ram rams[ARRAY_SIZE(sizes)];
	void *shifts[ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* So that the next one is elsewhere. */
		shifts[i] = mmap(NULL, (i + 1) * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_int_equal(create(&rams[i], sizes[i]), 0);
		assert_int_equal(rams[i].size, sizes[i]);
		assert_int_equal((uintptr_t)rams[i].host % GPA_LARGE_PAGE_SIZE, behind);
		rams[i].host[0] = rams[i].host[sizes[i] - 1] = 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *host = rams[i].host;

		assert_true(is_mapped(host) && is_mapped(host + sizes[i] - 4096));
		guest_ram_destroy(&rams[i]);
		assert_false(is_mapped(host) || is_mapped(host + sizes[i] - 4096));
		munmap(shifts[i], (i + 1) * 4096);
	}
}

static void aligned(void **state)
{
	(void)state;
	lies(guest_ram_create_aligned, 0);
	lies(guest_ram_create, GPA_LARGE_PAGE_SIZE / 2);
}

/* Pages of address space that this process has. */
static unsigned long address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return pages;
}

static void no_more_than_asked_for(void **state)
{
	struct guest_ram ram;
	unsigned long before;

	(void)state;
	address_space(); /* what the library needs for it is there then */
	for (uint64_t size = 4096; size <= 64 * MIB; size = size * 2 + 4096) {
		before = address_space();
		assert_int_equal(guest_ram_create_aligned(&ram, size), 0);
		assert_int_equal(address_space() - before, size / 4096);
		guest_ram_destroy(&ram);
		assert_int_equal(address_space(), before);
	}
}

/* Advice changes nothing but speed. */
static void large_pages(void **state)
{
	struct guest_ram ram;

	(void)state;
	assert_int_equal(guest_ram_create_aligned(&ram, 8 * MIB), 0);
	ram.host[5 * MIB] = 7;
	guest_ram_prefer_large(&ram, true);
	guest_ram_prefer_large(&ram, false);
	assert_int_equal(ram.host[5 * MIB], 7);
	for (uint64_t i = 0; i < 5 * MIB; i += 512)
		assert_int_equal(ram.host[i], 0);
	guest_ram_destroy(&ram);
}

static void too_much(void **state)
{
	struct guest_ram ram = {.size = 5};

	(void)state;
	assert_int_equal(guest_ram_create(&ram, UINT64_C(1) << 60), -ENOMEM);
	assert_int_equal(ram.size, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges),           cmocka_unit_test(parts),
		cmocka_unit_test(copies),          cmocka_unit_test(across_the_hole),
		cmocka_unit_test(too_much),        cmocka_unit_test(aligned),
		cmocka_unit_test(no_more_than_asked_for), cmocka_unit_test(large_pages),
	};

	return cmocka_run_group_tests_name("guest_ram", tests, NULL, NULL);
}
