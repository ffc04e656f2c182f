/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/symbol_file.h"

#include <ctype.h>
#include <errno.h>
#include <gelf.h>
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
#define BLANKS " \t\r"
#define GIVE_SYMBOLS "give an ELF file, a System.map, or a copy of /proc/kallsyms"

/* The tables that Linux loads first, until it has one at an address of its own, and its entry for SYSCALL. */
static const char *const anchors[] = {"idt_table", "bringup_idt_table", "entry_SYSCALL_64"};

static void note_anchor(struct symbol_file *file, const char *name, uint64_t address)
{
	for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++)
		if (address && strcmp(name, anchors[i]) == 0 && file->anchor_count < SYMBOL_ANCHORS_MAX)
			file->anchors[file->anchor_count++] = address;
}

/* Where the code of Linux begins, by a file of lines. */
static void note_start(struct symbol_file *file, const char *name, uint64_t address)
{
	if (strcmp(name, "_text") != 0)
		return;
	file->has_code = true;
	file->code = address;
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

/* "name@ffffffff81070ae0", "name@ffffffffc0123000 [module]". */
static int write_apart(char *at, const struct image_symbol *symbol)
{
	const size_t length = strlen(symbol->name) - (symbol->module ? strlen(symbol->module) + strlen(" []") : 0);

	return sprintf(at, "%.*s@%" PRIx64 "%s", (int)length, symbol->name, symbol->address, symbol->name + length);
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
		at += write_apart(at, index[i]) + 1;
	}
	for (size_t i = 0; at && i < file->count; i++)
		if (renamed[i])
			index[i]->name = renamed[i];
	free(renamed);
	free(index);
	return at ? 0 : -ENOMEM;
}

/* Where a file without a section .text has its code. */
static void note_segment(struct symbol_file *file, Elf *elf)
{
	size_t count = 0;
	GElf_Phdr segment;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count && i < IMAGE_SEGMENTS_MAX && !file->has_code; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
			continue;
		file->has_code = true;
		file->code = segment.p_vaddr;
	}
}

/* An object's sections all begin at 0, so only those symbols can be told apart that are of one of them. */
static void keep_section(struct symbol_file *file, size_t number)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->count; i++)
		if (file->symbols[i].section == number)
			file->symbols[kept++] = file->symbols[i];
	file->count = kept;
}

static void note_code(struct symbol_file *file, const struct image *image, Elf *elf)
{
	const struct image_section *text = NULL;
	GElf_Ehdr header;

	file->relocatable = gelf_getehdr(elf, &header) && header.e_type == ET_REL;
	for (size_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];

		if (!text && strcmp(section->name, ".text") == 0)
			text = section;
		if (section->executable && section->address + section->size > file->code_end)
			file->code_end = section->address + section->size;
	}
	file->has_code = text != NULL;
	file->code = text ? text->address : 0;
	if (!file->relocatable) {
		note_segment(file, elf);
		return;
	}
	file->code_end = text ? text->address + text->size : 0;
	keep_section(file, text ? text->number : SHN_UNDEF);
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
	file->symbols = image.symbols;
	file->count = image.symbol_count;
	note_code(file, &image, elf);
	elf_end(elf);
	free(image.sections);
	free(image.operations);
	for (size_t i = 0; i < file->count; i++)
		note_anchor(file, file->symbols[i].name, file->symbols[i].address);
	return rc;
}

static bool is_word(const char *text, size_t length, size_t limit)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < '!' || text[i] > '~')
			return false;
	return length > 0 && length <= limit;
}

/* Makes "name\t[module]" a name, "name [module]", and "module" one behind all lines, where there is room. Many lines of
 * one module follow one another. */
static void join_module(char *name, size_t length, const char **module, char **room)
{
	char *behind = name + length + (name[length] != '\0'), *at = behind + strspn(behind, BLANKS);
	size_t size = strcspn(at, BLANKS);

	name[length] = '\0';
	if (size < 3 || at[0] != '[' || at[size - 1] != ']' || !is_word(at, size, SYMBOL_MODULE_MAX + 2)) {
		*module = NULL;
		return;
	}
	name[length] = ' ';
	memmove(behind, at, size);
	behind[size] = '\0';
	if (*module && strlen(*module) == size - 2 && memcmp(*module, behind + 1, size - 2) == 0)
		return;
	*module = *room;
	*room += sprintf(*room, "%.*s", (int)size - 2, behind + 1) + 1;
}

/* One line of a System.map or of /proc/kallsyms: address, type, name, perhaps a module. Cut into pieces in place.
 * `module` has that of the line before. */
