/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of source by an image's DWARF: those of this program, whose file stands for an image. */
#include "tests/unit/cmocka_prelude.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/whole_file.h"
#include "vmm/guest/image_parse.h"
#include "vmm/guest/source_lines.h"

#define DAMAGES 400
#define ROOM (8 << 20) /* behind the program, for tables that would be larger */

extern char __executable_start;

static struct image image;
static uint8_t *copy; /* of the program's file */

static int first_line(void);

/* Where it is in the file, which begins at 0. */
static uint64_t address_of(int (*function)(void))
{
	return (uint64_t)((uintptr_t)function - (uintptr_t)&__executable_start);
}

__attribute__((noinline)) static int first_line(void) { return __LINE__; }

static void read_sections(void)
{
	struct error error = {0};
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)copy, image.size);
	assert_non_null(elf);
	assert_int_equal(image_read_sections(&image, elf, "image", &error), 0);
	elf_end(elf);
}

static int setup(void **state)
{
	static const struct whole_file_kind kind = {"program", "", "", "", UINT64_C(1) << 30};
	struct error error = {0};
	const uint8_t *data;
	size_t size;

	(void)state;
	assert_int_equal(whole_file_read("/proc/self/exe", &kind, &data, &size, &error), 0);
	copy = calloc(1, size + ROOM);
	assert_non_null(copy);
	memcpy(copy, data, size);
	whole_file_free(data, size);
	image = (struct image){.data = copy, .size = size + ROOM, .held = size + ROOM};
	read_sections();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(image.sections);
	free(image.symbols);
	free(image.operations);
	free(copy);
	return 0;
}

/* The place of a section in the file; the test is of no use without it. */
static Elf64_Shdr *section(const char *name)
{
	Elf64_Shdr *headers = (void *)(copy + ((const Elf64_Ehdr *)(const void *)copy)->e_shoff);

	for (size_t i = 0; i < image.section_count; i++)
		if (strcmp(image.sections[i].name, name) == 0)
			return &headers[image.sections[i].number];
	skip();
	return NULL;
}

/* The line of a function, of what is in no function, and of what is no code. */
static void known_lines(void **state)
{
	struct source_line lines[] = {{.address = address_of(first_line)}, {.address = 0}, {.address = UINT64_MAX}};
	struct source_lines *source;
	char wanted[SOURCE_LINE_SIZE];

	(void)state;
	section(".debug_line");
	source = source_lines_open(&image);
	assert_non_null(source);
	memset(lines[1].text, 'x', sizeof(lines[1].text));
	source_lines_find(source, lines, ARRAY_SIZE(lines));
	snprintf(wanted, sizeof(wanted), "test_source_lines.c:%d", first_line());
	assert_string_equal(lines[0].text, wanted);
	assert_string_equal(lines[1].text, "");
	assert_string_equal(lines[2].text, "");
	source_lines_close(source);
}

/* What is not there, not all held, compressed, too large or outside the file: no lines, and nobody minds. */
static void no_tables(void **state)
{
	struct source_line line = {.text = "x"};
	Elf64_Shdr *header = section(".debug_line"), was = *header;

	(void)state;
	source_lines_find(NULL, &line, 1);
	assert_string_equal(line.text, "");
	source_lines_close(NULL);
	image.held--;
	assert_null(source_lines_open(&image));
	image.held++;
	header->sh_flags |= SHF_COMPRESSED;
	assert_null(source_lines_open(&image));
	*header = was;
	header->sh_size = (4 << 20) + 1;
	assert_null(source_lines_open(&image));
	header->sh_size = image.size - was.sh_offset + 1;
	assert_null(source_lines_open(&image));
	header->sh_size = was.sh_size;
	header->sh_offset = UINT64_MAX - 1;
	assert_null(source_lines_open(&image));
	*header = was;
	image.section_count = 0;
	assert_null(source_lines_open(&image));
}

/* Whatever the tables hold, their texts are printable. */
static void damaged_tables(void **state)
{
	const Elf64_Shdr *header = section(".debug_line");

	(void)state;
	srand(1);
	for (int i = 0; i < DAMAGES; i++) {
		struct source_line line = {.address = address_of(first_line)};
		uint8_t *at = copy + header->sh_offset + (size_t)rand() % (i % 2 ? 64 : header->sh_size);
		const uint8_t was = *at;
		struct source_lines *source;

		*at ^= (uint8_t)(1 + rand() % 255);
		source = source_lines_open(&image);
		source_lines_find(source, &line, 1);
		for (const char *c = line.text; *c; c++)
			assert_in_range(*c, ' ', '~');
		source_lines_close(source);
		if (i % 4)
			*at = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(no_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
