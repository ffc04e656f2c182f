/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of symbols: of lines and of ELF, good and bad, and where the kernel is that they are of. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf_maker.h"
#include "vmm/guest/symbol_file.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TEXT UINT64_C(0xffffffff81000000)
#define IDT (TEXT + 0x1e00000 + 0x3000)
#define EARLY_IDT (TEXT + 0x2400000 + 0x5000)
#define SYSCALL (TEXT + 0xa00080)

static int fd = -1;
static char path[32];
static struct symbol_file file;
static struct error error;

/* What the kernel calls a file without a name. */
static void make_file(const void *data, size_t size)
{
	if (fd >= 0)
		close(fd);
	fd = memfd_create("symbols", MFD_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
}

static int read_file(const void *data, size_t size)
{
	make_file(data, size);
	error = (struct error){0};
	return symbol_file_open(&file, path, &error);
}

static void accept(const char *text)
{
	if (read_file(text, strlen(text)) != 0)
		fail_msg("refused: '%s'", error.text);
}

/* With a sentence that names the file and has this in it. */
static void refuse_bytes(const void *data, size_t size, int result, const char *says)
{
	assert_int_equal(read_file(data, size), result);
	assert_int_equal(error.status, STATUS_USAGE);
	if (strncmp(error.text, path, strlen(path)) != 0 || !strstr(error.text, says))
		fail_msg("'%s' does not say '%s'", error.text, says);
	symbol_file_close(&file);
	assert_null(file.symbols);
}

static void refuse(const char *text, int result, const char *says)
{
	refuse_bytes(text, strlen(text), result, says);
}

static const char *at(uint64_t address)
{
	const struct image_symbol *symbol = symbol_file_at(&file, address);

	return symbol ? symbol->name : NULL;
}

/* Functions alone, in order, the modules' among them. */
static void kallsyms(void **state)
{
	(void)state;
	accept("ffffffff81000200 T second\n"
	       "ffffffff81000000 T _text\n"
	       "0000000000000000 A fixed_percpu_data\n"
	       "0000000000000000 T nowhere\n"
	       "ffffffff81000300 t third\n"
	       "ffffffff81000400 W weak\n"
	       "ffffffff81000500 w weaker\n"
	       "ffffffff82000000 D data\n"
	       "ffffffff82000010 r constant\n"
	       "ffffffff82000020 V weak_data\n"
	       "ffffffffc0000000 t in_module\t[virtio_net]\n"
	       "ffffffffc0000100 t in_other [bpf]\n");
	assert_int_equal(file.count, 7);
	assert_int_equal(file.anchor_count, 0);
	for (size_t i = 1; i < file.count; i++)
		assert_true(file.symbols[i - 1].address < file.symbols[i].address);
	assert_null(at(0));
	assert_null(at(TEXT - 1));
	assert_string_equal(at(TEXT), "_text");
	assert_string_equal(at(TEXT + 0x1ff), "_text");
	assert_string_equal(at(TEXT + 0x200), "second");
	assert_string_equal(at(TEXT + 0x300), "third");
	assert_string_equal(at(TEXT + 0x400), "weak");
	assert_string_equal(at(0xffffffffc0000000), "in_module [virtio_net]");
	assert_string_equal(at(0xffffffffc0000100), "in_other [bpf]");
	assert_null(at(UINT64_MAX));
	symbol_file_close(&file);
	assert_int_equal(file.count, 0);
	symbol_file_close(&file);
}

/* What is that far from the last function before it is in none. */
static void too_far(void **state)
{
	(void)state;
	accept("0000000000100000 T low\n");
	assert_string_equal(at(0x100000 + UINT64_C(0x100000)), "low");
	assert_null(at(0x100000 + UINT64_C(0x100001)));
	assert_null(at(UINT64_MAX));
	symbol_file_close(&file);
}

/* However the lines end, and whatever is after the name. */
static void ends_of_lines(void **state)
{
	static const char *const files[] = {
		"ffffffff81000000 T one\nffffffff81000010 T two\n",   "ffffffff81000000 T one\nffffffff81000010 T two",
		"ffffffff81000000 T one\r\nffffffff81000010 T two\r\n", "ffffffff81000000 T one\r\nffffffff81000010 T two\r",
		"FFFFFFFF81000000 T one \nffffffff81000010 T two\t[]",
		"ffffffff81000000 T one\tm\nffffffff81000010 T two\t[m",
		"ffffffff81000000 T one\t[\033]\nffffffff81000010 T two \t \r",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		accept(files[i]);
		assert_int_equal(file.count, 2);
		assert_string_equal(at(TEXT), "one");
		assert_string_equal(at(TEXT + 0x10), "two");
		symbol_file_close(&file);
	}
	accept("81000000 T short\n");
	assert_string_equal(at(0x81000000), "short");
	symbol_file_close(&file);
}

/* Each with its address behind it; what has a name to itself keeps it. */
static void doubles(void **state)
{
	(void)state;
	accept("ffffffff81000000 t dup\n"
	       "ffffffff81000010 T only\n"
	       "ffffffff81000020 t dup\n"
	       "ffffffff81000030 t dup_\n"
	       "ffffffff82000000 d only\n"
	       "0000000000000000 t dup_\n"
	       "ffffffffc0000000 t dup\t[m]\n"
	       "ffffffffc0000010 t twice\t[m]\n"
	       "ffffffffc0000020 t twice \t[m]\r\n"
	       "ffffffffc0000030 t twice\t[n]\n"
	       "00000000000000ff t other\n"
	       "0000000000000fff t other\n");
	assert_int_equal(file.count, 10);
	assert_string_equal(at(TEXT), "dup@ffffffff81000000");
	assert_string_equal(at(TEXT + 0x10), "only");
	assert_string_equal(at(TEXT + 0x20), "dup@ffffffff81000020");
	assert_string_equal(at(TEXT + 0x30), "dup_");
	assert_string_equal(at(0xffffffffc0000000), "dup [m]");
	assert_string_equal(at(0xffffffffc0000010), "twice@ffffffffc0000010 [m]");
	assert_string_equal(at(0xffffffffc0000020), "twice@ffffffffc0000020 [m]");
	assert_string_equal(at(0xffffffffc0000030), "twice [n]");
	assert_string_equal(at(0xff), "other@ff");
	assert_string_equal(at(0xfff), "other@fff");
	symbol_file_close(&file);
}

static bool offset_of(uint64_t address, int64_t *ret_offset)
{
	uint64_t offset = 0;
	bool known = symbol_file_offset(&file, address, &offset);

	*ret_offset = (int64_t)offset;
	return known;
}

static void expect_offset(uint64_t address, int64_t wanted)
{
	int64_t offset;

	assert_true(offset_of(address, &offset));
	assert_int_equal(offset, wanted);
}

static void expect_none(uint64_t address)
{
	int64_t offset;

	assert_false(offset_of(address, &offset));
	assert_int_equal(offset, 0);
}

/* A kernel that has been moved by whole 2 MiB, at most 1 GiB, up or down. */
static void offsets(void **state)
{
	(void)state;
	accept("ffffffff81000000 T _text\n"
	       "ffffffff81a00080 T entry_SYSCALL_64\n"
	       "ffffffff82e03000 D idt_table\n"
	       "ffffffff83405000 d bringup_idt_table\n"
	       "ffffffff82e04000 D idt_tables\n");
	assert_int_equal(file.anchor_count, 3);
	expect_offset(IDT, 0);
	expect_offset(EARLY_IDT, 0);
	expect_offset(SYSCALL, 0);
	expect_offset(IDT + 2 * MIB, 2 * MIB);
	expect_offset(IDT + 510 * MIB, 510 * MIB);
	expect_offset(SYSCALL + GIB, GIB);
	expect_offset(SYSCALL - GIB, -(int64_t)GIB);
	expect_offset(IDT - 2 * MIB, -2 * (int64_t)MIB);
	expect_none(SYSCALL + GIB + 2 * MIB);
	expect_none(SYSCALL - GIB - 2 * MIB);
	expect_none(IDT + MIB);
	expect_none(IDT + 1);
	expect_none(IDT + 0x1000);
	/* Where no such table is: at reset, of firmware, in the area where Linux maps it for all, in user space. */
	expect_none(0);
	expect_none(0x3000);
	expect_none(0xfffffe0000000000);
	expect_none(IDT ^ UINT64_C(1) << 63);
	expect_none(UINT64_MAX);
	symbol_file_close(&file);
}

/* More lines with such names than there is room for change nothing; of a file without any a kernel does not tell. */
static void anchors(void **state)
{
	char text[4096] = "ffffffff81000000 T _text\n";

	(void)state;
	accept(text);
	assert_int_equal(file.anchor_count, 0);
	expect_none(TEXT);
	symbol_file_close(&file);
	for (unsigned i = 0; i < 20; i++)
		snprintf(text + strlen(text), 80, "ffffffff82e%02x000 D idt_table\n", i);
	accept(text);
	assert_int_equal(file.anchor_count, SYMBOL_ANCHORS_MAX);
	expect_offset(TEXT + 0x1e03000, 0);
	expect_none(TEXT + 0x1e04000);
	symbol_file_close(&file);
}

/* As /proc/kallsyms is for those who may not know. */
static void all_zero(void **state)
{
	(void)state;
	refuse("0000000000000000 T _text\n0000000000000000 D idt_table\n0000000000000000 t other\n", -ENOENT,
	       "read /proc/kallsyms as root (kernel.kptr_restrict)");
	refuse("ffffffff82000000 D data\n", -ENOENT, "no function");
}

static void garbage(void **state)
{
	static const char *const lines[] = {
		"hello",
		"\n",
		" ffffffff81000000 T _text",
		"ffffffff81000000",
		"ffffffff81000000 ",
		"ffffffff81000000 T",
		"ffffffff81000000 T ",
		"ffffffff81000000 T \t[m]",
		"ffffffff81000000 T \r",
		"ffffffff81000000 7 _text",
		"ffffffff81000000 TT _text",
		"ffffffff81000000\tT _text",
		"ffffffff81000000  T _text",
		"ffffffff81000000 T  _text",
		"0ffffffff81000000 T _text",
		"ffffffff810000000 T _text",
		"-1 T _text",
		"+1 T _text",
		"ffffffffg T _text",
		"ffffffff81000000 T \033[31mred",
		"ffffffff81000000 T a\033b",
		"ffffffff81000000 T a\177",
		"ffffffff81000000 T a\001",
		"ffffffff81000000 T \303\244",
		"ffffffff81000000 T a\233b",
		"\177EL",
		"\177",
		"\r\n",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(text, sizeof(text), "%s\n", lines[i]);
		refuse(text, -EINVAL, ":1: no symbol; give");
		snprintf(text, sizeof(text), "ffffffff81000000 T good\nffffffff81000010 T good2\n%s", lines[i]);
		refuse(text, -EINVAL, ":3: no symbol; give");
		assert_null(strchr(error.text, '\n'));
		assert_null(strchr(error.text, '\033'));
	}
	refuse("", -ENOEXEC, "empty file");
}

/* What is behind one must not be left out without a word. */
static void nul_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} files[] = {
#define X(text) {text, sizeof(text) - 1}
		X("\0"),
		X("\0ffffffff81000000 T a\n"),
		X("ffffffff81000000 T a\0b\nffffffff81000010 T c\n"),
		X("ffffffff81000000 T a\n\0\nffffffff81000010 T c\n"),
		X("ffffffff81000000 T a\n\0"),
		X("ffffffff81000000 T a\0"),
		X("ffffffff8100\0000 T a\nffffffff81000010 T c\n"),
#undef X
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		refuse_bytes(files[i].bytes, files[i].size, -EINVAL, ": no symbol; give");
}

