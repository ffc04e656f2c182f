/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel finds, read back by the offsets that the specifications give. */
#include "tests/unit/pc/pc_boot_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void boot(enum image_format format, const struct pc_boot *boot, uint64_t memory)
{
	const struct image image = make_image(format);

	boot_with(&image, boot, memory);
}

static uint64_t get64(uint64_t gpa)
{
	return get(gpa, 8);
}

/* The guest owns everything outside [PC_BOOT_BASE, PC_BOOT_END) but the image and what is at `files` and above. */
static void nothing_else(uint64_t files)
{
	for (uint64_t at = 0; at < guest_ram_low(&ram); at += 8) {
		if (at == PC_BOOT_BASE)
			at = PC_BOOT_END;
		if (at == LOAD)
			at = LOAD + 4096;
		if (at >= files)
			break;
		if (*(const uint64_t *)(const void *)(ram.host + at) != 0)
			fail_msg("something at 0x%llx", (unsigned long long)at);
	}
}

static void image_loaded(void)
{
	assert_memory_equal(ram.host + LOAD, file_data + 4096, 4096);
	assert_int_equal(start.rip, LOAD + 0x200);
	assert_true(start.rsp > PC_BOOT_BASE && start.rsp < PC_BOOT_END && start.rsp % 16 == 0);
}

/* Intel SDM vol. 3A, 3.4.5, field by field. */
static void check_descriptor(unsigned selector, bool code, bool long_mode)
{
	uint64_t at = get64(start.gdt + selector);

	assert_true(selector + 7 <= start.gdt_limit);
	assert_int_equal((at & 0xffff) | (at >> 32 & 0xf0000), 0xfffff); /* limit */
	assert_int_equal((at >> 16 & 0xffffff) | (at >> 32 & 0xff000000), 0);
	assert_int_equal(at >> 40 & 0xf, code ? 0xb : 0x3);
	assert_int_equal(at >> 44 & 0xf, 9); /* present, DPL 0, code or data */
	assert_int_equal(at >> 53 & 1, code && long_mode);
	assert_int_equal(at >> 54 & 1, !(code && long_mode));
	assert_int_equal(at >> 55 & 1, 1);
}

static void check_descriptors(void)
{
	assert_int_equal(get64(start.gdt), 0);
	assert_true(start.gdt >= PC_BOOT_BASE && start.gdt + start.gdt_limit < PC_BOOT_END);
	check_descriptor(PC_SELECTOR_CODE, true, start.long_mode);
	check_descriptor(PC_SELECTOR_DATA, false, start.long_mode);
}

/* By a walk of four levels: where a linear address is, or UINT64_MAX. */
static uint64_t walk(uint64_t linear)
{
	uint64_t table = start.cr3;

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry = get64(table + 8 * (linear >> shift & 511));

		if ((entry & 3) != 3)
			return UINT64_MAX;
		table = entry & UINT64_C(0x000ffffffffff000);
		if (entry & 0x80)
			return table + (linear & ((UINT64_C(1) << shift) - 1));
	}
	return table + (linear & 0xfff);
}

struct range {
	uint64_t start, size;
	uint32_t type;
};

/* Of a guest with `memory` bytes. */
static void check_map(const struct range *ranges, size_t count, uint64_t memory)
{
	const struct range wanted[] = {
		{0, 0x9fc00, 1},
		{0x9fc00, 0x400, 2},
		{0xe0000, 0x20000, 2},
		{MIB, (memory < 3 * GIB ? memory : 3 * GIB) - MIB, 1},
		{4 * GIB, memory - 3 * GIB, 1},
	};

	assert_int_equal(count, memory > 3 * GIB ? 5 : 4);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ranges[i].start, wanted[i].start);
		assert_int_equal(ranges[i].size, wanted[i].size);
		assert_int_equal(ranges[i].type, wanted[i].type);
	}
}

static void multiboot_map(uint64_t memory)
{
	uint64_t info = start.rbx, at = get32(info + 48), end = at + get32(info + 44);
	struct range ranges[8];
	size_t count = 0;

	while (at < end) {
		assert_true(count < 8);
		ranges[count++] = (struct range){get64(at + 4), get64(at + 12), get32(at + 20)};
		at += get32(at) + 4;
	}
	assert_int_equal(at, end);
	check_map(ranges, count, memory);
}

