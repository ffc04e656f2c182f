/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels that others wrote, but for what is particular to Multiboot: which contents make a file one, what is loaded, and
 * which are refused. */
#include "kernel_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments may be below those of sidestep's guests, but not over what the platform has there. */
static void kept(void **state)
{
	static const struct {
		uint64_t address, size;
		const char *line;
	} rows[] = {
		{0x8000, 0x2000, NULL},
		{0x8000, 0x78000, NULL},
		{0x8000, 0x78001,
		 "kernel: a segment at 0x8000 of 0x78001 bytes touches 0x80000 to 0xfffff, which is the platform's; "
		 "link it elsewhere"},
		{0x9f000, 0x1000,
		 "kernel: a segment at 0x9f000 of 0x1000 bytes touches 0x80000 to 0xfffff, which is the platform's; "
		 "link it elsewhere"},
		{0xfffff, 0x1000,
		 "kernel: a segment at 0xfffff of 0x1000 bytes touches 0x80000 to 0xfffff, which is the platform's; "
		 "link it elsewhere"},
		{0x100000, 0x1000, NULL},
		{0, 0x1000, NULL},
		{0xbfffff00, 0x100, NULL},
		{0xbfffff00, 0x101,
		 "kernel: a segment at 0xbfffff00 of 0x101 bytes reaches above 0xc0000000, where devices are; "
		 "link it lower"},
	};
	static struct elf_file file;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		multiboot_elf(&file, true, 0);
		file.segments[0].p_vaddr = file.segments[0].p_paddr = file.header.e_entry = rows[i].address;
		file.segments[0].p_memsz = rows[i].size;
		if (rows[i].line) {
			refused_elf(&file, rows[i].line);
			continue;
		}
		accepted_elf(&file, IMAGE_MULTIBOOT);
		assert_int_equal(image_check_fit(&image, RAM_HOLE_BASE, NULL), 0);
		done();
	}
	multiboot_elf(&file, true, 0);
	file.segments[1] = file.segments[0];
	file.segment_count = 2;
	refused_elf(&file, "kernel: segments at 0x100000 and 0x100000 overlap; link it elsewhere");
}

/* The header of a Linux kernel of protocol 2.15, with two sectors of setup and 0x400 bytes of code. */
#define LINUX_SETUP 0x600
#define LINUX_CODE 0x400
#define LINUX_SIZE (LINUX_SETUP + LINUX_CODE)

static void make_linux(uint8_t *raw)
{
	memset(raw, 0, LINUX_SIZE);
	raw[0x1f1] = 2;
	put32(raw + 0x1f4, LINUX_CODE / 16);
	memcpy(raw + 0x1fe, "\x55\xaa\xeb\x6a" "HdrS\x0f\x02", 10);
	put32(raw + 0x22c, 0x7fffffff);
	raw[0x236] = 1;
	put32(raw + 0x238, 2047);
	put32(raw + 0x258, 0x1000000);
	put32(raw + 0x260, 0x100000);
}

static void bzimage(void **state)
{
	uint8_t raw[LINUX_SIZE + 100] = {0};

	(void)state;
	make_linux(raw);
	/* What follows is a signature or nothing. */
	for (size_t more = 0; more <= 100; more += 50) {
		accepted(raw, LINUX_SIZE + more, IMAGE_BZIMAGE);
		assert_int_equal(image.segment_count, 1);
		assert_int_equal(image.segments[0].gpa.v, 0x1000000);
		assert_int_equal(image.segments[0].address, 0x1000000);
		assert_int_equal(image.segments[0].file_offset, LINUX_SETUP);
		assert_int_equal(image.segments[0].file_size, LINUX_CODE);
		assert_int_equal(image.segments[0].memory_size, 0x100000);
		assert_int_equal(image.entry, 0x1000200);
		assert_int_equal(image.linux_kernel.header_size, 0x202 + 0x6a - 0x1f1);
		assert_int_equal(image.linux_kernel.initrd_max, 0x7fffffff);
		assert_int_equal(image.linux_kernel.command_line_max, 2047);
		assert_int_equal(image.symbol_count, 0);
		done();
	}
	/* No preference, and less than the code takes. */
	put32(raw + 0x258, 0);
	put32(raw + 0x260, 16);
	accepted(raw, LINUX_SIZE, IMAGE_BZIMAGE);
	assert_int_equal(image.segments[0].gpa.v, 0x100000);
	assert_int_equal(image.segments[0].memory_size, LINUX_CODE);
	done();
	/* A header as long as its byte can say is cut to the room of boot_params. */
	make_linux(raw);
	raw[0x201] = 0xff;
	accepted(raw, LINUX_SIZE, IMAGE_BZIMAGE);
	assert_int_equal(image.linux_kernel.header_size, 0x290 - 0x1f1);
	done();
}

