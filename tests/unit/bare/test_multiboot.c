/* SPDX-License-Identifier: GPL-2.0-only */
/* What boot loaders tell, written down as the Multiboot specifications have it. */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "guestfw/bare/multiboot.c"

#define ROOM 0x10000u
#define MAGIC_1 0x2badb002u
#define MAGIC_2 0x36d76289u
#define AVAILABLE 1u
#define RESERVED 2u
#define ACPI 3u
/* Types of a framebuffer, the same in both. */
#define TYPE_INDEXED 0u
#define TYPE_RGB 1u
#define TYPE_EGA 2u

/* Boot loaders give addresses of 32 bits. */
static uint8_t *low;
static size_t used;

static int setup(void **state)
{
	(void)state;
	low = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	used = 0;
	return low == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(low, ROOM);
}

static uint32_t address(size_t at)
{
	return (uint32_t)(uintptr_t)(low + at);
}

static void put(uint64_t value, size_t width)
{
	assert_true(used + width <= ROOM);
	memcpy(low + used, &value, width);
	used += width;
}

static void put_at(size_t at, uint32_t value)
{
	memcpy(low + at, &value, sizeof(value));
}

static void align(size_t border)
{
	while (used % border)
		put(0, 1);
}

/* Multiboot 1, 3.3: an entry of the memory map. */
static void put_entry_1(uint32_t size, uint64_t base, uint64_t length, uint32_t type)
{
	const size_t begin = used;

	put(size, 4);
	put(base, 8);
	put(length, 8);
	put(type, 4);
	while (used < begin + 4 + size)
		put(0xff, 1);
}

/* The same of Multiboot 2, 3.6.8, and its framebuffer, 3.6.12. */
static void put_entry_2(uint32_t size, uint64_t base, uint64_t length, uint32_t type)
{
	const size_t begin = used;

	put(base, 8);
	put(length, 8);
	put(type, 4);
	while (used < begin + size)
		put(0xff, 1);
}

static void put_screen(uint64_t at, uint32_t pitch, uint32_t width, uint32_t height, uint8_t bits, uint8_t type)
{
	put(at, 8);
	put(pitch, 4);
	put(width, 4);
	put(height, 4);
	put(bits, 1);
	put(type, 1);
}

static size_t begin_2(void)
{
	used = 0;
	put(0, 8);
	return 0;
}

static size_t begin_tag(uint32_t type)
{
	const size_t tag = used;

	put(type, 4);
	put(0, 4);
	return tag;
}

static void end_tag(size_t tag)
{
	put_at(tag + 4, (uint32_t)(used - tag));
	align(8);
}

static void end_2(void)
{
	end_tag(begin_tag(0));
	put_at(0, (uint32_t)used);
}

static struct multiboot told(uint32_t magic, size_t info)
{
	struct multiboot told;

	memset(&told, 0xa5, sizeof(told));
	multiboot_read(&told, magic, address(info));
	return told;
}

static void expect_range(const struct multiboot *got, unsigned i, uint64_t start, uint64_t end)
{
	assert_true(i < got->count);
	assert_int_equal(got->ranges[i].start, start);
	assert_int_equal(got->ranges[i].end, end);
}

static void expect_text_screen(const struct multiboot *got)
{
	assert_int_equal(got->screen.kind, SCREEN_TEXT);
	assert_int_equal(got->screen.address, 0xb8000);
	assert_int_equal(got->screen.pitch, 2 * 80);
}

/* An information structure of Multiboot 1 and behind it its map. */
static struct multiboot told_by_1(uint32_t flags, size_t map_end)
{
	const size_t info = (used + 7) / 8 * 8, map = 0;

	put_at(info, flags);
	put_at(info + 44, (uint32_t)map_end);
	put_at(info + 48, address(map));
	return told(MAGIC_1, info);
}

static void free_memory_of_multiboot_1(void **state)
{
	/* Entries may be longer than what is known of them. */
	static const uint32_t sizes[] = {20, 24, 40};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct multiboot got;

		used = 0;
		put_entry_1(sizes[s], 0, 0x9fc00, AVAILABLE);
		put_entry_1(sizes[s], 0x9fc00, 0x400, RESERVED);
		put_entry_1(sizes[s], 0x100000, 0x7ee0000, AVAILABLE);
		put_entry_1(sizes[s], 0x7fe0000, 0x20000, ACPI);
		put_entry_1(sizes[s], UINT64_C(1) << 32, UINT64_C(3) << 30, AVAILABLE);
		got = told_by_1(1u << 6, used);
		assert_int_equal(got.count, 3);
		expect_range(&got, 0, 0, 0x9fc00);
		expect_range(&got, 1, 0x100000, 0x7fe0000);
		expect_range(&got, 2, UINT64_C(1) << 32, UINT64_C(7) << 30);
		expect_text_screen(&got);
	}
}

static void without_its_flag_a_field_of_multiboot_1_says_nothing(void **state)
{
	struct multiboot got;

	(void)state;
	put_entry_1(20, 0x100000, 0x100000, AVAILABLE);
	got = told_by_1(~(1u << 6 | 1u << 12), used);
	assert_int_equal(got.count, 0);
	expect_text_screen(&got);
}

