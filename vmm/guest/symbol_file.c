/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/symbol_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/whole_file.h"
#include "vmm/guest/image_parse.h"

/* The kernel is moved by multiples of this (Linux, CONFIG_PHYSICAL_ALIGN). */
#define OFFSET_UNIT (INT64_C(2) << 20)
#define OFFSET_MAX (INT64_C(1) << 30)
#define FUNCTION_MAX (UINT64_C(1) << 20) /* farther behind a name is something else */
#define SUFFIX_SIZE sizeof("@0123456789abcdef")

/* The tables that Linux loads first, until it has one at an address of its own, and its entry for SYSCALL. */
static const char *const anchors[] = {"idt_table", "bringup_idt_table", "entry_SYSCALL_64"};

static void note_anchor(struct symbol_file *file, const char *name, uint64_t address)
{
	for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++)
		if (address && strcmp(name, anchors[i]) == 0 && file->anchor_count < SYMBOL_ANCHORS_MAX)
			file->anchors[file->anchor_count++] = address;
}

static int by_address(const void *a, const void *b)
{
	const struct image_symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* For the search of double names: an index, so that addresses stay in order. */
static int by_name(const void *a, const void *b)
{
	const struct image_symbol *x = *(const struct image_symbol *const *)a, *y = *(const struct image_symbol *const *)b;

	return strcmp(x->name, y->name);
}

static bool is_double(struct image_symbol *const *index, size_t i, size_t count)
{
	return (i > 0 && strcmp(index[i]->name, index[i - 1]->name) == 0) ||
	       (i + 1 < count && strcmp(index[i]->name, index[i + 1]->name) == 0);
}

/* What the longer names take, all told. */
static size_t room_for_doubles(struct image_symbol *const *index, size_t count)
{
	size_t size = 1;

	for (size_t i = 0; i < count; i++)
		if (is_double(index, i, count))
			size += strlen(index[i]->name) + SUFFIX_SIZE;
	return size;
}

static int tell_doubles_apart(struct symbol_file *file)
{
	struct image_symbol **index = calloc(file->count + 1, sizeof(struct image_symbol *));
	const char **renamed = calloc(file->count + 1, sizeof(*renamed));
	char *at;

	for (size_t i = 0; index && i < file->count; i++)
		index[i] = &file->symbols[i];
	if (index)
		qsort(index, file->count, sizeof(struct image_symbol *), by_name);
	file->names = index && renamed ? malloc(room_for_doubles(index, file->count)) : NULL;
	at = file->names;
	for (size_t i = 0; at && i < file->count; i++) {
		if (!is_double(index, i, file->count))
			continue;
		renamed[i] = at;
		at += sprintf(at, "%s@%" PRIx64, index[i]->name, index[i]->address) + 1;
	}
	for (size_t i = 0; at && i < file->count; i++)
		if (renamed[i])
			index[i]->name = renamed[i];
	free(renamed);
	free(index);
	return at ? 0 : -ENOMEM;
}

static int read_elf(struct symbol_file *file, const char *path, struct error *error)
{
	struct image image = {.data = file->data, .size = file->size};
	Elf *elf;
	int rc;

	elf_version(EV_CURRENT);
	/* libelf takes a char pointer but does not write to memory it was given to read. */
	elf = elf_memory((char *)(uintptr_t)file->data, file->size);
	if (!elf)
		return image_bad(error, path, "damaged ELF file", "copy it again");
	rc = image_read_sections(&image, elf, path, error);
	elf_end(elf);
	file->symbols = image.symbols;
	file->count = image.symbol_count;
	free(image.sections);
	free(image.operations);
	for (size_t i = 0; i < file->count; i++)
		note_anchor(file, file->symbols[i].name, file->symbols[i].address);
	return rc;
}

/* One line of a System.map or of /proc/kallsyms: address, type, name, perhaps a module. Cut into pieces in place. */
struct map_line {
	uint64_t address;
	char type;
	char *name;
};

static bool parse_line(char *text, struct map_line *ret_line)
{
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return false;
	ret_line->address = strtoull(text, &end, 16);
	if (end - text > 16 || end[0] != ' ' || !isalpha((unsigned char)end[1]) || end[2] != ' ')
		return false;
	ret_line->type = end[1];
	ret_line->name = end + 3;
	ret_line->name[strcspn(ret_line->name, " \t\r")] = '\0';
	if (ret_line->name[0] == '\0' || strlen(ret_line->name) > IMAGE_NAME_MAX)
		return false;
	for (const char *at = ret_line->name; *at; at++)
		if (*at < '!' || *at > '~')
			return false;
	return true;
}

static bool is_text(char type)
{
	return strchr("tTwW", type) != NULL;
}

/* A copy as a string. What is no text is made into what no line has. */
static char *text_of(const struct symbol_file *file)
{
	char *text = malloc(file->size + 1), *nul = text;

	if (!text)
		return NULL;
	memcpy(text, file->data, file->size);
	text[file->size] = '\0';
	while ((nul = memchr(nul, '\0', (size_t)(text + file->size - nul))) != NULL)
		*nul = '\1';
	return text;
}

static size_t count_lines(const struct symbol_file *file)
{
	size_t lines = 1;

	for (size_t i = 0; i < file->size; i++)
		lines += file->data[i] == '\n';
	return lines;
}

static int add_lines(struct symbol_file *file, char *text, const char *path, struct error *error)
{
	struct map_line line;
	char *next;

	for (size_t number = 1; text && *text; text = next, number++) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		if (!parse_line(text, &line))
			return error_set(error, -EINVAL, STATUS_USAGE,
					 "%s:%zu: no symbol; give an ELF file, a System.map, or a copy of "
					 "/proc/kallsyms",
					 path, number);
		note_anchor(file, line.name, line.address);
		if (is_text(line.type) && line.address)
			file->symbols[file->count++] = (struct image_symbol){line.address, 0, line.name};
	}
	return 0;
}