static void bzimage_old_sectors(void **state)
{
	uint8_t raw[5 * 512 + LINUX_CODE] = {0};

	(void)state;
	make_linux(raw);
	raw[0x1f1] = 0;
	accepted(raw, sizeof(raw), IMAGE_BZIMAGE);
	assert_int_equal(image.segments[0].file_offset, 5 * 512);
	done();
	refused(raw, sizeof(raw) - 1,
		"kernel: truncated: less of a Linux kernel than its header says; copy or build it again");
}

static void bad_bzimage(void **state)
{
	static const char truncated[] =
		"kernel: truncated: less of a Linux kernel than its header says; copy or build it again";
	uint8_t raw[LINUX_SIZE];

	(void)state;
	make_linux(raw);
	refused(raw, LINUX_SIZE - 1, truncated);
	refused(raw, LINUX_SETUP - 1, truncated);
	refused(raw, 0x263, "kernel: truncated: the header of a Linux kernel is not all there; copy or build it again");
	refused(raw, 0x206, "kernel: truncated: the header of a Linux kernel is not all there; copy or build it again");
	accepted(raw, 0x205, IMAGE_FLAT);
	done();
#define BAD(change, line)                                                                          \
	do {                                                                                       \
		make_linux(raw);                                                                   \
		change;                                                                            \
		refused(raw, sizeof(raw), line);                                                   \
	} while (0)
	BAD(put32(raw + 0x1f4, UINT32_MAX), truncated);
	BAD(raw[0x1f1] = 0xff, truncated);
	BAD(put32(raw + 0x1f4, 0x200 / 16), "kernel: damaged: a Linux kernel with nothing to enter; copy or build it again");
	BAD(raw[0x206] = 11, "kernel: a Linux kernel with boot protocol 2.11, and 2.12 is the oldest that is known; "
			     "give Linux 3.8 or later");
	BAD(raw[0x236] = 0xfe, "kernel: a Linux kernel without a 64-bit entry point; "
			       "give one for x86-64, built with CONFIG_64BIT");
	BAD(raw[0x201] = 0x61, "kernel: damaged: the header of a Linux kernel is too short for its version; "
			       "copy or build it again");
	BAD(memset(raw + 0x258, 0xff, 8), "kernel: a segment at 0xffffffffffffffff of 0x100000 bytes is outside any "
					  "guest memory; link it elsewhere");
	BAD(put32(raw + 0x258, 0x90000), "kernel: a segment at 0x90000 of 0x100000 bytes touches 0x80000 to 0xfffff, "
					 "which is the platform's; link it elsewhere");
#undef BAD
	make_linux(raw);
	raw[0x1fe] = 0;
	accepted(raw, sizeof(raw), IMAGE_FLAT);
	done();
}

static void noted(struct elf_file *file, bool segment)
{
	elf_valid(file);
	if (segment) {
		file->segments[1].p_type = PT_NOTE;
		file->segment_count = 2;
	}
}

/* In a section instead of a segment. */
static void note_section(struct elf_file *file)
{
	elf_write(file);
	file->sections[ELF_SECTION_OPERATIONS].sh_type = SHT_NOTE;
	file->sections[ELF_SECTION_OPERATIONS].sh_offset = file->notes_at;
	file->sections[ELF_SECTION_OPERATIONS].sh_size = file->notes_size;
	file->sections[ELF_SECTION_OPERATIONS].sh_addralign = 4;
	elf_rewrite_headers(file);
}

#define XEN_ENTRY 18