static char *text_of(size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	return text;
}

/* Of any length, but no name is longer than names are. */
static void long_lines(void **state)
{
	const size_t size = 4 * MIB;
	char *text = text_of(size);

	(void)state;
	for (size_t length = IMAGE_NAME_MAX - 1; length <= IMAGE_NAME_MAX + 1; length++) {
		sprintf(text, "ffffffff81000000 T %0*d\n", (int)length, 0);
		if (length > IMAGE_NAME_MAX) {
			refuse(text, -EINVAL, ":1: no symbol");
			continue;
		}
		accept(text);
		assert_int_equal(strlen(at(TEXT)), length);
		symbol_file_close(&file);
	}
	memset(text, 'n', size);
	text[size] = '\0';
	memcpy(text, "ffffffff81000000 T ", 19);
	refuse(text, -EINVAL, ":1: no symbol");
	text[30] = ' ';
	accept(text);
	assert_string_equal(at(TEXT), "nnnnnnnnnnn");
	symbol_file_close(&file);
	memset(text, 'f', size);
	refuse(text, -EINVAL, ":1: no symbol");
	/* The longest names, with their addresses behind them. */
	text[0] = '\0';
	for (unsigned i = 1; i <= 2; i++)
		sprintf(text + strlen(text), "ffffffff8100000%u T %0*d\n", i, IMAGE_NAME_MAX, 0);
	accept(text);
	assert_int_equal(strlen(at(TEXT + 1)), IMAGE_NAME_MAX + 17);
	assert_string_equal(at(TEXT + 2) + IMAGE_NAME_MAX, "@ffffffff81000002");
	symbol_file_close(&file);
	free(text);
}

