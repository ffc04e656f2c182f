/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels with a Multiboot 1 header: where it is looked for, what is loaded, and what it may not ask for. */
#include "kernel_fixture.h"

#include <string.h>

/* As kvm-unit-tests are: ELF32, EM_386, no address fields. */
static void multiboot_narrow(void **state)
{
	static struct elf_file file;
	const struct image_symbol *symbol;

	(void)state;
	multiboot_elf(&file, true, 0);
	accepted_elf(&file, IMAGE_MULTIBOOT);
	assert_int_equal(image.entry, SS_IMAGE_GPA);
	assert_int_equal(image.segment_count, 1);
	assert_int_equal(image.segments[0].gpa.v, SS_IMAGE_GPA);
	assert_int_equal(image.segments[0].memory_size, 4096);
	assert_int_equal(image.segments[0].file_size, ELF_CODE_SIZE);
	assert_int_equal(image.segments[0].file_offset, file.segments[0].p_offset);
	assert_false(image.segments[0].writable);
	assert_int_equal(image.symbol_count, 2);
	symbol = image_symbol_at(&image, SS_IMAGE_GPA + 7);
	assert_non_null(symbol);
	assert_string_equal(symbol->name, "_start");
	assert_int_equal(symbol->size, 8);
	assert_null(image_symbol_at(&image, SS_IMAGE_GPA + 8));
	assert_int_equal(image.section_count, ELF_SECTIONS - 1);
	/* A catalogue is for those that run on sidestep's own platform. */
	assert_int_equal(image.operation_count, 0);
	done();
}

static void multiboot_wide(void **state)
{
	static struct elf_file file;

	(void)state;
	for (uint32_t flags = 0; flags <= 3; flags++) {
		multiboot_elf(&file, false, flags);
		accepted_elf(&file, IMAGE_MULTIBOOT);
		assert_int_equal(image.entry, SS_IMAGE_GPA);
		assert_int_equal(image.operation_count, 0);
		done();
	}
}

/* An entry point in the guest's addresses is entered where it is loaded; and symbols are in the guest's. */
static void multiboot_entry(void **state)
{
	static struct elf_file file;

	(void)state;
	multiboot_elf(&file, true, 0);
	file.segments[0].p_vaddr = 0xc0100000;
	file.header.e_entry = 0xc0100010;
	file.symbols[1].st_value = 0xc0100010;
	accepted_elf(&file, IMAGE_MULTIBOOT);
	assert_int_equal(image.entry, SS_IMAGE_GPA + 0x10);
	assert_non_null(image_symbol_at(&image, 0xc0100010));
	assert_null(image_symbol_at(&image, SS_IMAGE_GPA + 0x10));
	done();
	file.header.e_entry = SS_IMAGE_GPA + 0x20;
	accepted_elf(&file, IMAGE_MULTIBOOT);
	assert_int_equal(image.entry, SS_IMAGE_GPA + 0x20);
	done();
	file.header.e_entry = 0xc0100000 - 1;
	refused_elf(&file, "kernel: its entry point is in no loaded segment; link it again");
}

static void no_multiboot(void **state)
{
	static const char refusal[] = "kernel: not an x86-64 image; give a 64-bit ELF file or a flat binary for x86-64, "
				      "a Linux kernel for it, or a kernel with a Multiboot 1 header";
	static struct elf_file file;

	(void)state;
	elf_valid(&file);
	elf_make_narrow(&file);
	refused_elf(&file, refusal);
	for (size_t i = 0; i < 12; i++) {
		multiboot_elf(&file, true, 0);
		file.code[i] ^= 1;
		refused_elf(&file, refusal);
	}
	multiboot_elf(&file, true, 0);
	file.header.e_machine = EM_ARM;
	refused_elf(&file, refusal);
	/* Nor by a header that is not a multiple of 4 bytes from the start. */
	elf_valid(&file);
	elf_make_narrow(&file);
	put_multiboot(file.code + 2, 0);
	refused_elf(&file, refusal);
	multiboot_elf(&file, true, 0);
	file.header.e_type = ET_DYN;
	refused_elf(&file, "kernel: not a static executable; link it with -static -no-pie and guest.ld");
}

static void multiboot_demands(void **state)
{
	static struct elf_file file;

	(void)state;
	multiboot_elf(&file, true, 4 | 3);
	refused_elf(&file, "kernel: its Multiboot header asks for a video mode, and there is no screen; "
			   "build it without that flag");
	multiboot_elf(&file, true, 0x8008 | 1);
	refused_elf(&file, "kernel: its Multiboot header requires what flags 0x8008 mean, and only 0x3 are known; "
			   "build it without them");
	/* What is not required may be passed over. */
	multiboot_elf(&file, true, UINT32_C(0xfffe0000));
	accepted_elf(&file, IMAGE_MULTIBOOT);
	done();
}

