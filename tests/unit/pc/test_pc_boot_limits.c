/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels, files and command lines that find no room, and those that just do. */
#include "tests/unit/pc/pc_boot_fixture.h"

#include <stdio.h>
#include <string.h>

static void refused(const struct image *image, const struct pc_boot *boot, uint64_t memory, const char *line)
{
	struct error error = {0};

	assert_true(pc_boot_check(image, boot, memory, &error) < 0);
	assert_string_equal(error.text, line);
	assert_int_equal(error.status, STATUS_USAGE);
}

static void accepted(const struct image *image, const struct pc_boot *boot, uint64_t memory)
{
	boot_with(image, boot, memory);
	guest_ram_destroy(&ram);
}

static void small_memory(void **state)
{
	static const enum image_format formats[] = {IMAGE_MULTIBOOT, IMAGE_BZIMAGE, IMAGE_VMLINUX, IMAGE_PVH};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct image image = make_image(formats[i]);

		refused(&image, &nothing, 18 * MIB - 4096,
			"this kernel needs at least 18 MiB of memory, and has 17 MiB; give it more with -m");
		accepted(&image, &nothing, 18 * MIB);
		segment.memory_size++;
		refused(&image, &nothing, 18 * MIB,
			"this kernel needs at least 19 MiB of memory, and has 18 MiB; give it more with -m");
		accepted(&image, &nothing, 19 * MIB);
		/* Where there is nothing of it above 1 MiB, there is memory there still. */
		segment = (struct image_segment){.gpa = gpa_at(0x8000), .memory_size = 4096, .file_size = 4096};
		refused(&image, &nothing, MIB,
			"this kernel needs at least 2 MiB of memory, and has 1 MiB; give it more with -m");
		accepted(&image, &nothing, 2 * MIB);
		/* That above 4 GiB is no place for one. */
		segment.gpa = gpa_at(3 * GIB - 4096);
		segment.memory_size = 4096;
		accepted(&image, &nothing, 8 * GIB);
	}
}

/* What pc_boot_check() does not read may be nowhere. */
static struct pc_boot of_size(struct pc_file *file, size_t size)
{
	*file = (struct pc_file){.size = size, .name = "some.img"};
	return (struct pc_boot){"", file, 1};
}

static void large_files(void **state)
{
	static const enum image_format formats[] = {IMAGE_MULTIBOOT, IMAGE_BZIMAGE, IMAGE_VMLINUX, IMAGE_PVH};
	struct error error = {0};
	struct pc_file file;
	struct pc_boot boot;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct image image = make_image(formats[i]);

		boot = of_size(&file, 8 * MIB + 1);
		refused(&image, &boot, 26 * MIB, "this kernel needs with its --initrd at least 27 MiB of memory, and has "
						 "26 MiB; give it more with -m");
		assert_int_equal(pc_boot_check(&image, &boot, 27 * MIB, &error), 0);
		boot = of_size(&file, 3 * GIB - 17 * MIB);
		refused(&image, &boot, 8 * GIB,
			"--initrd: 3055 MiB do not fit between the kernel and 3 GiB; give less");
		boot = of_size(&file, SIZE_MAX);
		refused(&image, &boot, 8 * GIB,
			"--initrd: some.img is too large for a guest; all files must fit below 3 GiB");
	}
}

/* Two that together are more than there can be. */
static void sum_of_files(void **state)
{
	const struct pc_file files[] = {{NULL, 2 * GIB, "one", -1}, {NULL, GIB, "two", -1}};
	const struct pc_boot boot = {"", files, 2};
	const struct image image = make_image(IMAGE_MULTIBOOT);

	(void)state;
	refused(&image, &boot, 8 * GIB, "--initrd: two is too large for a guest; all files must fit below 3 GiB");
}

