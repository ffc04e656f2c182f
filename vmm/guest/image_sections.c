/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/guest/image_parse.h"

static int by_address(const void *a, const void *b)
{
	const struct image_symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

/* A string table as the file has it, up to its last NUL. A compressed one would have to be inflated to whatever
 * size it claims, and gives no names; none gives none either. */
struct names {
	const char *text;
	size_t size;
};

static struct names names_of(const struct image *image, Elf *elf, size_t section)
{
	const char *text, *last;
	GElf_Shdr header;

	if (!gelf_getshdr(elf_getscn(elf, section), &header) || header.sh_type != SHT_STRTAB ||
	    header.sh_flags & SHF_COMPRESSED || header.sh_offset > image->size ||
	    header.sh_size > image->size - header.sh_offset)
		return (struct names){0};
	text = (const char *)image->data + header.sh_offset;
	last = memrchr(text, '\0', header.sh_size);
	return (struct names){text, last ? (size_t)(last - text) + 1 : 0};
}

/* Names end up in messages, so they must not speak to a terminal. NULL: there is none that can be used. */
static const char *name_at(const struct names *names, size_t offset)
{
	const char *name = offset < names->size ? names->text + offset : "";

	return name[0] != '\0' && strnlen(name, IMAGE_NAME_MAX + 1) <= IMAGE_NAME_MAX &&
			       printable(name)
		       ? name
		       : NULL;
}

static void add_symbol(struct image *image, const GElf_Sym *symbol, const char *name)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE || !name ||
	    GELF_ST_TYPE(symbol->st_info) > STT_FUNC)
		return;
	image->symbols[image->symbol_count++] = (struct image_symbol){
		.address = symbol->st_value, .size = symbol->st_size, .name = name, .section = symbol->st_shndx};
}

/* Symbols are a help for messages and attribution; a file without them is fine. */
static int read_symbols(struct image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			const char *name, struct error *error)
{
	const struct names names = names_of(image, elf, header->sh_link);
	Elf_Data *data = image->symbols ? NULL : elf_getdata(section, NULL);
	size_t count = data ? data->d_size / gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT) : 0;

	if (count == 0)
		return 0;
	if (count > IMAGE_SYMBOLS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %zu symbols, and the limit is %" PRIu64 "; strip it", name, count,
				 IMAGE_SYMBOLS_MAX);
	image->symbols = calloc(count, sizeof(*image->symbols));
	if (!image->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol))
			add_symbol(image, &symbol, name_at(&names, symbol.st_name));
	}
	qsort(image->symbols, image->symbol_count, sizeof(*image->symbols), by_address);
	return 0;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool name_characters(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

static int check_operation(const struct ss_operation *op, size_t count, const char *name,
			   struct error *error)
{
	if (!terminated(op->name, sizeof(op->name)) || !name_characters(op->name) ||
	    !terminated(op->needs, sizeof(op->needs)) || !printable(op->needs) ||
	    !terminated(op->meaning, sizeof(op->meaning)) || !printable(op->meaning))
		return image_bad(error, name, "the catalogue has an entry with a malformed text",
			   "see docs/guest-abi.md");
	if (op->kind == SS_KIND_INVALID || op->kind >= SS_KIND_COUNT ||
	    op->insn == SS_INSN_INVALID || op->insn >= SS_INSN_COUNT || op->count == 0)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: operation %s has an unknown kind or instruction; build it with "
				 "this version's abi.h",
				 name, op->name);
	if (op->compared > count)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: operation %s is compared with operation %u of %zu; see "
				 "docs/guest-abi.md",
				 name, op->name, op->compared, count);
	return 0;
}

static int read_catalogue(struct image *image, Elf_Scn *section, const char *name,
			  struct error *error)
{
	Elf_Data *data = image->operations ? NULL : elf_getdata(section, NULL);

	if (image->operations)
		return 0;
	if (!data || data->d_size % sizeof(struct ss_operation) != 0 ||
	    data->d_size / sizeof(struct ss_operation) > SS_MAX_OPERATIONS)
		return image_bad(error, name, "the catalogue section has the wrong size",
			   "build it with this version's abi.h");
	if (data->d_size == 0)
		return 0;
	image->operations = malloc(data->d_size);
	if (!image->operations)
		return -ENOMEM;
	memcpy(image->operations, data->d_buf, data->d_size);
	image->operation_count = data->d_size / sizeof(struct ss_operation);
	for (size_t i = 0; i < image->operation_count; i++) {
		int rc = check_operation(&image->operations[i], image->operation_count, name,
					 error);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The caller has made room for it. */
static void add_section(struct image *image, const GElf_Shdr *header, size_t number, const char *name)
{
	if (!name)
		return;
	image->sections[image->section_count++] = (struct image_section){
		.name = name,
		.address = header->sh_addr,
		.size = header->sh_size,
		.number = number,
		.loaded = header->sh_flags & SHF_ALLOC,
		.executable = header->sh_flags & SHF_EXECINSTR,
	};
}

int image_read_sections(struct image *image, Elf *elf, const char *name, struct error *error)
{
	Elf_Scn *section = NULL;
	size_t index, count = 1;
	struct names names;
	int rc = 0;

	if (elf_getshdrstrndx(elf, &index) != 0)
		return 0;
	names = names_of(image, elf, index);
	/* Those that there are, whatever number the header gives. */
	while ((section = elf_nextscn(elf, section)) != NULL)
		count++;
	image->sections = calloc(count, sizeof(*image->sections));
	if (!image->sections)
		return -ENOMEM;
	while (rc == 0 && (section = elf_nextscn(elf, section)) != NULL) {
		const char *section_name;
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			continue;
		section_name = name_at(&names, header.sh_name);
		if (image->section_count < count)
			add_section(image, &header, elf_ndxscn(section), section_name);
		if (header.sh_type == SHT_SYMTAB)
			rc = read_symbols(image, elf, section, &header, name, error);
		else if (image->format == IMAGE_ELF64 && header.sh_type == SHT_PROGBITS && section_name &&
			 strcmp(section_name, SS_OPERATION_SECTION) == 0)
			rc = read_catalogue(image, section, name, error);
	}
	return rc;
}
