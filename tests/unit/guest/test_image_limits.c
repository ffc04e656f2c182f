/* SPDX-License-Identifier: GPL-2.0-only */
/* What a file claims does not decide what reading it costs. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_maker.h"
#include "vmm/guest/image_file.h"

/* A file whose parts lie where a test wants them. */
struct file {
	uint8_t *data;
	size_t size;
	Elf64_Ehdr *header;
};

#define SECTIONS_AT 64

/* Room for `segments` program headers behind the sections, each a page of its own. */
static struct file make(size_t sections, size_t segments, size_t more)
{
	const size_t at = SECTIONS_AT + sections * sizeof(Elf64_Shdr);
	struct elf_file valid;
	struct file file = {.size = at + segments * sizeof(Elf64_Phdr) + more};
	Elf64_Phdr *headers;

	file.data = calloc(1, file.size);
	assert_non_null(file.data);
	elf_valid(&valid);
	file.header = (void *)file.data;
	*file.header = valid.header;
	file.header->e_shoff = SECTIONS_AT;
	file.header->e_shnum = (Elf64_Half)sections;
	file.header->e_shstrndx = 0;
	file.header->e_phoff = at;
	file.header->e_phnum = (Elf64_Half)segments;
	headers = (void *)(file.data + at);
	for (size_t i = 0; i < segments; i++) {
		headers[i] = valid.segments[0];
		headers[i].p_filesz = 0;
		headers[i].p_paddr += i * 4096;
		headers[i].p_vaddr += i * 4096;
	}
	return file;
}

static Elf64_Shdr *section(struct file *file, size_t index)
{
	return (Elf64_Shdr *)(void *)(file->data + SECTIONS_AT) + index;
}

/* Reads the file, which is then gone. `fragment` NULL: it is accepted. */
static void expect(struct file *file, const char *fragment)
{
	struct error error = {0};
	struct image image;
	int rc = image_from_memory(&image, file->data, file->size, "guest.elf", &error);

	if (!fragment) {
		assert_string_equal(error.text, "");
		assert_int_equal(rc, 0);
	} else {
		assert_true(rc < 0);
		assert_int_equal(error.status, STATUS_USAGE);
		if (!strstr(error.text, fragment))
			fail_msg("'%s' does not say '%s'", error.text, fragment);
	}
	image_close(&image);
	free(file->data);
}

static void program_headers(void **state)
{
	struct file file = make(1, IMAGE_SEGMENTS_MAX, 0);

	(void)state;
	expect(&file, NULL);
	file = make(1, IMAGE_SEGMENTS_MAX + 1, 0);
	expect(&file, "257 program headers, and the limit is 256");
}

/* More than the header of a file can count are counted by its first section (System V ABI, ELF header). */
static void program_headers_elsewhere(void **state)
{
	struct file file = make(1, PN_XNUM, 0);

	(void)state;
	section(&file, 0)->sh_info = 250000;
	expect(&file, "250000 program headers, and the limit is 256");
}

static void sections(void **state)
{
	struct file file = make(IMAGE_SECTIONS_MAX, 1, 0);

	(void)state;
	expect(&file, NULL);
	file = make(IMAGE_SECTIONS_MAX + 1, 1, 0);
	expect(&file, "4097 sections, and the limit is 4096");
}

static void sections_elsewhere(void **state)
{
	struct file file = make(2, 1, 0);

	(void)state;
	file.header->e_shnum = 0;
	section(&file, 0)->sh_size = UINT64_C(1) << 60;
	expect(&file, "1152921504606846976 sections, and the limit is 4096");
}

#define TABLE_SECTIONS 3 /* nothing, symbols, their names */

/* A table of symbols that all have the name at `name` of the `names_size` bytes that follow it. */
static struct file with_symbols(size_t count, size_t name, size_t names_size)
{
	const size_t symbols_size = count * sizeof(Elf64_Sym);
	struct file file = make(TABLE_SECTIONS, 1, symbols_size + names_size);
	const size_t at = file.size - symbols_size - names_size;
	Elf64_Sym *symbols = (void *)(file.data + at);

	*section(&file, 1) = (Elf64_Shdr){.sh_type = SHT_SYMTAB, .sh_offset = at, .sh_size = symbols_size,
					  .sh_link = 2, .sh_entsize = sizeof(Elf64_Sym),
					  .sh_addralign = 8};
	*section(&file, 2) = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = at + symbols_size,
					  .sh_size = names_size, .sh_addralign = 1};
	for (size_t i = 0; i < count; i++)
		symbols[i] = (Elf64_Sym){.st_name = (Elf64_Word)name,
					 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
					 .st_value = SS_IMAGE_GPA};
	memset(file.data + file.size - names_size, 'n', names_size);
	return file;
}

static void symbols(void **state)
{
	struct file file = with_symbols(IMAGE_SYMBOLS_MAX + 1, 0, 1);

	(void)state;
	expect(&file, "1048577 symbols, and the limit is 1048576; strip it");
}

/* How many of the symbols have a name that can be used. */
static size_t named(struct file *file)
{
	struct error error = {0};
	struct image image;
	size_t count;

	assert_int_equal(image_from_memory(&image, file->data, file->size, "guest.elf", &error), 0);
	count = image.symbol_count;
	image_close(&image);
	free(file->data);
	return count;
}

static void long_names(void **state)
{
	struct file file = with_symbols(2, 0, IMAGE_NAME_MAX + 1);

	(void)state;
	file.data[file.size - 1] = '\0';
	assert_int_equal(named(&file), 2);
	file = with_symbols(2, 0, IMAGE_NAME_MAX + 2);
	file.data[file.size - 1] = '\0';
	assert_int_equal(named(&file), 0);
}

static void names_without_end(void **state)
{
	struct file file = with_symbols(2, 0, 8);

	(void)state;
	assert_int_equal(named(&file), 0);
	/* What has an end before that is a name still. */
	file = with_symbols(2, 0, 8);
	file.data[file.size - 4] = '\0';
	assert_int_equal(named(&file), 2);
	file = with_symbols(2, 5, 8);
	file.data[file.size - 4] = '\0';
	assert_int_equal(named(&file), 0);
}

/* A symbol table that claims entries of one byte is no reason to make room for as many symbols. */
static void odd_entries(void **state)
{
	struct file file = with_symbols(4, 0, 2);

	(void)state;
	file.data[file.size - 1] = '\0';
	section(&file, 1)->sh_entsize = 1;
	assert_int_equal(named(&file), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_headers), cmocka_unit_test(program_headers_elsewhere),
		cmocka_unit_test(sections),        cmocka_unit_test(sections_elsewhere),
		cmocka_unit_test(symbols),         cmocka_unit_test(long_names),
		cmocka_unit_test(names_without_end), cmocka_unit_test(odd_entries),
	};

	return cmocka_run_group_tests_name("image limits", tests, NULL, NULL);
}
