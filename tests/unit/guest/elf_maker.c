/* SPDX-License-Identifier: GPL-2.0-only */
#include "elf_maker.h"

#include <stdbool.h>
#include <string.h>

static const char section_names[] =
	"\0.text\0.symtab\0.strtab\0" SS_OPERATION_SECTION "\0.shstrtab";

static Elf64_Word name_of(const char *name)
{
	for (size_t i = 0; i < sizeof(section_names); i++)
		if (strcmp(section_names + i, name) == 0)
			return (Elf64_Word)i;
	return 0;
}

void elf_valid(struct elf_file *file)
{
	*file = (struct elf_file){
		.header = {
			.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				    EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = SS_IMAGE_GPA,
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = ELF_SECTIONS,
			.e_shstrndx = ELF_SECTION_NAMES,
		},
		.segments = {{
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = SS_IMAGE_GPA,
			.p_paddr = SS_IMAGE_GPA,
			.p_filesz = ELF_CODE_SIZE,
			.p_memsz = 4096,
		}},
		.segment_count = 1,
		.symbols = {
			[1] = {.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			       .st_shndx = ELF_SECTION_TEXT, .st_value = SS_IMAGE_GPA, .st_size = 8},
			[2] = {.st_name = 8, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
			       .st_shndx = ELF_SECTION_TEXT, .st_value = SS_IMAGE_GPA + 12},
		},
		.names = "\0_start\0after",
		.names_size = 14,
		.operation_count = 2,
		.code = {0xf4, 0xeb, 0xfd},
	};
	for (unsigned i = 0; i < 2; i++) {
		struct ss_operation *op = &file->operations[i];

		strcpy(op->name, i ? "two.second" : "one.first");
		strcpy(op->meaning, "an operation");
		op->entry = SS_IMAGE_GPA;
		op->end = SS_IMAGE_GPA + 4;
		op->kind = SS_KIND_NOTHING;
		op->insn = SS_INSN_NONE;
		op->count = 10;
	}
}

static Elf64_Off put(struct elf_file *file, const void *data, size_t size)
{
	Elf64_Off at = (file->size + 7) & ~(size_t)7;

	memcpy(file->data + at, data, size);
	file->size = at + size;
	return at;
}

static void add_section(struct elf_file *file, unsigned index, const char *name, Elf64_Word type,
			const void *data, size_t size, size_t entry)
{
	Elf64_Shdr *section = &file->sections[index];

	*section = (Elf64_Shdr){.sh_name = name_of(name), .sh_type = type, .sh_size = size,
				.sh_addralign = 8, .sh_entsize = entry,
				.sh_offset = put(file, data, size)};
}

void elf_make_narrow(struct elf_file *file)
{
	file->header.e_ident[EI_CLASS] = ELFCLASS32;
	file->header.e_machine = EM_386;
	file->header.e_ehsize = sizeof(Elf32_Ehdr);
	file->header.e_phentsize = sizeof(Elf32_Phdr);
	file->header.e_shentsize = sizeof(Elf32_Shdr);
}

void elf_add_note(struct elf_file *file, const char *name, uint32_t type, const void *data, uint32_t size)
{
	const uint32_t name_size = (uint32_t)strlen(name) + 1, head[3] = {name_size, size, type};
	uint8_t *at = file->notes + file->notes_size;

	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), name, name_size);
	at += sizeof(head) + ((name_size + 3) & ~3u);
	memcpy(at, data, size);
	file->notes_size = (size_t)(at - file->notes) + ((size + 3) & ~3u);
}

static bool is_narrow(const struct elf_file *file)
{
	return file->header.e_ident[EI_CLASS] == ELFCLASS32;
}

static Elf32_Phdr narrow_segment(const Elf64_Phdr *wide)
{
	return (Elf32_Phdr){
		.p_type = wide->p_type,
		.p_flags = wide->p_flags,
		.p_offset = (Elf32_Off)wide->p_offset,
		.p_vaddr = (Elf32_Addr)wide->p_vaddr,
		.p_paddr = (Elf32_Addr)wide->p_paddr,
		.p_filesz = (Elf32_Word)wide->p_filesz,
		.p_memsz = (Elf32_Word)wide->p_memsz,
		.p_align = (Elf32_Word)wide->p_align,
	};
}

static Elf32_Shdr narrow_section(const Elf64_Shdr *wide)
{
	return (Elf32_Shdr){
		.sh_name = wide->sh_name,
		.sh_type = wide->sh_type,
		.sh_flags = (Elf32_Word)wide->sh_flags,
		.sh_addr = (Elf32_Addr)wide->sh_addr,
		.sh_offset = (Elf32_Off)wide->sh_offset,
		.sh_size = (Elf32_Word)wide->sh_size,
		.sh_link = wide->sh_link,
		.sh_info = wide->sh_info,
		.sh_addralign = (Elf32_Word)wide->sh_addralign,
		.sh_entsize = (Elf32_Word)wide->sh_entsize,
	};
}