static void vmlinux(void **state)
{
	static const uint64_t entry = SS_IMAGE_GPA + 0x30;
	static struct elf_file file;

	(void)state;
	/* The other notes of a kernel before it, the PVH entry too. */
	noted(&file, true);
	elf_add_note(&file, "Xen", 6, "linux", 6);
	elf_add_note(&file, "Xen", XEN_ENTRY, &entry, sizeof(entry));
	elf_add_note(&file, "GNU", 3, "0123456789", 10);
	elf_add_note(&file, "Linux", 0x100, "\0\0\0", 4);
	file.segments[0].p_vaddr = 0xffffffff81000000;
	file.symbols[1].st_value = 0xffffffff81000000;
	accepted_elf(&file, IMAGE_VMLINUX);
	assert_int_equal(image.entry, SS_IMAGE_GPA);
	assert_int_equal(image.segments[0].gpa.v, SS_IMAGE_GPA);
	assert_int_equal(image.segments[0].address, 0xffffffff81000000);
	assert_int_equal(image.linux_kernel.header_size, 0);
	assert_int_equal(image.linux_kernel.initrd_max, 0x7fffffff);
	assert_int_equal(image.linux_kernel.command_line_max, 2047);
	assert_string_equal(image_symbol_at(&image, 0xffffffff81000007)->name, "_start");
	assert_int_equal(image.operation_count, 0);
	done();
	noted(&file, false);
	elf_add_note(&file, "Linux", 0x100, "\0\0\0", 4);
	note_section(&file);
	accepted(file.data, file.size, IMAGE_VMLINUX);
	done();
}

static void pvh(void **state)
{
	static const uint64_t entry = SS_IMAGE_GPA + 0x30, outside = SS_IMAGE_GPA + 0x1000;
	static const uint64_t high = SS_IMAGE_GPA + (UINT64_C(1) << 32);
	static struct elf_file file;

	(void)state;
	for (uint32_t size = 4; size <= 8; size += 4) {
		noted(&file, true);
		elf_add_note(&file, "Xen", XEN_ENTRY, &entry, size);
		accepted_elf(&file, IMAGE_PVH);
		assert_int_equal(image.entry, entry);
		done();
	}
	noted(&file, false);
	elf_add_note(&file, "GNU", 1, "", 0);
	elf_add_note(&file, "Xen", XEN_ENTRY, &entry, 4);
	note_section(&file);
	accepted(file.data, file.size, IMAGE_PVH);
	assert_int_equal(image.entry, entry);
	done();
	noted(&file, true);
	elf_add_note(&file, "Xen", XEN_ENTRY, &outside, 8);
	refused_elf(&file, "kernel: its entry point is in no loaded segment; link it again");
	noted(&file, true);
	elf_add_note(&file, "Xen", XEN_ENTRY, &high, 8);
	refused_elf(&file, "kernel: its entry point is in no loaded segment; link it again");
}

/* Notes that say nothing of a kernel, or are not all there. */
static void other_notes(void **state)
{
	static struct elf_file file;
	static const uint64_t entry = SS_IMAGE_GPA;

	(void)state;
#define OTHER(change)                                                                              \
	do {                                                                                       \
		noted(&file, true);                                                                \
		change;                                                                            \
		accepted_elf(&file, IMAGE_ELF64);                                                  \
		assert_int_equal(image.operation_count, 2);                                        \
		done();                                                                            \
	} while (0)
	OTHER(elf_add_note(&file, "Xen", XEN_ENTRY + 1, &entry, 8));
	OTHER(elf_add_note(&file, "Xen", XEN_ENTRY, &entry, 3));
	OTHER(elf_add_note(&file, "XenX", XEN_ENTRY, &entry, 8));
	OTHER(elf_add_note(&file, "linux", 1, "", 0));
	OTHER(elf_add_note(&file, "Linu", 1, "", 0));
	/* Sizes beyond the notes end the walk. */
	OTHER(elf_add_note(&file, "GNU", 1, "", 0); put32(file.notes, UINT32_MAX); elf_add_note(&file, "Linux", 1, "", 0));
	OTHER(elf_add_note(&file, "GNU", 1, "", 0); put32(file.notes + 4, UINT32_MAX);
	      elf_add_note(&file, "Linux", 1, "", 0));
	OTHER(elf_add_note(&file, "Linux", 1, "data", 4); file.notes_size -= 4);
#undef OTHER
	/* As does a name that is not all in them, and headers beyond the file. */
	noted(&file, true);
	elf_add_note(&file, "Linux", 1, "", 0);
	elf_write(&file);
	file.segments[1].p_filesz = 12 + 4;
	elf_rewrite_headers(&file);
	accepted(file.data, file.size, IMAGE_ELF64);
	done();
	file.segments[1].p_filesz = UINT64_MAX;
	elf_rewrite_headers(&file);
	accepted(file.data, file.size, IMAGE_ELF64);
	done();
	file.segments[1].p_offset = UINT64_MAX;
	elf_rewrite_headers(&file);
	accepted(file.data, file.size, IMAGE_ELF64);
	done();
}

