/* SPDX-License-Identifier: GPL-2.0-only */
#include "elf_maker.h"

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

void elf_rewrite_headers(struct elf_file *file)
{
	memcpy(file->data, &file->header, sizeof(file->header));
	memcpy(file->data + file->header.e_phoff, file->segments,
	       file->segment_count * sizeof(file->segments[0]));
	memcpy(file->data + file->header.e_shoff, file->sections, sizeof(file->sections));
}

void elf_write(struct elf_file *file)
{
	static const uint8_t code[ELF_CODE_SIZE] = {0xf4, 0xeb, 0xfd};
	Elf64_Off code_at;

	memset(file->data, 0, sizeof(file->data));
	file->size = sizeof(file->header);
	file->header.e_phnum = (Elf64_Half)file->segment_count;
	file->header.e_phoff = put(file, file->segments,
				   file->segment_count * sizeof(file->segments[0]));
	code_at = put(file, code, sizeof(code));
	for (unsigned i = 0; i < file->segment_count; i++)
		file->segments[i].p_offset = code_at;
	memset(&file->sections[0], 0, sizeof(file->sections[0]));
	add_section(file, ELF_SECTION_TEXT, ".text", SHT_PROGBITS, code, sizeof(code), 0);
	add_section(file, ELF_SECTION_SYMTAB, ".symtab", SHT_SYMTAB, file->symbols,
		    3 * sizeof(file->symbols[0]), sizeof(file->symbols[0]));
	file->sections[ELF_SECTION_SYMTAB].sh_link = ELF_SECTION_STRTAB;
	file->sections[ELF_SECTION_SYMTAB].sh_info = 1;
	add_section(file, ELF_SECTION_STRTAB, ".strtab", SHT_STRTAB, file->names, file->names_size,
		    0);
	add_section(file, ELF_SECTION_OPERATIONS, SS_OPERATION_SECTION, SHT_PROGBITS,
		    file->operations, file->operation_count * sizeof(file->operations[0]), 0);
	add_section(file, ELF_SECTION_NAMES, ".shstrtab", SHT_STRTAB, section_names,
		    sizeof(section_names), 0);
	file->header.e_shoff = put(file, file->sections, sizeof(file->sections));
	elf_rewrite_headers(file);
}
