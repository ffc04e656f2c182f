/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of one guest. Below RAM_HOLE_BASE it starts at guest-physical 0, what is left goes to
 * 4 GiB and above; the hole belongs to devices. Everything that a guest controls is reached through
 * the copying functions: copy once, validate the copy, use the copy.
 */
#ifndef VMM_GUEST_GUEST_RAM_H
#define VMM_GUEST_GUEST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/gpa.h"

#define RAM_HOLE_BASE (UINT64_C(3) << 30)
#define RAM_HIGH_BASE (UINT64_C(4) << 30)

struct guest_ram {
	uint8_t *host;
	uint64_t size;
};

/*
 * Reserves zeroed memory, `size` bytes, a multiple of the page size; aligned to GPA_LARGE_PAGE_SIZE, so that large
 * pages of host and guest can be one, or half of that behind such a border. The kernel takes a change of one page, as
 * mlock() of it is, for one of all in the same large page, and KVM maps those anew: a guest's low MiB and its image
 * at 1 MiB are apart then, and a guest that touches little is in small pages for KVM. Never anywhere: what operations
 * cost would depend on the size of this program. Returns 0 or -ENOMEM.
 */
int guest_ram_create(struct guest_ram *ram, uint64_t size);
int guest_ram_create_aligned(struct guest_ram *ram, uint64_t size);

/* Has the kernel use large pages where it has some to spare, which is worth it for a guest that touches most of its
 * memory; or none, so that KVM maps each page of 4 KiB by itself. Before memory is touched. */
void guest_ram_prefer_large(const struct guest_ram *ram, bool large);
void guest_ram_destroy(struct guest_ram *ram);

/* Bytes of the lower and the upper part. */
uint64_t guest_ram_low(const struct guest_ram *ram);
uint64_t guest_ram_high(const struct guest_ram *ram);

/* Whether [gpa, gpa + size) is all memory of one part of a guest with `ram_size` bytes. */
bool guest_ram_contains(uint64_t ram_size, gpa_t gpa, uint64_t size);

/* Host address of [gpa, gpa + size), or NULL if it is not all memory of one part. For structures
 * that the VMM itself places; never for something to be read twice. */
void *guest_ram_at(const struct guest_ram *ram, gpa_t gpa, uint64_t size);

/* Copies between host and guest. Return 0, or -EFAULT if the range is not all memory. */
int guest_ram_read(const struct guest_ram *ram, gpa_t gpa, void *data, size_t size);
int guest_ram_write(const struct guest_ram *ram, gpa_t gpa, const void *data, size_t size);

#endif
