/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/source_lines.h"

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"

#define NUMBER_SIZE sizeof(":2147483647")

/* Of the sections, in bytes. A row of a table may take one byte, and costs libdw some 50. */
#define TABLES_MAX (UINT64_C(4) << 20)
#define STRINGS_MAX (UINT64_C(32) << 20)

/* All that a table of lines refers to, without what describes functions and types: that is much, and takes libdw long. */
static const char *const names[] = {".debug_line", ".debug_line_str", ".debug_str"};
#define SECTIONS (sizeof(names) / sizeof(names[0]))
static const uint64_t limits[SECTIONS] = {TABLES_MAX, STRINGS_MAX, STRINGS_MAX};

/* The ELF file that libdw gets: a header, one of each section, and a copy of what is in them. */
struct headers {
	Elf64_Ehdr file;
	Elf64_Shdr sections[1 + SECTIONS + 1]; /* none, those, their names */
	char names[SECTIONS + 1][sizeof(".debug_line_str")];
};

struct source_lines {
	char *file;
	Elf *elf;
	Dwarf *dwarf;
};

static Dwarf_Addr address_of(Dwarf_Lines *table, size_t index)
{
	Dwarf_Addr address = 0;

	dwarf_lineaddr(dwarf_onesrcline(table, index), &address);
	return address;
}

/* The last row that is not above the address: a table has them in order. NULL: the code there is of no line in it. */
static Dwarf_Line *row_of(Dwarf_Lines *table, size_t count, uint64_t address)
{
	size_t first = 0, end = count;
	bool ends = true;
	Dwarf_Line *row;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (address_of(table, middle) <= address)
			first = middle + 1;
		else
			end = middle;
	}
	/* Behind the last one nothing is said. */
	if (first == 0 || first == count)
		return NULL;
	row = dwarf_onesrcline(table, first - 1);
	return dwarf_lineendsequence(row, &ends) == 0 && !ends ? row : NULL;
}

static void write_line(Dwarf_Line *row, char text[SOURCE_LINE_SIZE])
{
	const char *path = dwarf_linesrc(row, NULL, NULL), *folder;
	char name[SOURCE_LINE_SIZE - NUMBER_SIZE + 1];
	int line = 0;

	/* Compilers give line 0 to what is of none. */
	if (!path || dwarf_lineno(row, &line) != 0 || line <= 0)
		return;
	folder = strrchr(path, '/');
	printable_text(name, sizeof(name), folder ? folder + 1 : path);
	if (name[0])
		snprintf(text, SOURCE_LINE_SIZE, "%s:%d", name, line);
}

static void search(Dwarf_Lines *table, size_t row_count, struct source_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Dwarf_Line *row = lines[i].text[0] ? NULL : row_of(table, row_count, lines[i].address);

		if (row)
			write_line(row, lines[i].text);
	}
}

/* Each table once. */
static void search_all(Dwarf *dwarf, struct source_line *lines, size_t count)
{
	Dwarf_Off at = 0, next;
	Dwarf_CU *unit = NULL;
	Dwarf_Files *files;
	size_t file_count, row_count;
	Dwarf_Lines *table;

	while (dwarf_next_lines(dwarf, at, &next, &unit, &files, &file_count, &table, &row_count) == 0) {
		if (table)
			search(table, row_count, lines, count);
		if (next <= at)
			break;
		at = next;
	}
}

static Elf64_Ehdr file_header(void)
{
	return (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shoff = offsetof(struct headers, sections),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 1 + SECTIONS + 1,
		.e_shstrndx = 1 + SECTIONS,
	};
}

/* Where a section of the image lies in the file; nothing if there is none, or more than its limit, or if it is compressed. */
static struct part {
	uint64_t offset, size;
} part_of(const struct image *image, Elf *elf, size_t which)
{
	GElf_Shdr header;

	for (size_t i = 0; i < image->section_count; i++) {
		if (strcmp(image->sections[i].name, names[which]) != 0 ||
		    !gelf_getshdr(elf_getscn(elf, image->sections[i].number), &header))
			continue;
		if (header.sh_type == SHT_PROGBITS && !(header.sh_flags & SHF_COMPRESSED) &&
		    header.sh_size <= limits[which] && header.sh_offset <= image->size &&
		    header.sh_size <= image->size - header.sh_offset)
			return (struct part){header.sh_offset, header.sh_size};
	}
	return (struct part){0};
}

/* Returns the size of the file, 0 if there are no tables or memory is short. */
static size_t copy(struct source_lines *source, const struct image *image, Elf *elf)
{
	struct headers headers = {.file = file_header()};
	struct part parts[SECTIONS];
	size_t size = sizeof(headers);

	for (size_t i = 0; i < SECTIONS; i++) {
		Elf64_Shdr *section = &headers.sections[1 + i];

		parts[i] = part_of(image, elf, i);
		strcpy(headers.names[1 + i], names[i]);
		*section = (Elf64_Shdr){.sh_type = SHT_PROGBITS, .sh_offset = size, .sh_size = parts[i].size, .sh_addralign = 1};
		section->sh_name = (Elf64_Word)((1 + i) * sizeof(headers.names[0]));
		size += parts[i].size;
	}
	headers.sections[1 + SECTIONS] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
						      .sh_offset = offsetof(struct headers, names),
						      .sh_size = sizeof(headers.names),
						      .sh_addralign = 1};
	source->file = parts[0].size ? malloc(size) : NULL;
	if (!source->file)
		return 0;
	memcpy(source->file, &headers, sizeof(headers));
	for (size_t i = 0; i < SECTIONS; i++)
		memcpy(source->file + headers.sections[1 + i].sh_offset, image->data + parts[i].offset, parts[i].size);
	return size;
}

struct source_lines *source_lines_open(const struct image *image)
{
	struct source_lines *source = calloc(1, sizeof(*source));
	size_t size;
	Elf *elf;

	if (!source)
		return NULL;
	elf_version(EV_CURRENT);
	/* libelf takes a char pointer but does not write to memory it was given to read. */
	elf = image->held == image->size ? elf_memory((char *)(uintptr_t)image->data, image->size) : NULL;
	size = elf ? copy(source, image, elf) : 0;
	elf_end(elf);
	if (size)
		source->elf = elf_memory(source->file, size);
	if (source->elf)
		source->dwarf = dwarf_begin_elf(source->elf, DWARF_C_READ, NULL);
	if (source->dwarf)
		return source;
	source_lines_close(source);
	return NULL;
}

void source_lines_close(struct source_lines *source)
{
	if (!source)
		return;
	/* Most images have no tables, and libdw is not loaded to end nothing. */
	if (source->dwarf)
		dwarf_end(source->dwarf);
	elf_end(source->elf);
	free(source->file);
	free(source);
}

void source_lines_find(struct source_lines *source, struct source_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lines[i].text[0] = '\0';
	if (source)
		search_all(source->dwarf, lines, count);
}