static void multiboot(void **state)
{
	const struct pc_boot with = {.command_line = "a b=c"};

	(void)state;
	boot(IMAGE_MULTIBOOT, &with, 128 * MIB);
	image_loaded();
	check_descriptors();
	assert_false(start.long_mode);
	assert_int_equal(start.cr3, 0);
	assert_int_equal(start.rax, 0x2badb002);
	assert_int_equal(start.rsi, 0);
	assert_int_equal(get32(start.rbx), 0x24d);
	assert_int_equal(get32(start.rbx + 4), 639);
	assert_int_equal(get32(start.rbx + 8), 127 * 1024);
	assert_string_equal(text(get32(start.rbx + 16)), "kernel a b=c");
	assert_int_equal(get32(start.rbx + 20), 0);
	assert_string_equal(text(get32(start.rbx + 64)), "sidestep");
	multiboot_map(128 * MIB);
	nothing_else(UINT64_MAX);
	guest_ram_destroy(&ram);
	boot(IMAGE_MULTIBOOT, &nothing, 5 * GIB);
	assert_string_equal(text(get32(start.rbx + 16)), "kernel");
	assert_int_equal(get32(start.rbx + 8), 3 * 1024 * 1024 - 1024);
	multiboot_map(5 * GIB);
	guest_ram_destroy(&ram);
}

static uint8_t *filled(size_t size, uint8_t value)
{
	uint8_t *data = malloc(size ? size : 1);

	assert_non_null(data);
	memset(data, value, size);
	return data;
}

/* A small one, one that just fits into what is left below 640 KiB, one that would, an empty one, a large one. */
#define FILES 5
static const size_t file_sizes[FILES] = {10, 0xe000, 1, 0, MIB + 1};

static struct pc_file *make_files(void)
{
	static struct pc_file files[FILES];
	static const char *const names[FILES] = {"env", "dir/second", "third", "", "large"};

	for (size_t i = 0; i < FILES; i++)
		files[i] = (struct pc_file){filled(file_sizes[i], (uint8_t)(i + 1)), file_sizes[i], names[i], -1};
	return files;
}

static void free_files(struct pc_file *files)
{
	for (size_t i = 0; i < FILES; i++)
		free((uint8_t *)(uintptr_t)files[i].data);
}

struct module {
	uint64_t start, size, name;
};

/* Each is where it may be, whole, and over nothing else. */
static void check_modules(const struct module *modules, const struct pc_file *files, uint64_t memory)
{
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *data = guest_ram_at(&ram, gpa_at(modules[i].start), modules[i].size);
		uint64_t end = modules[i].start + modules[i].size;

		assert_int_equal(modules[i].size, files[i].size);
		assert_int_equal(modules[i].start % 4096, 0);
		assert_non_null(data);
		assert_memory_equal(data, files[i].data, files[i].size);
		assert_string_equal(text(modules[i].name), files[i].name);
		if (modules[i].start < MIB)
			assert_true(modules[i].start > PC_BOOT_BASE && end <= PC_BOOT_END);
		else
			assert_true(modules[i].start >= LOAD + 2 * MIB && end <= memory);
		for (size_t j = 0; j < i; j++)
			assert_true(end <= modules[j].start || modules[i].start >= modules[j].start + modules[j].size);
	}
	assert_true(modules[0].start < MIB);
	assert_true(modules[1].start < MIB);
	assert_int_equal(modules[2].start, memory - 4096);
	assert_int_equal(modules[4].start, memory - 4096 - MIB - 4096);
	nothing_else(modules[4].start);
}

static void multiboot_modules(void **state)
{
	struct pc_file *files = make_files();
	const struct pc_boot with = {"", files, FILES};
	struct module modules[FILES];
	uint64_t list;

	(void)state;
	boot(IMAGE_MULTIBOOT, &with, 64 * MIB);
	assert_int_equal(get32(start.rbx + 20), FILES);
	list = get32(start.rbx + 24);
	for (size_t i = 0; i < FILES; i++) {
		uint64_t at = list + 16 * i;

		modules[i] = (struct module){get32(at), get32(at + 4) - get32(at), get32(at + 8)};
		assert_int_equal(get32(at + 12), 0);
	}
	check_modules(modules, files, 64 * MIB);
	/* What was there before them is there still. */
	assert_string_equal(text(get32(start.rbx + 64)), "sidestep");
	multiboot_map(64 * MIB);
	check_descriptors();
	image_loaded();
	guest_ram_destroy(&ram);
	free_files(files);
}

