/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/disk.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#define VECTOR_MIN 32u
#define VECTOR_MAX 255u
#define REGISTER_SIZE 4u

_Static_assert(SS_DISK_REGISTER_COUNT == SS_DISK_REG_SECTORS + 1, "registers follow one another");

void disk_init(struct disk *disk, const struct disk_owner *owner, int fd, uint64_t bytes,
	       bool read_only)
{
	*disk = (struct disk){
		.owner = *owner,
		.fd = fd,
		.sectors = bytes / SS_DISK_SECTOR_SIZE,
		.read_only = read_only,
	};
	disk->registers[SS_DISK_REG_SECTORS] =
		disk->sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)disk->sectors;
}

/* A command, taken from the registers once. */
struct transfer {
	bool to_memory;
	uint64_t start, size; /* bytes of the storage */
	uint8_t *memory;
};

/* Where on the disk. Products and sums of 32-bit numbers do not wrap in 64 bits. */
static enum ss_disk_status find_sectors(const struct disk *disk, struct transfer *transfer)
{
	uint64_t first = disk->registers[SS_DISK_REG_SECTOR];
	uint64_t count = disk->registers[SS_DISK_REG_COUNT];

	if (count == 0)
		return SS_DISK_STATUS_BAD_COUNT;
	if (first + count > disk->sectors)
		return SS_DISK_STATUS_BAD_SECTOR;
	transfer->start = first * SS_DISK_SECTOR_SIZE;
	transfer->size = count * SS_DISK_SECTOR_SIZE;
	return SS_DISK_STATUS_DONE;
}

static enum ss_disk_status find_memory(const struct disk *disk, struct transfer *transfer)
{
	uint64_t offset = disk->registers[SS_DISK_REG_OFFSET], size;
	int rc = disk->owner.memory(disk->owner.opaque, disk->registers[SS_DISK_REG_BUFFER],
				    transfer->to_memory, &transfer->memory, &size);

	if (rc != 0)
		return rc == -EACCES ? SS_DISK_STATUS_BAD_ACCESS : SS_DISK_STATUS_BAD_BUFFER;
	if (offset + transfer->size > size)
		return SS_DISK_STATUS_BAD_OFFSET;
	transfer->memory += offset;
	return SS_DISK_STATUS_DONE;
}

static size_t piece(uint64_t at, uint64_t left, uint64_t end)
{
	if (at + DISK_ROOM <= end)
		return left < DISK_ROOM / 2 ? (size_t)left : DISK_ROOM / 2;
	return left >= SS_DISK_SECTOR_SIZE ? SS_DISK_SECTOR_SIZE : 1;
}

/* Straight from and to guest memory. A storage that has become shorter since it was opened is an
 * error, and so is one that takes no more. */
static enum ss_disk_status move(const struct disk *disk, const struct transfer *transfer)
{
	uint64_t done = 0;

	while (done < transfer->size) {
		uint8_t *memory = transfer->memory + done;
		uint64_t at = transfer->start + done;
		uint64_t left = transfer->size - done, end = disk->sectors * SS_DISK_SECTOR_SIZE;
		ssize_t n = transfer->to_memory
				    ? pread(disk->fd, memory, (size_t)left, (off_t)at)
				    : pwrite(disk->fd, memory, piece(at, left, end), (off_t)at);

		if (n > 0)
			done += (uint64_t)n;
		else if (n == 0 || errno != EINTR)
			return SS_DISK_STATUS_IO_ERROR;
	}
	return SS_DISK_STATUS_DONE;
}

static enum ss_disk_status perform(const struct disk *disk, uint32_t command)
{
	struct transfer transfer = {.to_memory = command == SS_DISK_COMMAND_READ};
	enum ss_disk_status status;

	if (command != SS_DISK_COMMAND_READ && command != SS_DISK_COMMAND_WRITE)
		return SS_DISK_STATUS_BAD_COMMAND;
	if (command == SS_DISK_COMMAND_WRITE && disk->read_only)
		return SS_DISK_STATUS_READ_ONLY;
	status = find_sectors(disk, &transfer);
	if (status == SS_DISK_STATUS_DONE)
		status = find_memory(disk, &transfer);
	return status == SS_DISK_STATUS_DONE ? move(disk, &transfer) : status;
}

static void start(struct disk *disk, uint32_t command)
{
	uint32_t vector = disk->registers[SS_DISK_REG_VECTOR];

	if (vector != 0 && (vector < VECTOR_MIN || vector > VECTOR_MAX)) {
		disk->registers[SS_DISK_REG_STATUS] = SS_DISK_STATUS_BAD_VECTOR;
		return;
	}
	disk->registers[SS_DISK_REG_STATUS] = perform(disk, command);
	if (vector != 0)
		disk->owner.raise(disk->owner.opaque, vector);
}

static bool is_register(uint64_t offset, unsigned size)
{
	return size == REGISTER_SIZE && offset % REGISTER_SIZE == 0 &&
	       offset / REGISTER_SIZE < SS_DISK_REGISTER_COUNT;
}

static uint64_t disk_read(void *device, uint64_t offset, unsigned size)
{
	const struct disk *disk = device;

	if (!is_register(offset, size) || offset / REGISTER_SIZE == SS_DISK_REG_COMMAND)
		return UINT64_MAX;
	return disk->registers[offset / REGISTER_SIZE];
}

static void disk_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct disk *disk = device;

	if (!is_register(offset, size))
		return;
	switch (offset / REGISTER_SIZE) {
	case SS_DISK_REG_COMMAND:
		start(disk, (uint32_t)value);
		break;
	case SS_DISK_REG_STATUS:
	case SS_DISK_REG_SECTORS:
		break;
	default:
		disk->registers[offset / REGISTER_SIZE] = (uint32_t)value;
	}
}

const struct bus_ops disk_bus_ops = {disk_read, disk_write};
