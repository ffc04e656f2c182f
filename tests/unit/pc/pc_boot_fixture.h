/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of boot protocols share: a kernel, and the memory it is put into. */
#ifndef TESTS_PC_BOOT_FIXTURE_H
#define TESTS_PC_BOOT_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include "vmm/pc/pc_boot.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

#define RSDP 0xe0000
#define LOAD (16 * MIB)

/* Code, behind a header as bzImage files have it. */
extern uint8_t file_data[8192];
extern struct image_segment segment;
struct image make_image(enum image_format format);

extern const struct pc_boot nothing;
extern struct guest_ram ram;
extern struct pc_start start;

/* It is accepted, and written into memory, which is to be destroyed. */
void boot_with(const struct image *image, const struct pc_boot *boot, uint64_t memory);

/* What is at an address. */
uint64_t get(uint64_t gpa, size_t size);
uint32_t get32(uint64_t gpa);
const char *text(uint64_t gpa);

#endif