static void pvh_map(uint64_t memory)
{
	uint64_t at = get64(start.rbx + 40);
	struct range ranges[8];
	size_t count = get32(start.rbx + 48);

	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++, at += 24) {
		ranges[i] = (struct range){get64(at), get64(at + 8), get32(at + 16)};
		assert_int_equal(get32(at + 20), 0);
	}
	check_map(ranges, count, memory);
}

static void pvh(void **state)
{
	const struct pc_boot with = {.command_line = "root=/dev/null"};

	(void)state;
	boot(IMAGE_PVH, &with, 128 * MIB);
	image_loaded();
	check_descriptors();
	assert_false(start.long_mode);
	assert_int_equal(start.rax, 0);
	assert_int_equal(get32(start.rbx), 0x336ec578);
	assert_int_equal(get32(start.rbx + 4), 1);
	assert_int_equal(get32(start.rbx + 8), 0);
	assert_int_equal(get32(start.rbx + 12), 0);
	assert_int_equal(get64(start.rbx + 16), 0);
	assert_string_equal(text(get64(start.rbx + 24)), "root=/dev/null");
	assert_int_equal(get64(start.rbx + 32), RSDP);
	pvh_map(128 * MIB);
	nothing_else(UINT64_MAX);
	guest_ram_destroy(&ram);
	boot(IMAGE_PVH, &nothing, 5 * GIB);
	assert_string_equal(text(get64(start.rbx + 24)), "");
	pvh_map(5 * GIB);
	guest_ram_destroy(&ram);
}

static void pvh_modules(void **state)
{
	struct pc_file *files = make_files();
	const struct pc_boot with = {"", files, FILES};
	struct module modules[FILES];

	(void)state;
	boot(IMAGE_PVH, &with, 64 * MIB);
	assert_int_equal(get32(start.rbx + 12), FILES);
	for (size_t i = 0; i < FILES; i++) {
		uint64_t at = get64(start.rbx + 16) + 32 * i;

		modules[i] = (struct module){get64(at), get64(at + 8), get64(at + 16)};
		assert_int_equal(get64(at + 24), 0);
	}
	check_modules(modules, files, 64 * MIB);
	pvh_map(64 * MIB);
	guest_ram_destroy(&ram);
	free_files(files);
}

/* Linux, Documentation/arch/x86/zero-page.rst. */
static void linux_map(uint64_t memory)
{
	struct range ranges[8];
	size_t count = get(start.rsi + 0x1e8, 1);

	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++) {
		uint64_t at = start.rsi + 0x2d0 + 20 * i;

		ranges[i] = (struct range){get64(at), get64(at + 8), get32(at + 16)};
	}
	check_map(ranges, count, memory);
}

static void check_linux(const char *command_line, uint64_t memory)
{
	image_loaded();
	check_descriptors();
	assert_true(start.long_mode);
	assert_int_equal(start.rax, 0);
	assert_int_equal(start.rbx, 0);
	assert_int_equal(start.rsi % 4096, 0);
	for (uint64_t at = 0; at < 4 * GIB; at += 64 * MIB + 12345)
		assert_int_equal(walk(at), at);
	assert_int_equal(walk(4 * GIB - 1), 4 * GIB - 1);
	assert_int_equal(walk(4 * GIB), UINT64_MAX);
	assert_int_equal(get(start.rsi + 0x210, 1), 0xff);
	assert_int_equal(get(start.rsi + 0x211, 1) & 1, 1);
	assert_int_equal(get(start.rsi + 0x1ef, 1), 0); /* the sentinel */
	assert_int_equal(get32(start.rsi + 0x214), LOAD);
	assert_string_equal(text(get32(start.rsi + 0x228)), command_line);
	assert_int_equal(get64(start.rsi + 0x250), 0); /* setup_data */
	assert_int_equal(get64(start.rsi + 0x70), RSDP);
	for (uint64_t at = 0xc0; at <= 0xc8; at += 4)
		assert_int_equal(get32(start.rsi + at), 0);
	linux_map(memory);
}