/* In a copy, which is cut into lines. */
static int read_map(struct symbol_file *file, const char *path, struct error *error)
{
	size_t lines = count_lines(file);
	char *text;
	int rc;

	if (lines > IMAGE_SYMBOLS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE, "%s: %zu lines, and the limit is %" PRIu64, path, lines,
				 IMAGE_SYMBOLS_MAX);
	file->symbols = calloc(lines, sizeof(*file->symbols));
	text = text_of(file);
	if (!file->symbols || !text) {
		free(text);
		return -ENOMEM;
	}
	whole_file_free(file->data, file->size);
	file->data = NULL;
	file->text = text;
	rc = add_lines(file, text, path, error);
	qsort(file->symbols, file->count, sizeof(*file->symbols), by_address);
	return rc;
}

static int check(const struct symbol_file *file, const char *path, struct error *error)
{
	if (file->count > 0)
		return 0;
	return error_set(error, -ENOENT, STATUS_USAGE,
			 "%s: no function with an address; read /proc/kallsyms as root, or give the ELF file of the "
			 "kernel",
			 path);
}

int symbol_file_open(struct symbol_file *file, const char *path, struct error *error)
{
	static const struct whole_file_kind kind = {
		.what = "file of symbols",
		.missing = "name a file that can be read",
		.give = "give an ELF file, a System.map, or a copy of /proc/kallsyms",
		.empty = "copy it again",
		.limit = SYMBOL_FILE_MAX,
	};
	int rc;

	*file = (struct symbol_file){0};
	rc = whole_file_read(path, &kind, &file->data, &file->size, error);
	if (rc == 0)
		rc = file->size > SELFMAG && memcmp(file->data, ELFMAG, SELFMAG) == 0 ? read_elf(file, path, error)
										       : read_map(file, path, error);
	if (rc == 0)
		rc = check(file, path, error);
	if (rc == 0)
		rc = tell_doubles_apart(file);
	if (rc == -ENOMEM)
		error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", path);
	return rc;
}

void symbol_file_close(struct symbol_file *file)
{
	free(file->symbols);
	free(file->names);
	free(file->text);
	whole_file_free(file->data, file->size);
	*file = (struct symbol_file){0};
}

bool symbol_file_offset(const struct symbol_file *file, uint64_t address, uint64_t *ret_offset)
{
	for (unsigned i = 0; i < file->anchor_count; i++) {
		int64_t offset = (int64_t)(address - file->anchors[i]);

		if (offset % OFFSET_UNIT != 0 || offset < -OFFSET_MAX || offset > OFFSET_MAX)
			continue;
		*ret_offset = (uint64_t)offset;
		return true;
	}
	return false;
}

const struct image_symbol *symbol_file_at(const struct symbol_file *file, uint64_t address)
{
	size_t low = 0, high = file->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - file->symbols[low - 1].address > FUNCTION_MAX)
		return NULL;
	return &file->symbols[low - 1];
}