static bool parse_line(char *text, struct image_symbol *ret_symbol, char *ret_type, const char **module, char **room)
{
	size_t length;
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return false;
	ret_symbol->address = strtoull(text, &end, 16);
	if (end - text > 16 || end[0] != ' ' || !isalpha((unsigned char)end[1]) || end[2] != ' ')
		return false;
	*ret_type = end[1];
	length = strcspn(end + 3, BLANKS);
	if (!is_word(end + 3, length, IMAGE_NAME_MAX))
		return false;
	join_module(end + 3, length, module, room);
	ret_symbol->name = end + 3;
	ret_symbol->module = *module;
	return true;
}

/* One of /proc/modules: name, size, references, who refers to it, state, address, and perhaps more. Its name is joined
 * as that of a function. */
static bool parse_module(char *text, struct image_symbol *ret_symbol, char **room)
{
	enum { NAME, SIZE, ADDRESS = 5, WORDS };
	char *words[WORDS], *rest, *ends[2];

	for (unsigned i = 0; i < WORDS; i++) {
		words[i] = strtok_r(i ? NULL : text, BLANKS, &rest);
		if (!words[i])
			return false;
	}
	if (!is_word(words[NAME], strlen(words[NAME]), SYMBOL_MODULE_MAX) || !isdigit((unsigned char)words[SIZE][0]) ||
	    strncmp(words[ADDRESS], "0x", 2) != 0 || !isxdigit((unsigned char)words[ADDRESS][2]))
		return false;
	ret_symbol->size = strtoull(words[SIZE], &ends[0], 10);
	ret_symbol->address = strtoull(words[ADDRESS], &ends[1], 16);
	ret_symbol->module = words[NAME];
	ret_symbol->name = *room;
	*room += sprintf(*room, "[%s]", words[NAME]) + 1;
	return *ends[0] == '\0' && *ends[1] == '\0';
}

static bool is_text(char type)
{
	return strchr("tTwW", type) != NULL;
}

/* A copy as a string, with as much room behind it. What is no text is made into what no line has. */
static char *text_of(const struct symbol_file *file)
{
	char *text = malloc(2 * (file->size + 1)), *nul = text;

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
	char *next, *room = text + file->size + 1, type = 'T';
	const char *module = NULL;

	for (size_t number = 1; text && *text; text = next, number++) {
		struct image_symbol line = {0};

		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		if (file->ranges ? !parse_module(text, &line, &room) : !parse_line(text, &line, &type, &module, &room))
			return error_set(error, -EINVAL, STATUS_USAGE, "%s:%zu: no %s", path, number,
					 file->ranges ? "module; give a copy of /proc/modules"
						      : "symbol; " GIVE_SYMBOLS);
		note_anchor(file, line.name, line.address);
		note_start(file, line.name, line.address);
		if (is_text(type) && line.address)
			file->symbols[file->count++] = line;
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
			 "%s: no %s", path,
			 file->ranges ? "module with an address; read /proc/modules as root (kernel.kptr_restrict)"
				      : "function with an address; read /proc/kallsyms as root (kernel.kptr_restrict), "
					"or give the ELF file of the kernel");
}

static int open_file(struct symbol_file *file, const char *path, struct error *error)
{
	const struct whole_file_kind kind = {
		.what = file->ranges ? "list of modules" : "file of symbols",
		.missing = "name a file that can be read",
		.give = file->ranges ? "give a copy of /proc/modules" : GIVE_SYMBOLS,
		.empty = "copy it again",
		.limit = SYMBOL_FILE_MAX,
	};
	int rc = whole_file_read(path, &kind, &file->data, &file->size, error);

	if (rc == 0)
		rc = !file->ranges && file->size > SELFMAG && memcmp(file->data, ELFMAG, SELFMAG) == 0
			     ? read_elf(file, path, error)
			     : read_map(file, path, error);
	if (rc == 0)
		rc = check(file, path, error);
	if (rc == 0 && !file->ranges)
		rc = tell_doubles_apart(file);
	if (rc == -ENOMEM)
		error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", path);
	return rc;
}

int symbol_file_open(struct symbol_file *file, const char *path, struct error *error)
{
	*file = (struct symbol_file){0};
	return open_file(file, path, error);
}

int symbol_file_open_modules(struct symbol_file *file, const char *path, struct error *error)
{
	*file = (struct symbol_file){.ranges = true};
	return open_file(file, path, error);
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
	const struct image_symbol *symbol;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || (file->code_end && address >= file->code_end))
		return NULL;
	symbol = &file->symbols[low - 1];
	if (file->ranges ? address - symbol->address >= symbol->size : address - symbol->address > FUNCTION_MAX)
		return NULL;
	return symbol;
}
