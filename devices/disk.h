/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk that moves sectors between its storage and buffers of guest memory that have been pinned for
 * it. A command is carried out, in full or not, during the write of its register. The registers are
 * those of guestfw/abi.h, SS_DISK_REGISTERS: 32 bits wide, accessed as a whole.
 */
#ifndef DEVICES_DISK_H
#define DEVICES_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "guestfw/abi.h"

/* What the disk asks its owner for. */
struct disk_owner {
	/* The memory of a buffer that the disk is going to fill or (to_memory false) to read. Returns 0,
	 * -EACCES if the buffer is not meant for that, or another negative errno if there is none. */
	int (*memory)(void *opaque, uint32_t handle, bool to_memory, uint8_t **ret_memory,
		      uint64_t *ret_size);
	/* Raises an interrupt; the vector is one that there is. */
	void (*raise)(void *opaque, uint32_t vector);
	void *opaque;
};

/* A write is smaller than this, and if there is not so much room in front of the end of the storage, a sector or a
 * byte: so a limit on its size and one on its offset are enough to keep it within the storage. */
#define DISK_ROOM 131072u

struct disk {
	struct disk_owner owner;
	int fd;           /* the storage, the caller's own; -1: there is no disk */
	uint64_t sectors; /* of SS_DISK_SECTOR_SIZE bytes */
	bool read_only;
	uint32_t registers[SS_DISK_REGISTER_COUNT];
};

/* The storage is `bytes` long, a multiple of the sector. */
void disk_init(struct disk *disk, const struct disk_owner *owner, int fd, uint64_t bytes,
	       bool read_only);

extern const struct bus_ops disk_bus_ops;

#endif
