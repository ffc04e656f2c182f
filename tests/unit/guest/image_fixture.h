/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of images made for sidestep: parsed, or to be refused. */
#ifndef TESTS_UNIT_GUEST_IMAGE_FIXTURE_H
#define TESTS_UNIT_GUEST_IMAGE_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include "elf_maker.h"
#include "vmm/base/error.h"
#include "vmm/guest/image_file.h"

/* Parses a copy of exactly that size, so that a sanitizer sees any byte read beyond it. */
int parse(const void *data, size_t size, struct image *image, struct error *error, void **ret_copy);

/* The file is refused with one line that names it, has `fragment`, and status 2. */
void refused(const void *data, size_t size, const char *fragment);
void refused_file(struct elf_file *file, const char *fragment);

#endif
