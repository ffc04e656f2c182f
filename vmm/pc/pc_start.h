/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel that others wrote is started with: what the user gives it, and the registers of the first vCPU. */
#ifndef VMM_PC_PC_START_H
#define VMM_PC_PC_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_BOOT_BASE 0x80000
#define PC_BOOT_END 0x9f000
#define PC_LOW_MEMORY_END 0x9fc00 /* above: the BIOS's data area, the screen, firmware */
#define PC_COMMAND_LINE_MAX 4095  /* bytes without the NUL; a Linux image may say less */
#define PC_FILES_MAX 16

/* A file of --initrd. */
struct pc_file {
	const uint8_t *data; /* NULL: `fd` has it */
	size_t size;
	const char *name; /* as it was given; the string of a multiboot module */
	int fd;
};

/* What --append and --initrd give. The first word of a Multiboot kernel's command line is its own name, which is
 * "kernel" here. For Linux the files follow one another as one initial file system (each beginning at a multiple of 4
 * bytes, as it has to be); for others each is a module. */
struct pc_boot {
	const char *command_line; /* never NULL */
	const struct pc_file *files;
	size_t file_count;
};

/* Registers of the first vCPU; all others are as below, or 0. Segments are flat: base 0, limit 4 GiB, selectors
 * PC_SELECTOR_CODE and PC_SELECTOR_DATA of the descriptor table at `gdt`. */
struct pc_start {
	bool long_mode; /* 64-bit mode, paging on; otherwise protected mode, paging off */
	uint64_t rip, rax, rbx, rsi, rsp;
	uint64_t cr3; /* long_mode: tables that map the first 4 GiB to themselves */
	uint64_t gdt;
	uint16_t gdt_limit;
};

#define PC_SELECTOR_CODE 0x10 /* Linux's __BOOT_CS and __BOOT_DS */
#define PC_SELECTOR_DATA 0x18

#endif