/* In a segment that is aligned to 8 bytes, so are the parts of a note. */
static void aligned_notes(void **state)
{
	static struct elf_file file;

	(void)state;
	noted(&file, true);
	elf_add_note(&file, "GNU", 5, "data", 4);
	file.notes_size += 4;
	elf_add_note(&file, "Linux", 1, "", 0);
	file.notes_size += 4;
	file.segments[1].p_align = 4;
	accepted_elf(&file, IMAGE_ELF64);
	done();
	file.segments[1].p_align = 8;
	accepted_elf(&file, IMAGE_VMLINUX);
	done();
}

#define MANY_NOTES 4096 /* as many as are looked at */

static bool found_behind(size_t count)
{
	const size_t size = 12 * count + 20;
	struct elf_file file;
	enum image_format format;
	struct error error;
	uint8_t *data;

	noted(&file, true);
	elf_write(&file);
	data = calloc(1, file.size + size);
	assert_non_null(data);
	file.segments[1].p_offset = (file.size + 3) & ~(size_t)3;
	file.segments[1].p_filesz = size;
	elf_rewrite_headers(&file);
	memcpy(data, file.data, file.size);
	file.notes_size = 0;
	elf_add_note(&file, "Linux", 1, "", 0);
	memcpy(data + file.segments[1].p_offset + 12 * count, file.notes, file.notes_size);
	assert_int_equal(parse(data, file.size + size, &error), 0);
	format = image.format;
	done();
	free(data);
	return format == IMAGE_VMLINUX;
}

/* However many notes a file has, looking for the right one takes a moment. */
static void many_notes(void **state)
{
	(void)state;
	assert_true(found_behind(MANY_NOTES - 1));
	assert_false(found_behind(MANY_NOTES));
}

/* Every byte at a few values: no crash, no leak, and what is accepted can be loaded. */
static void spoil(const uint8_t *data, size_t size)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct error error;
	uint8_t *spoilt = malloc(size);

	assert_non_null(spoilt);
	memcpy(spoilt, data, size);
	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			spoilt[at] = values[i];
			if (parse(spoilt, size, &error) != 0)
				assert_string_not_equal(error.text, "");
			else
				assert_non_null(image_segment_at(&image, image.entry));
			done();
		}
		spoilt[at] = data[at];
	}
	for (size_t cut = 1; cut < size; cut++) {
		if (parse(spoilt, cut, &error) != 0)
			assert_string_not_equal(error.text, "");
		done();
	}
	free(spoilt);
}

static void spoilt_files(void **state)
{
	static const uint64_t entry = SS_IMAGE_GPA;
	static struct elf_file file;
	uint8_t raw[LINUX_SIZE];

	(void)state;
	multiboot_elf(&file, true, 0);
	elf_write(&file);
	spoil(file.data, file.size);
	noted(&file, true);
	elf_add_note(&file, "Xen", XEN_ENTRY, &entry, 8);
	elf_write(&file);
	spoil(file.data, file.size);
	make_linux(raw);
	spoil(raw, sizeof(raw));
	memset(raw, 0, sizeof(raw));
	put_addresses(raw, ADDRESSES, &(struct addresses){0x200040, 0x200000, 0x200100, 0x300000, 0x200000});
	spoil(raw, RAW_SIZE);
}