static void multiboot_addresses(void **state)
{
	static const struct {
		struct addresses addresses;
		uint64_t offset, file_size, memory_size;
	} rows[] = {
		{{0x200040, 0x200000, 0, 0, 0x200000}, 0, RAW_SIZE, RAW_SIZE},
		{{0x200040, 0x200040, 0, 0, 0x200040}, 0x40, RAW_SIZE - 0x40, RAW_SIZE - 0x40},
		{{0x200020, 0x200000, 0x200100, 0, 0x2000ff}, 0x20, 0x100, 0x100},
		{{0x200040, 0x200000, 0x200100, 0x300000, 0x2fffff}, 0, 0x100, 0x100000},
		{{0x8040, 0x8000, 0, 0x80000, 0x8000}, 0, RAW_SIZE, 0x78000},
		{{0x40, 0, 0x40, 0x40, 0}, 0, 0x40, 0x40},
	};
	uint8_t raw[RAW_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_addresses(raw, ADDRESSES | 3, &rows[i].addresses);
		accepted(raw, sizeof(raw), IMAGE_MULTIBOOT);
		assert_int_equal(image.segment_count, 1);
		assert_int_equal(image.segments[0].gpa.v, rows[i].addresses.load);
		assert_int_equal(image.segments[0].file_offset, rows[i].offset);
		assert_int_equal(image.segments[0].file_size, rows[i].file_size);
		assert_int_equal(image.segments[0].memory_size, rows[i].memory_size);
		assert_int_equal(image.entry, rows[i].addresses.entry);
		done();
	}
	/* Without address fields nobody knows where it belongs: a flat binary like others. */
	put_addresses(raw, 3, &rows[0].addresses);
	accepted(raw, sizeof(raw), IMAGE_FLAT);
	done();
	/* What is cut off is no header. */
	put_addresses(raw, ADDRESSES, &rows[0].addresses);
	accepted(raw, RAW_HEADER + 31, IMAGE_FLAT);
	done();
	accepted(raw, RAW_HEADER + 32, IMAGE_MULTIBOOT);
	done();
}

static void bad_addresses(void **state)
{
	static const char contradict[] =
		"kernel: the address fields of its Multiboot header contradict one another; link it again";
	static const struct {
		struct addresses addresses;
		const char *line;
	} rows[] = {
		{{0x1fffff, 0x200000, 0, 0, 0x200000}, contradict},
		{{0x200041, 0x200000, 0, 0, 0x200000}, contradict},
		{{0xffffffff, 0, 0, 0, 0x200000}, contradict},
		{{0x200040, 0x200000, 0x1fffff, 0, 0x200000}, contradict},
		{{0x200040, 0x200000, 0x200000, 0, 0x200000}, contradict},
		{{0x200040, 0x200000, 0x200100, 0x2000ff, 0x200000}, contradict},
		{{0x200040, 0x200000, 0x200301, 0, 0x200000},
		 "kernel: truncated: a segment lies beyond the end of the file; copy or build it again"},
		{{0x200040, 0x200000, 0, 0, 0x200300}, "kernel: its entry point is in no loaded segment; link it again"},
		{{0x80040, 0x80000, 0, 0, 0x80000},
		 "kernel: a segment at 0x80000 of 0x300 bytes touches 0x80000 to 0xfffff, which is the platform's; "
		 "link it elsewhere"},
		{{0xfffffff0, 0xffffffb0, 0, 0, 0xffffffc0},
		 "kernel: a segment at 0xffffffb0 of 0x300 bytes reaches above 0xc0000000, where devices are; "
		 "link it lower"},
	};
	uint8_t raw[RAW_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_addresses(raw, ADDRESSES, &rows[i].addresses);
		refused(raw, sizeof(raw), rows[i].line);
	}
	put_addresses(raw, ADDRESSES | 4, &rows[0].addresses);
	refused(raw, sizeof(raw), "kernel: its Multiboot header asks for a video mode, and there is no screen; "
				  "build it without that flag");
}

/* The last place that a header may have. */
static void multiboot_searched(void **state)
{
	static const struct addresses addresses = {0x200000, 0x200000, 0, 0, 0x200000};
	static uint8_t raw[16384];

	(void)state;
	for (size_t at = 8192 - 36; at <= 8192; at += 4) {
		memset(raw, 0, sizeof(raw));
		put_multiboot(raw + at, ADDRESSES);
		memcpy(raw + at + 12, &addresses, sizeof(addresses));
		accepted(raw, sizeof(raw), at + 32 <= 8192 ? IMAGE_MULTIBOOT : IMAGE_FLAT);
		done();
	}
}

/* Address fields come before program headers, and symbols are read all the same. */
static void multiboot_elf_addresses(void **state)
{
	static struct elf_file file;
	struct addresses addresses;
	size_t at;

	(void)state;
	multiboot_elf(&file, true, ADDRESSES);
	elf_write(&file);
	at = file.segments[0].p_offset;
	addresses = (struct addresses){0x300000, 0x300000, 0x300080, 0x301000, 0x300020};
	memcpy(file.data + at + 12, &addresses, sizeof(addresses));
	accepted(file.data, file.size, IMAGE_MULTIBOOT);
	assert_int_equal(image.segment_count, 1);
	assert_int_equal(image.segments[0].gpa.v, 0x300000);
	assert_int_equal(image.segments[0].file_offset, at);
	assert_int_equal(image.segments[0].file_size, 0x80);
	assert_int_equal(image.segments[0].memory_size, 0x1000);
	assert_int_equal(image.entry, 0x300020);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiboot_narrow),
		cmocka_unit_test(multiboot_wide),
		cmocka_unit_test(multiboot_entry),
		cmocka_unit_test(no_multiboot),
		cmocka_unit_test(multiboot_demands),
		cmocka_unit_test(multiboot_addresses),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(multiboot_searched),
		cmocka_unit_test(multiboot_elf_addresses),
	};

	return cmocka_run_group_tests_name("image multiboot", tests, NULL, NULL);
}
