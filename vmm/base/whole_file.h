/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are read as a whole. */
#ifndef VMM_BASE_WHOLE_FILE_H
#define VMM_BASE_WHOLE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/error.h"

/* What messages say of a file. */
struct whole_file_kind {
	const char *what;  /* "guest image" */
	const char *missing; /* what helps if it cannot be opened: "name a guest image to run" */
	const char *give;  /* what to give instead of something that is no regular file: "give an ELF file" */
	const char *empty; /* what helps against an empty one: "build it again" */
	uint64_t limit;    /* bytes it may have */
};

/* Opens a regular file of such a kind. Returns its descriptor, or a negative errno with the reason in `error`. */
int whole_file_open(const char *path, const struct whole_file_kind *kind, size_t *ret_size, struct error *error);

/* Reads `size` bytes from `offset` of a file, called `path` in messages, into memory of the caller. That the file has
 * become shorter is an error. Returns 0 or a negative errno with the reason in `error`. */
int whole_file_copy(int fd, const char *path, uint64_t offset, void *to, size_t size, struct error *error);

/* Reads all of it into memory of its own, page aligned, to be given back with whole_file_free(). Returns 0 or a
 * negative errno with the reason in `error`. */
int whole_file_take(int fd, const char *path, size_t size, const uint8_t **ret_data, struct error *error);

/* Both. */
int whole_file_read(const char *path, const struct whole_file_kind *kind, const uint8_t **ret_data, size_t *ret_size,
		    struct error *error);
void whole_file_free(const uint8_t *data, size_t size);

#endif