/* Program headers of 32 bits may be the last of the file. */
static void narrow_headers(void **state)
{
	static struct elf_file file;
	Elf32_Ehdr *header = (void *)file.data;

	(void)state;
	multiboot_elf(&file, true, 0);
	elf_write(&file);
	memcpy(file.data + file.size, file.data + header->e_phoff, sizeof(Elf32_Phdr));
	header->e_phoff = (Elf32_Off)file.size;
	accepted(file.data, file.size + sizeof(Elf32_Phdr), IMAGE_MULTIBOOT);
	assert_int_equal(image.segments[0].gpa.v, SS_IMAGE_GPA);
	done();
	refused(file.data, file.size + sizeof(Elf32_Phdr) - 1,
		"kernel: truncated program headers; copy or build it again");
}

/* Of 32-bit files the same limits hold as of others. */
static void narrow_limits(void **state)
{
	static struct elf_file file;
	Elf32_Ehdr *header = (void *)file.data;
	Elf32_Shdr *first;

	(void)state;
	multiboot_elf(&file, true, 0);
	elf_write(&file);
	first = (void *)(file.data + file.header.e_shoff);
	header->e_shnum = IMAGE_SECTIONS_MAX + 1;
	refused(file.data, file.size, "kernel: 4097 sections, and the limit is 4096; link with guest.ld");
	header->e_shnum = 0;
	first->sh_size = UINT32_MAX;
	refused(file.data, file.size, "kernel: 4294967295 sections, and the limit is 4096; link with guest.ld");
	header->e_phnum = 200;
	refused(file.data, file.size, "kernel: truncated program headers; copy or build it again");
	refused(file.data, sizeof(*header) - 1, "kernel: truncated ELF header; copy or build it again");
}

static void keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < IMAGE_FORMAT_COUNT; i++) {
		assert_non_null(image_format_keys[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(image_format_keys[i], image_format_keys[j]);
	}
	assert_string_equal(image_format_keys[IMAGE_BZIMAGE], "bzimage");
}

/* Of a file only the header is kept; the code is read where it belongs, unless the file has become shorter. */
static void bzimage_in_place(void **state)
{
	static uint8_t raw[8 * LINUX_SIZE];
	const uint32_t code = sizeof(raw) - LINUX_SETUP;
	struct error error = {0};
	struct guest_ram ram;
	char path[32];
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	(void)state;
	make_linux(raw);
	put32(raw + 0x1f4, code / 16);
	for (size_t i = LINUX_SETUP; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 2654435761u >> 13);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(write(fd, raw, sizeof(raw)), sizeof(raw));
	if (image_open(&image, path, &error) != 0)
		fail_msg("refused: '%s'", error.text);
	assert_int_equal(image.format, IMAGE_BZIMAGE);
	assert_int_equal(image.size, sizeof(raw));
	assert_in_range(image.held, 0x202 + raw[0x201], sizeof(raw) - 1);
	assert_memory_equal(image.data, raw, image.held);
	assert_int_equal(guest_ram_create(&ram, 32 << 20), 0);
	assert_int_equal(image_load(&image, &ram, &error), 0);
	assert_memory_equal(ram.host + 0x1000000, raw + LINUX_SETUP, code);
	assert_int_equal(ftruncate(fd, sizeof(raw) - 1), 0);
	assert_int_equal(image_load(&image, &ram, &error), -EIO);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_ptr_equal(strstr(error.text, path), error.text);
	assert_non_null(strstr(error.text, ": cannot be read: Input/output error"));
	guest_ram_destroy(&ram);
	image_close(&image);
	/* What is less than its header says is refused as it is in memory. */
	error = (struct error){0};
	assert_int_equal(image_open(&image, path, &error), -ENOEXEC);
	assert_non_null(strstr(error.text, "truncated: less of a Linux kernel than its header says"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(bzimage),
		cmocka_unit_test(bzimage_in_place),
		cmocka_unit_test(bzimage_old_sectors),
		cmocka_unit_test(bad_bzimage),
		cmocka_unit_test(vmlinux),
		cmocka_unit_test(pvh),
		cmocka_unit_test(other_notes),
		cmocka_unit_test(aligned_notes),
		cmocka_unit_test(many_notes),
		cmocka_unit_test(spoilt_files),
		cmocka_unit_test(narrow_headers),
		cmocka_unit_test(narrow_limits),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests_name("image kernels", tests, NULL, NULL);
}