static void limited_initrd(void **state)
{
	struct image image = make_image(IMAGE_BZIMAGE);
	struct error error = {0};
	struct pc_file file;
	struct pc_boot boot = of_size(&file, 2 * MIB);

	(void)state;
	image.linux_kernel.initrd_max = 20 * MIB - 1;
	assert_int_equal(pc_boot_check(&image, &boot, 64 * MIB, &error), 0);
	image.linux_kernel.initrd_max = 20 * MIB - 2;
	refused(&image, &boot, 64 * MIB,
		"--initrd: 2 MiB do not fit between this kernel and 0x13ffffe, the highest address that it allows them; "
		"give less");
	image.linux_kernel.initrd_max = 0;
	refused(&image, &boot, 64 * MIB,
		"--initrd: 2 MiB do not fit between this kernel and 0x0, the highest address that it allows them; give less");
	assert_int_equal(pc_boot_check(&image, &nothing, 64 * MIB, &error), 0);
}

static void command_lines(void **state)
{
	static const struct {
		enum image_format format;
		uint32_t says;
		size_t limit;
	} rows[] = {
		{IMAGE_BZIMAGE, 2047, 2047},
		{IMAGE_BZIMAGE, 255, 255},
		{IMAGE_BZIMAGE, 0, 0},
		{IMAGE_BZIMAGE, UINT32_MAX, 4095},
		{IMAGE_VMLINUX, 2047, 2047},
		{IMAGE_MULTIBOOT, 0, 4095},
		{IMAGE_PVH, 0, 4095},
	};
	char line[4200], wanted[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pc_boot with = {.command_line = line};
		struct image image = make_image(rows[i].format);

		image.linux_kernel.command_line_max = rows[i].says;
		memset(line, 'x', sizeof(line));
		line[rows[i].limit] = '\0';
		boot_with(&image, &with, 64 * MIB);
		if (rows[i].format == IMAGE_MULTIBOOT)
			assert_string_equal(text(get32(start.rbx + 16)) + strlen("kernel "), line);
		guest_ram_destroy(&ram);
		line[rows[i].limit] = 'x';
		line[rows[i].limit + 1] = '\0';
		snprintf(wanted, sizeof(wanted),
			 "--append: %zu characters, and this kernel takes at most %zu; shorten them",
			 rows[i].limit + 1, rows[i].limit);
		refused(&image, &with, 64 * MIB, wanted);
	}
}

static void many_files(void **state)
{
	static char name[1024], longer[1025];
	struct pc_file files[PC_FILES_MAX + 1];
	struct pc_boot boot = {"", files, PC_FILES_MAX + 1};
	struct image image = make_image(IMAGE_MULTIBOOT);

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(longer, 'n', sizeof(longer) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = (struct pc_file){(const uint8_t *)"data", 4, name, -1};
	refused(&image, &boot, 64 * MIB, "--initrd: 17 files, and at most 16 can be given; join some");
	boot.file_count--;
	/* With names that fill their room. */
	boot_with(&image, &boot, 64 * MIB);
	for (size_t i = 0; i < PC_FILES_MAX; i++) {
		uint64_t at = get32(start.rbx + 24) + 16 * i;

		assert_memory_equal(text(get32(at)), "data", 4);
		assert_string_equal(text(get32(at + 8)), name);
	}
	assert_string_equal(text(get32(start.rbx + 64)), "sidestep");
	guest_ram_destroy(&ram);
	image.format = IMAGE_PVH;
	accepted(&image, &boot, 64 * MIB);
	files[0].name = longer;
	refused(&image, &boot, 64 * MIB,
		"--initrd: names of 16385 bytes in all, and there is room for 16384; give shorter paths");
	/* Linux is not told them. */
	image.format = IMAGE_VMLINUX;
	accepted(&image, &boot, 64 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_memory),
		cmocka_unit_test(large_files),
		cmocka_unit_test(sum_of_files),
		cmocka_unit_test(limited_initrd),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(many_files),
	};

	return cmocka_run_group_tests_name("limits of boot protocols", tests, NULL, NULL);
}
