/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a kernel that others wrote is started: what its boot protocol has it find in memory and in the registers of the
 * first vCPU. The protocol is the one of the image's format:
 *
 *	multiboot	32-bit protected mode, no paging, EBX: Multiboot Specification 0.6.96, sections 3.2 and 3.3
 *	bzimage		64-bit mode, RSI: Linux, Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"
 *	vmlinux		the same, entered at startup_64
 *	pvh		32-bit protected mode, EBX: Xen, docs/misc/pvh.pandoc
 *
 * Page tables, descriptors and what is told to the guest lie between PC_BOOT_BASE and PC_BOOT_END; no image may.
 */
#ifndef VMM_PC_PC_BOOT_H
#define VMM_PC_PC_BOOT_H

#include "vmm/base/error.h"
#include "vmm/guest/guest_ram.h"
#include "vmm/guest/image.h"
#include "vmm/pc/pc_start.h"

/* Whether a kernel's image, command line and files fit into `memory` bytes of guest memory, and the protocol has what
 * they ask for. Returns 0 or a negative errno, with one line that names what does not fit and how much would be
 * enough. */
int pc_boot_check(const struct image *image, const struct pc_boot *boot, uint64_t memory, struct error *error);

/* Whether its protocol has a kernel begin in 64-bit mode. */
bool pc_boot_starts_64(const struct image *image);

/* Loads the image and the files and writes everything else into fresh guest memory; it has been checked to fit. `rsdp`
 * is the guest-physical address of the ACPI tables' root, 0: there are none. Returns 0, or a negative errno if a file
 * cannot be read any more. */
int pc_boot_write(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot, uint64_t rsdp,
		  struct pc_start *ret_start, struct error *error);

#endif
