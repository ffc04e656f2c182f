/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/guest_ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* `behind` a border of the host's large pages. */
static int create(struct guest_ram *ram, uint64_t size, uint64_t behind)
{
	uint8_t *all = mmap(NULL, size + GPA_LARGE_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t before;

	if (all == MAP_FAILED)
		return -ENOMEM;
	before = (behind - (uintptr_t)all) & (GPA_LARGE_PAGE_SIZE - 1);
	if (before)
		munmap(all, before);
	munmap(all + before + size, GPA_LARGE_PAGE_SIZE - before);
	*ram = (struct guest_ram){all + before, size};
	/* A crash dump of the VMM does not need what the guest held. */
	madvise(ram->host, size, MADV_DONTDUMP);
	return 0;
}

int guest_ram_create(struct guest_ram *ram, uint64_t size)
{
	return create(ram, size, GPA_LARGE_PAGE_SIZE / 2);
}

int guest_ram_create_aligned(struct guest_ram *ram, uint64_t size)
{
	return create(ram, size, 0);
}

void guest_ram_prefer_large(const struct guest_ram *ram, bool large)
{
	madvise(ram->host, ram->size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void guest_ram_destroy(struct guest_ram *ram)
{
	if (ram->host)
		munmap(ram->host, ram->size);
	*ram = (struct guest_ram){0};
}

static uint64_t low_part(uint64_t ram_size)
{
	return ram_size < RAM_HOLE_BASE ? ram_size : RAM_HOLE_BASE;
}

uint64_t guest_ram_low(const struct guest_ram *ram)
{
	return low_part(ram->size);
}

uint64_t guest_ram_high(const struct guest_ram *ram)
{
	return ram->size - low_part(ram->size);
}

/* Where [gpa, gpa + size) lies in one contiguous block of `ram_size` bytes. */
static bool locate(uint64_t ram_size, gpa_t gpa, uint64_t size, uint64_t *ret_offset)
{
	uint64_t low = low_part(ram_size), high = ram_size - low, offset;

	if (gpa.v < low && size <= low - gpa.v) {
		*ret_offset = gpa.v;
		return true;
	}
	if (gpa.v < RAM_HIGH_BASE)
		return false;
	offset = gpa.v - RAM_HIGH_BASE;
	if (offset >= high || size > high - offset)
		return false;
	*ret_offset = low + offset;
	return true;
}

bool guest_ram_contains(uint64_t ram_size, gpa_t gpa, uint64_t size)
{
	uint64_t offset;

	return locate(ram_size, gpa, size, &offset);
}

void *guest_ram_at(const struct guest_ram *ram, gpa_t gpa, uint64_t size)
{
	uint64_t offset;

	return locate(ram->size, gpa, size, &offset) ? ram->host + offset : NULL;
}

int guest_ram_read(const struct guest_ram *ram, gpa_t gpa, void *data, size_t size)
{
	const void *source = guest_ram_at(ram, gpa, size);

	if (!source)
		return -EFAULT;
	memcpy(data, source, size);
	return 0;
}

int guest_ram_write(const struct guest_ram *ram, gpa_t gpa, const void *data, size_t size)
{
	void *target = guest_ram_at(ram, gpa, size);

	if (!target)
		return -EFAULT;
	memcpy(target, data, size);
	return 0;
}
