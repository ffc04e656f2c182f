/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VMM puts into low guest memory before entry: page tables, descriptors, the context area,
 * a page and a stack per vCPU, and the window whose pages differ between views. guestfw/abi.h says
 * what a guest may rely on; the addresses here are the VMM's own business.
 */
#ifndef VMM_GUEST_BOOT_H
#define VMM_GUEST_BOOT_H

#include "guestfw/abi.h"
#include "vmm/guest/guest_ram.h"

#define BOOT_PML4 0x1000
#define BOOT_PDPT 0x2000
#define BOOT_PD 0x3000 /* four tables: the first 4 GiB in 2 MiB pages */
#define BOOT_PT 0x7000 /* the first 2 MiB in 4 KiB pages, page 0 absent */
#define BOOT_GDT 0x8000
#define BOOT_TSS 0x9000
#define BOOT_TABLES_END 0xb000
#define BOOT_CONTEXT 0x10000
#define BOOT_VCPU_PAGES 0x11000
#define BOOT_STACKS 0x60000
#define BOOT_WINDOW 0xe0000
#define BOOT_FRAMES 0xe4000 /* what views show in the window instead of its own tag page */
#define BOOT_VE 0xf0000     /* a page for each vCPU that can have #VE */
#define BOOT_VE_COUNT 16
#define BOOT_FRAME_COUNT 8  /* as many as fit here; more are taken from the top of low memory */

#define BOOT_GDT_STRIDE 64
#define BOOT_TSS_STRIDE 128
#define BOOT_STACK_STRIDE (2 * SS_STACK_SIZE)

_Static_assert(BOOT_GDT + SS_MAX_VCPUS * BOOT_GDT_STRIDE <= BOOT_TSS, "low memory overlaps");
_Static_assert(BOOT_TSS + SS_MAX_VCPUS * BOOT_TSS_STRIDE <= BOOT_TABLES_END, "low memory overlaps");
_Static_assert(BOOT_TABLES_END <= BOOT_CONTEXT, "low memory overlaps");
_Static_assert(BOOT_VCPU_PAGES + SS_MAX_VCPUS * 4096 <= BOOT_STACKS, "low memory overlaps");
_Static_assert(BOOT_STACKS + SS_MAX_VCPUS * BOOT_STACK_STRIDE <= BOOT_WINDOW, "low memory overlaps");
_Static_assert(BOOT_FRAMES + BOOT_FRAME_COUNT * 4096 <= BOOT_VE, "low memory overlaps");
_Static_assert(BOOT_VE + BOOT_VE_COUNT * 4096 <= SS_IMAGE_GPA, "low memory overlaps");

/* Least memory that holds all this and an image. */
#define BOOT_MEMORY_MIN (UINT64_C(4) << 20)

static inline gpa_t boot_vcpu_page(unsigned vcpu)
{
	return gpa_at(BOOT_VCPU_PAGES + 4096ull * vcpu);
}

/*
 * Writes everything into fresh guest memory; `context` is filled but for magic, version, size,
 * memory size and addresses. Memory above 4 GiB is mapped by 1 GiB pages. Page n - 1 of `frames`
 * becomes the tag page of view n.
 */
void boot_write(const struct guest_ram *ram, const struct ss_context *context, gpa_t frames,
		size_t views);

/* Tells the guest how fast its time stamp counter is, once there is a vCPU that knows. */
void boot_write_frequency(const struct guest_ram *ram, uint64_t tsc_khz);

/* The words of a vCPU by which a register is decided, of which a guest has `base` at first, and where an
 * enlightened guest finds its own; `loaded` are further flags in the register. */
struct ss_flag_words boot_words(enum ss_embodiment embodiment, uint64_t base, uint64_t masked,
				uint64_t kept, uint64_t shadow, uint64_t loaded);
gpa_t boot_words_address(unsigned vcpu);
void boot_write_words(const struct guest_ram *ram, unsigned vcpu, const struct ss_flag_words *words);

/* Where the tag pages of this many views go in a guest with this much memory. */
gpa_t boot_frames(uint64_t memory, size_t views);

#endif