static void bzimage(void **state)
{
	const struct pc_boot with = {.command_line = "quiet pci=off"};
	const struct image image = make_image(IMAGE_BZIMAGE);

	(void)state;
	boot_with(&image, &with, 128 * MIB);
	check_linux("quiet pci=off", 128 * MIB);
	/* The rest of the header is the file's, and what is around it is not. */
	assert_int_equal(get(start.rsi + 0x1f0, 1), 0);
	assert_memory_equal(ram.host + start.rsi + 0x1f1, file_data + 0x1f1, 0x210 - 0x1f1);
	assert_memory_equal(ram.host + start.rsi + 0x22c, file_data + 0x22c, 0x250 - 0x22c);
	assert_memory_equal(ram.host + start.rsi + 0x258, file_data + 0x258, 0x26c - 0x258);
	assert_int_equal(get(start.rsi + 0x26c, 1), 0);
	assert_int_equal(get32(start.rsi + 0x218), 0);
	assert_int_equal(get32(start.rsi + 0x21c), 0);
	nothing_else(UINT64_MAX);
	guest_ram_destroy(&ram);
	boot_with(&image, &nothing, 5 * GIB);
	check_linux("", 5 * GIB);
	guest_ram_destroy(&ram);
}

static void vmlinux(void **state)
{
	(void)state;
	boot(IMAGE_VMLINUX, &nothing, 128 * MIB);
	check_linux("", 128 * MIB);
	assert_int_equal(get(start.rsi + 0x1fe, 2), 0xaa55);
	assert_int_equal(get32(start.rsi + 0x202), 0x53726448);
	assert_true(get(start.rsi + 0x206, 2) >= 0x20c);
	nothing_else(UINT64_MAX);
	guest_ram_destroy(&ram);
}

/* Files follow one another, each at a multiple of 4 bytes. */
static void initrd(void **state)
{
	struct pc_file *files = make_files();
	const struct pc_boot with = {"", files, FILES};
	struct image image = make_image(IMAGE_BZIMAGE);

	(void)state;
	for (unsigned limited = 0; limited <= 1; limited++) {
		uint64_t top = limited ? 48 * MIB : 64 * MIB, size = 0, at, end;

		if (limited)
			image.linux_kernel.initrd_max = 48 * MIB + 4094;
		boot_with(&image, &with, 64 * MIB);
		at = get32(start.rsi + 0x218);
		end = at + get32(start.rsi + 0x21c);
		assert_int_equal(at % 4096, 0);
		assert_true(end <= top && top - end < 4096);
		for (size_t i = 0; i < FILES; i++) {
			size = (size + 3) / 4 * 4;
			assert_memory_equal(ram.host + at + size, files[i].data, files[i].size);
			size += files[i].size;
		}
		assert_int_equal(end - at, size);
		check_linux("", 64 * MIB);
		nothing_else(at);
		guest_ram_destroy(&ram);
	}
	free_files(files);
}

/* What is not in memory is read where it belongs, unless it has become shorter. */
static void initrd_from_file(void **state)
{
	const struct image image = make_image(IMAGE_VMLINUX);
	struct pc_file files[2] = {{(const uint8_t *)"first", 5, "one", -1}, {NULL, 6, "two", -1}};
	const struct pc_boot with = {"", files, 2};
	struct error error = {0};

	(void)state;
	files[1].fd = memfd_create("two", MFD_CLOEXEC);
	assert_int_equal(write(files[1].fd, "second", 6), 6);
	boot(IMAGE_VMLINUX, &with, 64 * MIB);
	assert_int_equal(get32(start.rsi + 0x21c), 14);
	assert_memory_equal(ram.host + get32(start.rsi + 0x218), "first\0\0\0second", 14);
	guest_ram_destroy(&ram);
	assert_int_equal(ftruncate(files[1].fd, 5), 0);
	assert_int_equal(guest_ram_create(&ram, 64 * MIB), 0);
	assert_int_equal(pc_boot_write(&ram, &image, &with, RSDP, &start, &error), -EIO);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_string_equal(error.text, "two: cannot be read: Input/output error");
	guest_ram_destroy(&ram);
	close(files[1].fd);
}

/* An empty one is none. */
static void empty_initrd(void **state)
{
	const struct pc_file file = {(const uint8_t *)"", 0, "empty", -1};
	const struct pc_boot with = {"", &file, 1};

	(void)state;
	boot(IMAGE_VMLINUX, &with, 64 * MIB);
	assert_int_equal(get32(start.rsi + 0x218), 0);
	assert_int_equal(get32(start.rsi + 0x21c), 0);
	guest_ram_destroy(&ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiboot),
		cmocka_unit_test(multiboot_modules),
		cmocka_unit_test(pvh),
		cmocka_unit_test(pvh_modules),
		cmocka_unit_test(bzimage),
		cmocka_unit_test(vmlinux),
		cmocka_unit_test(initrd),
		cmocka_unit_test(initrd_from_file),
		cmocka_unit_test(empty_initrd),
	};

	return cmocka_run_group_tests_name("boot protocols", tests, NULL, NULL);
}
