/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds small ELF files in memory, byte by byte, so that a test can spoil any of them. Those of 32 bits are described
 * by the structures of the others. */
#ifndef TESTS_ELF_MAKER_H
#define TESTS_ELF_MAKER_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "guestfw/abi.h"

#define ELF_MAX 16384
#define ELF_CODE_SIZE 16

enum { ELF_SECTION_NULL, ELF_SECTION_TEXT, ELF_SECTION_SYMTAB, ELF_SECTION_STRTAB,
       ELF_SECTION_OPERATIONS, ELF_SECTION_NAMES, ELF_SECTIONS };

struct elf_file {
	uint8_t data[ELF_MAX];
	size_t size;
	Elf64_Ehdr header;
	Elf64_Phdr segments[4];
	unsigned segment_count;
	Elf64_Shdr sections[ELF_SECTIONS];
	Elf64_Sym symbols[4];
	char names[256]; /* of symbols */
	size_t names_size;
	struct ss_operation operations[4];
	unsigned operation_count;
	uint8_t code[ELF_CODE_SIZE]; /* what each segment loads */
	uint8_t notes[256];
	size_t notes_size; /* if there are any, a segment of type PT_NOTE has them */
	Elf64_Off notes_at;
};

/* One segment of ELF_CODE_SIZE bytes at SS_IMAGE_GPA, two symbols, a catalogue of two operations. */
void elf_valid(struct elf_file *file);

/* An executable for 32-bit x86 instead of a 64-bit one. */
void elf_make_narrow(struct elf_file *file);

/* Adds a note with `size` bytes of data. */
void elf_add_note(struct elf_file *file, const char *name, uint32_t type, const void *data, uint32_t size);

/* Lays everything out and writes it to `data`. Section offsets and sizes are computed here. */
void elf_write(struct elf_file *file);

/* Puts the headers, changed after elf_write(), back into `data`. */
void elf_rewrite_headers(struct elf_file *file);

#endif