static void free_memory_of_multiboot_2(void **state)
{
	static const uint32_t sizes[] = {24, 32};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct multiboot got;
		size_t tag;

		begin_2();
		/* A tag of another type, whose end is no border. */
		tag = begin_tag(2);
		put(0x425552, 3);
		end_tag(tag);
		tag = begin_tag(6);
		put(sizes[s], 4);
		put(0, 4);
		put_entry_2(sizes[s], 0x1000, 0x9e000, AVAILABLE);
		put_entry_2(sizes[s], 0x100000, 0x300000, RESERVED);
		put_entry_2(sizes[s], 0x400000, 0x400000, AVAILABLE);
		end_tag(tag);
		end_2();
		got = told(MAGIC_2, 0);
		assert_int_equal(got.count, 2);
		expect_range(&got, 0, 0x1000, 0x9f000);
		expect_range(&got, 1, 0x400000, 0x800000);
		expect_text_screen(&got);
	}
}

static void put_map_of_pages(unsigned count, uint64_t distance)
{
	const size_t tag = begin_tag(6);

	put(24, 4);
	put(0, 4);
	for (unsigned i = 0; i < count; i++)
		put_entry_2(24, 0x100000 + i * distance, 0x1000, AVAILABLE);
	end_tag(tag);
}

static void pieces_that_follow_one_another_are_one(void **state)
{
	struct multiboot got;

	(void)state;
	begin_2();
	put_map_of_pages(4 * MEMORY_RANGES_MAX, 0x1000);
	end_2();
	got = told(MAGIC_2, 0);
	assert_int_equal(got.count, 1);
	expect_range(&got, 0, 0x100000, 0x100000 + 4 * MEMORY_RANGES_MAX * UINT64_C(0x1000));
}

static void more_ranges_than_there_is_room_for_are_left_out(void **state)
{
	struct multiboot got;

	(void)state;
	for (unsigned count = MEMORY_RANGES_MAX - 1; count <= MEMORY_RANGES_MAX + 2; count++) {
		begin_2();
		put_map_of_pages(count, 0x3000);
		end_2();
		got = told(MAGIC_2, 0);
		assert_int_equal(got.count, count < MEMORY_RANGES_MAX ? count : MEMORY_RANGES_MAX);
		for (unsigned i = 0; i < got.count; i++)
			expect_range(&got, i, 0x100000 + i * UINT64_C(0x3000), 0x101000 + i * UINT64_C(0x3000));
	}
}

static void ranges_of_no_length_are_none(void **state)
{
	struct multiboot got;

	(void)state;
	put_entry_1(20, 0x100000, 0, AVAILABLE);
	got = told_by_1(1u << 6, used);
	assert_int_equal(got.count, 0);
}

/* Both tell of it in the same words, from byte 88 on and behind the head of a tag. */
static struct multiboot with_screen(bool second, uint8_t bits, uint8_t type)
{
	const uint64_t at = UINT64_C(0x380000000);

	memset(low, 0, ROOM);
	if (second) {
		size_t tag;

		begin_2();
		tag = begin_tag(8);
		put_screen(at, 5120, 1280, 800, bits, type);
		put(0, 2);
		end_tag(tag);
		end_2();
		return told(MAGIC_2, 0);
	}
	used = 0;
	put(1u << 12, 4);
	while (used < 88)
		put(0, 1);
	put_screen(at, 5120, 1280, 800, bits, type);
	return told(MAGIC_1, 0);
}

static void the_framebuffer_is_the_screen(void **state)
{
	static const struct {
		uint8_t type;
		enum screen_kind kind;
	} rows[] = {{TYPE_INDEXED, SCREEN_NONE}, {TYPE_RGB, SCREEN_PIXELS}, {TYPE_EGA, SCREEN_TEXT}, {77, SCREEN_NONE}};
	static const struct {
		uint8_t bits, bytes;
	} depths[] = {{32, 4}, {24, 3}, {16, 2}, {15, 2}};

	(void)state;
	for (int second = 0; second < 2; second++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			for (size_t d = 0; d < ARRAY_SIZE(depths); d++) {
				const struct multiboot got = with_screen(second, depths[d].bits, rows[i].type);

				assert_int_equal(got.screen.kind, rows[i].kind);
				assert_int_equal(got.screen.address, UINT64_C(0x380000000));
				assert_int_equal(got.screen.pitch, 5120);
				assert_int_equal(got.screen.width, 1280);
				assert_int_equal(got.screen.height, 800);
				assert_int_equal(got.screen.pixel_size, depths[d].bytes);
			}
}

static void no_boot_loader_has_told_of_nothing(void **state)
{
	struct multiboot got;

	(void)state;
	begin_2();
	put_map_of_pages(3, 0x3000);
	end_2();
	got = told(0, 0);
	assert_int_equal(got.count, 0);
	expect_text_screen(&got);
}

/* A tag that leads nowhere ends the list, and so does an entry of no size. */
static void a_list_that_goes_round_in_circles_ends(void **state)
{
	struct multiboot got;
	size_t tag;

	(void)state;
	begin_2();
	put(6, 4);
	put(0, 4);
	end_2();
	assert_int_equal(told(MAGIC_2, 0).count, 0);
	begin_2();
	tag = begin_tag(6);
	put(0, 4);
	put(0, 4);
	put_entry_2(24, 0x100000, 0x1000, AVAILABLE);
	end_tag(tag);
	end_2();
	got = told(MAGIC_2, 0);
	assert_int_equal(got.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(free_memory_of_multiboot_1),
		TEST(without_its_flag_a_field_of_multiboot_1_says_nothing),
		TEST(free_memory_of_multiboot_2),
		TEST(pieces_that_follow_one_another_are_one),
		TEST(more_ranges_than_there_is_room_for_are_left_out),
		TEST(ranges_of_no_length_are_none),
		TEST(the_framebuffer_is_the_screen),
		TEST(no_boot_loader_has_told_of_nothing),
		TEST(a_list_that_goes_round_in_circles_ends),
	};

	return cmocka_run_group_tests_name("multiboot", tests, NULL, NULL);
}