static void many_lines(void **state)
{
	static const char line[] = "%08zx T f%07zx\n";
	char *text = text_of(IMAGE_SYMBOLS_MAX * 20);
	size_t length = 0;

	(void)state;
	for (size_t i = 1; i < IMAGE_SYMBOLS_MAX; i++)
		length += (size_t)sprintf(text + length, line, i, i);
	accept(text);
	assert_int_equal(file.count, IMAGE_SYMBOLS_MAX - 1);
	assert_string_equal(at(0x1234), "f0001234");
	symbol_file_close(&file);
	length += (size_t)sprintf(text + length, line, (size_t)1, (size_t)1);
	refuse(text, -E2BIG, "lines, and the limit is");
	free(text);
}

static void read_elf(struct elf_file *elf)
{
	elf_write(elf);
	if (read_file(elf->data, elf->size) != 0)
		fail_msg("refused: '%s'", error.text);
}

/* The names of two symbols, at addresses of Linux. */
static void name_symbols(struct elf_file *elf, const char *first, const char *second)
{
	memset(elf->names, 0, sizeof(elf->names));
	strcpy(elf->names + 1, first);
	strcpy(elf->names + 2 + strlen(first), second);
	elf->names_size = 3 + strlen(first) + strlen(second);
	elf->symbols[1].st_name = 1;
	elf->symbols[1].st_value = TEXT;
	elf->symbols[2].st_name = (Elf64_Word)(2 + strlen(first));
	elf->symbols[2].st_value = IDT;
}

