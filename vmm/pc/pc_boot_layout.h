/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For pc_boot.c and the boot protocols, a file each: what lies where, and the memory map. Everything of ours is in
 * [PC_BOOT_BASE, PC_BOOT_END), files that have no room there are at the top of the memory below 3 GiB.
 */
#ifndef VMM_PC_PC_BOOT_LAYOUT_H
#define VMM_PC_PC_BOOT_LAYOUT_H

#include "vmm/base/error.h"
#include "vmm/guest/guest_ram.h"
#include "vmm/guest/image.h"
#include "vmm/pc/pc_start.h"

#define PC_BOOT_GDT PC_BOOT_BASE
#define PC_BOOT_PML4 (PC_BOOT_BASE + 0x1000)
#define PC_BOOT_PDPT (PC_BOOT_BASE + 0x2000)
#define PC_BOOT_PD (PC_BOOT_BASE + 0x3000) /* 4 pages */
#define PC_BOOT_STACK (PC_BOOT_BASE + 0x8000) /* its end; a page */
#define PC_BOOT_INFO (PC_BOOT_BASE + 0x8000) /* a page: what the first register points to */
#define PC_BOOT_LISTS (PC_BOOT_BASE + 0x9000) /* a page: what that refers to: memory map, modules */
#define PC_BOOT_COMMAND_LINE (PC_BOOT_BASE + 0xa000) /* 2 pages: with the name of the program */
#define PC_BOOT_NAMES (PC_BOOT_BASE + 0xc000) /* of the files, each with its NUL */
#define PC_BOOT_NAMES_SIZE 0x4000
#define PC_BOOT_FILES (PC_BOOT_BASE + 0x10000) /* small ones, up to PC_BOOT_END */

/* The memory map, for e820, Multiboot and PVH alike, whose types are the same. */
#define PC_MEMORY_RANGES_MAX 5
#define PC_MEMORY_USABLE 1
#define PC_MEMORY_RESERVED 2

struct pc_memory_range {
	uint64_t start, size;
	uint32_t type;
};

size_t pc_boot_memory_map(uint64_t memory, struct pc_memory_range ret_ranges[PC_MEMORY_RANGES_MAX]);

/* Where the files lie. */
struct pc_boot_places {
	uint64_t file[PC_FILES_MAX];
	uint64_t name[PC_FILES_MAX]; /* of its string */
};

/* How a protocol has its files, and what it writes. */
struct pc_protocol {
	bool long_mode;
	bool one_file; /* all files are one, at its place */
	const char *program; /* the first word of the command line, or NULL: there is none */
	void (*write)(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot,
		      const struct pc_boot_places *places, uint64_t rsdp, struct pc_start *start);
};

extern const struct pc_protocol pc_multiboot, pc_linux, pc_pvh;

/* Bytes of all files as one: each begins at a multiple of 4. */
uint64_t pc_boot_initrd_size(const struct pc_boot *boot);

/* Writes what lies in memory that has been checked to be there. */
void pc_boot_put(const struct guest_ram *ram, uint64_t gpa, const void *data, size_t size);

/* The same of a file. Returns 0, or a negative errno if it cannot be read any more. */
int pc_boot_put_file(const struct guest_ram *ram, uint64_t gpa, const struct pc_file *file, struct error *error);

#endif