static Elf32_Sym narrow_symbol(const Elf64_Sym *wide)
{
	return (Elf32_Sym){
		.st_name = wide->st_name,
		.st_value = (Elf32_Addr)wide->st_value,
		.st_size = (Elf32_Word)wide->st_size,
		.st_info = wide->st_info,
		.st_other = wide->st_other,
		.st_shndx = wide->st_shndx,
	};
}

static Elf32_Ehdr narrow_header(const Elf64_Ehdr *wide)
{
	Elf32_Ehdr header = {
		.e_type = wide->e_type,
		.e_machine = wide->e_machine,
		.e_version = wide->e_version,
		.e_entry = (Elf32_Addr)wide->e_entry,
		.e_phoff = (Elf32_Off)wide->e_phoff,
		.e_shoff = (Elf32_Off)wide->e_shoff,
		.e_ehsize = wide->e_ehsize,
		.e_phentsize = wide->e_phentsize,
		.e_phnum = wide->e_phnum,
		.e_shentsize = wide->e_shentsize,
		.e_shnum = wide->e_shnum,
		.e_shstrndx = wide->e_shstrndx,
	};

	memcpy(header.e_ident, wide->e_ident, sizeof(header.e_ident));
	return header;
}

static void rewrite_narrow(struct elf_file *file)
{
	const Elf32_Ehdr header = narrow_header(&file->header);

	memcpy(file->data, &header, sizeof(header));
	for (unsigned i = 0; i < file->segment_count; i++) {
		const Elf32_Phdr segment = narrow_segment(&file->segments[i]);

		memcpy(file->data + header.e_phoff + i * sizeof(segment), &segment, sizeof(segment));
	}
	for (unsigned i = 0; i < ELF_SECTIONS; i++) {
		const Elf32_Shdr section = narrow_section(&file->sections[i]);

		memcpy(file->data + header.e_shoff + i * sizeof(section), &section, sizeof(section));
	}
}

void elf_rewrite_headers(struct elf_file *file)
{
	if (is_narrow(file)) {
		rewrite_narrow(file);
		return;
	}
	memcpy(file->data, &file->header, sizeof(file->header));
	memcpy(file->data + file->header.e_phoff, file->segments,
	       file->segment_count * sizeof(file->segments[0]));
	memcpy(file->data + file->header.e_shoff, file->sections, sizeof(file->sections));
}

static void add_symbols(struct elf_file *file)
{
	Elf32_Sym narrow[3];

	for (unsigned i = 0; i < 3; i++)
		narrow[i] = narrow_symbol(&file->symbols[i]);
	if (is_narrow(file))
		add_section(file, ELF_SECTION_SYMTAB, ".symtab", SHT_SYMTAB, narrow, sizeof(narrow),
			    sizeof(narrow[0]));
	else
		add_section(file, ELF_SECTION_SYMTAB, ".symtab", SHT_SYMTAB, file->symbols,
			    3 * sizeof(file->symbols[0]), sizeof(file->symbols[0]));
	file->sections[ELF_SECTION_SYMTAB].sh_link = ELF_SECTION_STRTAB;
	file->sections[ELF_SECTION_SYMTAB].sh_info = 1;
}

/* Headers of 32 bits take less room than there is then. */
void elf_write(struct elf_file *file)
{
	Elf64_Off code_at;

	memset(file->data, 0, sizeof(file->data));
	file->size = sizeof(file->header);
	file->header.e_phnum = (Elf64_Half)file->segment_count;
	file->header.e_phoff = put(file, file->segments,
				   file->segment_count * sizeof(file->segments[0]));
	code_at = put(file, file->code, sizeof(file->code));
	if (file->notes_size)
		file->notes_at = put(file, file->notes, file->notes_size);
	for (unsigned i = 0; i < file->segment_count; i++) {
		bool notes = file->segments[i].p_type == PT_NOTE && file->notes_size;

		file->segments[i].p_offset = notes ? file->notes_at : code_at;
		if (notes)
			file->segments[i].p_filesz = file->notes_size;
	}
	memset(&file->sections[0], 0, sizeof(file->sections[0]));
	add_section(file, ELF_SECTION_TEXT, ".text", SHT_PROGBITS, file->code, sizeof(file->code), 0);
	add_symbols(file);
	add_section(file, ELF_SECTION_STRTAB, ".strtab", SHT_STRTAB, file->names, file->names_size,
		    0);
	add_section(file, ELF_SECTION_OPERATIONS, SS_OPERATION_SECTION, SHT_PROGBITS,
		    file->operations, file->operation_count * sizeof(file->operations[0]), 0);
	add_section(file, ELF_SECTION_NAMES, ".shstrtab", SHT_STRTAB, section_names,
		    sizeof(section_names), 0);
	file->header.e_shoff = put(file, file->sections, sizeof(file->sections));
	elf_rewrite_headers(file);
}
