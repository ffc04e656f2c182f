/* SPDX-License-Identifier: GPL-2.0-only */
/* Images from files, checked, and into guest memory. */
#ifndef VMM_GUEST_IMAGE_FILE_H
#define VMM_GUEST_IMAGE_FILE_H

#include "vmm/base/error.h"
#include "vmm/guest/guest_ram.h"
#include "vmm/guest/image.h"

/*
 * Reads an image from a file, or from memory that outlives it; so must `path`. On failure returns a negative errno
 * and describes the file's fault and the remedy in `error`; `image` is then empty.
 */
int image_open(struct image *image, const char *path, struct error *error);
int image_from_memory(struct image *image, const void *data, size_t size, const char *name,
		      struct error *error);

/* The firmware that is built into the program. */
int image_builtin(struct image *image, struct error *error);

/* Lets the guest name its operations while it runs, unless it has a catalogue. Returns 0 or -ENOMEM. */
int image_allow_marks(struct image *image);

void image_close(struct image *image);

/* Checks the segments against memory of `memory_size` bytes. Returns 0 or -ERANGE. */
int image_check_fit(const struct image *image, uint64_t memory_size, struct error *error);

/* Puts the segments into guest memory; they have been checked to fit. Returns 0, or a negative errno if the file cannot be
 * read any more. */
int image_load(const struct image *image, const struct guest_ram *ram, struct error *error);

#endif
