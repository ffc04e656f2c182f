/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of images: contents that are a kernel's, or are to be refused. */
#ifndef TESTS_UNIT_GUEST_KERNEL_FIXTURE_H
#define TESTS_UNIT_GUEST_KERNEL_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include "elf_maker.h"
#include "vmm/base/error.h"
#include "vmm/guest/image_file.h"

#define MULTIBOOT_MAGIC UINT32_C(0x1badb002)
#define ADDRESSES UINT32_C(0x10000)

/* What was parsed last. */
extern struct image image;

/* Parses a copy of exactly that size, so that a sanitizer sees any byte read beyond it; done() gives all back. */
int parse(const void *data, size_t size, struct error *error);
void done(void);

/* Fail the test unless it is of the format, or is refused with this line and the usual status. */
void accepted(const void *data, size_t size, enum image_format format);
void accepted_elf(struct elf_file *file, enum image_format format);
void refused(const void *data, size_t size, const char *line);
void refused_elf(struct elf_file *file, const char *line);

void put32(uint8_t *at, uint32_t value);

/* A header without address fields, and a file with one, of 32 bits if it is narrow. */
void put_multiboot(uint8_t *at, uint32_t flags);
void multiboot_elf(struct elf_file *file, bool narrow, uint32_t flags);

/* The address fields, and a file of RAW_SIZE bytes that has a header with them at RAW_HEADER. */
struct addresses {
	uint32_t header, load, load_end, bss_end, entry;
};

#define RAW_SIZE 0x300
#define RAW_HEADER 0x40

void put_addresses(uint8_t *raw, uint32_t flags, const struct addresses *addresses);

#endif
