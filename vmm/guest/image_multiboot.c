/* SPDX-License-Identifier: GPL-2.0-only */
/* Multiboot Specification 0.6.96, 3.1: OS image format. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/guest/image_parse.h"

#define MAGIC UINT32_C(0x1badb002)
#define SEARCHED 8192 /* bytes of the file */

#define FLAG_VIDEO 4u
#define FLAGS_REQUIRED 0xffffu /* what a loader that does not know it must not start */
#define FLAGS_KNOWN 3u	       /* aligned modules and sizes of memory, which every kernel gets */
#define FLAG_ADDRESSES 0x10000u

#define HEADER_SIZE 12
#define HEADER_SIZE_ADDRESSES 32

struct image_multiboot image_find_multiboot(const struct image *image)
{
	uint64_t end = image->size < SEARCHED ? image->size : SEARCHED;

	for (uint64_t at = 0; at + HEADER_SIZE <= end; at += 4) {
		struct image_multiboot multiboot = {.found = true, .offset = at};

		if (image_u32(image, at) != MAGIC)
			continue;
		multiboot.flags = image_u32(image, at + 4);
		if (MAGIC + multiboot.flags + image_u32(image, at + 8) != 0)
			continue;
		if (!(multiboot.flags & FLAG_ADDRESSES))
			return multiboot;
		if (at + HEADER_SIZE_ADDRESSES > end)
			continue;
		multiboot.header = image_u32(image, at + 12);
		multiboot.load = image_u32(image, at + 16);
		multiboot.load_end = image_u32(image, at + 20);
		multiboot.bss_end = image_u32(image, at + 24);
		multiboot.entry = image_u32(image, at + 28);
		return multiboot;
	}
	return (struct image_multiboot){0};
}

bool image_multiboot_has_addresses(const struct image_multiboot *multiboot)
{
	return multiboot->found && multiboot->flags & FLAG_ADDRESSES;
}

int image_check_multiboot(const struct image_multiboot *multiboot, const char *name, struct error *error)
{
	uint32_t unknown = multiboot->flags & FLAGS_REQUIRED & ~FLAGS_KNOWN;

	if (unknown == FLAG_VIDEO)
		return image_bad(error, name, "its Multiboot header asks for a video mode, and there is no screen",
				 "build it without that flag");
	if (unknown)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: its Multiboot header requires what flags 0x%" PRIx32
				 " mean, and only 0x%x are known; build it without them",
				 name, unknown, FLAGS_KNOWN);
	return 0;
}

/* Which part of the file goes where (3.1.3). Offset and sizes are held against the file with all segments. */
static bool resolve(const struct image *image, const struct image_multiboot *multiboot,
		    struct image_segment *ret_segment)
{
	/* Far more than there can be if the header would be below what is loaded. */
	uint32_t before = multiboot->header - multiboot->load;
	uint64_t size, memory;

	if (before > multiboot->offset)
		return false;
	size = image->size - (multiboot->offset - before);
	if (multiboot->load_end != 0) {
		if (multiboot->load_end <= multiboot->load)
			return false;
		size = multiboot->load_end - multiboot->load;
	}
	memory = size;
	if (multiboot->bss_end != 0) {
		if (multiboot->bss_end < multiboot->load + size)
			return false;
		memory = multiboot->bss_end - multiboot->load;
	}
	*ret_segment = (struct image_segment){
		.gpa = gpa_at(multiboot->load),
		.address = multiboot->load,
		.memory_size = memory,
		.file_offset = multiboot->offset - before,
		.file_size = size,
		.writable = true,
	};
	return true;
}

int image_read_multiboot(struct image *image, const struct image_multiboot *multiboot, const char *name,
			 struct error *error)
{
	struct image_segment segment;
	int rc;

	image->format = IMAGE_MULTIBOOT;
	rc = image_check_multiboot(multiboot, name, error);
	if (rc != 0)
		return rc;
	if (!resolve(image, multiboot, &segment))
		return image_bad(error, name, "the address fields of its Multiboot header contradict one another",
				 "link it again");
	image->segments = calloc(1, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	rc = image_add_segment(image, &segment, name, error);
	if (rc != 0)
		return rc;
	image->entry = multiboot->entry;
	return image_check_entry(image, name, error);
}