static void elf_files(void **state)
{
	static struct elf_file elf;

	(void)state;
	elf_valid(&elf);
	name_symbols(&elf, "_text", "idt_table");
	read_elf(&elf);
	assert_int_equal(file.count, 2);
	assert_string_equal(at(TEXT + 5), "_text");
	expect_offset(IDT + 4 * MIB, 4 * MIB);
	expect_none(IDT + 4 * MIB + 8);
	symbol_file_close(&file);
	/* Two of one name. */
	elf_valid(&elf);
	name_symbols(&elf, "same", "same");
	read_elf(&elf);
	assert_string_equal(at(TEXT), "same@ffffffff81000000");
	assert_string_equal(at(IDT), "same@ffffffff82e03000");
	symbol_file_close(&file);
	/* Names that would speak to a terminal are none. */
	elf_valid(&elf);
	name_symbols(&elf, "a\033[31m", "good");
	read_elf(&elf);
	assert_int_equal(file.count, 1);
	assert_string_equal(at(IDT), "good");
	symbol_file_close(&file);
}

/* A file that has no table of symbols, only the beginning of a header, or one that leads nowhere. */
static void bad_elf_files(void **state)
{
	static struct elf_file elf;

	(void)state;
	elf_valid(&elf);
	elf_write(&elf);
	elf.sections[ELF_SECTION_SYMTAB].sh_type = SHT_PROGBITS;
	elf_rewrite_headers(&elf);
	refuse_bytes(elf.data, elf.size, -ENOENT, "no function");
	elf_valid(&elf);
	elf_write(&elf);
	for (size_t size = 5; size < elf.size; size++) {
		int rc = read_file(elf.data, size);

		assert_true(rc == 0 || error.text[0]);
		symbol_file_close(&file);
	}
	elf.header.e_shoff = UINT64_MAX - 8;
	memcpy(elf.data, &elf.header, sizeof(elf.header));
	refuse_bytes(elf.data, elf.size, -ENOENT, "no function");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kallsyms),	 cmocka_unit_test(too_far),	  cmocka_unit_test(ends_of_lines),
		cmocka_unit_test(doubles),	 cmocka_unit_test(offsets),	  cmocka_unit_test(anchors),
		cmocka_unit_test(all_zero),	 cmocka_unit_test(garbage),	  cmocka_unit_test(nul_bytes),
		cmocka_unit_test(long_lines),	 cmocka_unit_test(many_lines),	  cmocka_unit_test(elf_files),
		cmocka_unit_test(bad_elf_files),
	};

	return cmocka_run_group_tests_name("symbol_file", tests, NULL, NULL);
}
