/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes that grow, for a file that is put together in memory. */
#ifndef VMM_BARE_BLOB_H
#define VMM_BARE_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
	uint8_t *data;
	size_t size, room;
	int error; /* -ENOMEM once memory was short: what was appended is lost then */
};

/* Appends `size` bytes, zeros if `data` is NULL, on a border of 16 bytes. Returns where they begin. */
uint64_t blob_append(struct blob *blob, const void *data, size_t size);

/* Appends zeros up to a border. */
void blob_align(struct blob *blob, size_t border);

void blob_finish(struct blob *blob);

#endif
