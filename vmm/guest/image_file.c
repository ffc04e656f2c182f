/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/image_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/whole_file.h"
#include "vmm/guest/image_parse.h"

/* Bytes that tell what a file is, and hold the header of a bzimage. */
#define START_SIZE 4096

extern const uint8_t firmware_start[], firmware_end[];

static int read_flat(struct image *image)
{
	image->segments = calloc(1, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	image->segments[0] = (struct image_segment){
		.gpa = gpa_at(SS_IMAGE_GPA),
		.address = SS_IMAGE_GPA,
		.memory_size = image->size,
		.file_size = image->size,
		.writable = true,
	};
	image->segment_count = 1;
	image->entry = SS_IMAGE_GPA;
	image->format = IMAGE_FLAT;
	return 0;
}

static int parse(struct image *image, const char *name, struct error *error)
{
	struct image_multiboot multiboot = image_find_multiboot(image);

	if (image_is_elf(image))
		return image_read_elf(image, &multiboot, name, error);
	if (image_is_bzimage(image))
		return image_read_bzimage(image, name, error);
	if (image_multiboot_has_addresses(&multiboot))
		return image_read_multiboot(image, &multiboot, name, error);
	return read_flat(image);
}

static int parse_named(struct image *image, const char *name, struct error *error)
{
	int rc = parse(image, name, error);

	if (rc == -ENOMEM)
		error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", name);
	if (rc != 0)
		image_close(image);
	return rc;
}

int image_from_memory(struct image *image, const void *data, size_t size, const char *name,
		      struct error *error)
{
	*image = (struct image){.data = data, .size = size, .held = size};
	return parse_named(image, name, error);
}

int image_builtin(struct image *image, struct error *error)
{
	return image_from_memory(image, firmware_start, (size_t)(firmware_end - firmware_start),
				 "built-in firmware", error);
}

/* Of a bzimage only the header is looked at. */
static int take(struct image *image, struct error *error)
{
	size_t start = image->size < START_SIZE ? image->size : START_SIZE;
	int rc = whole_file_take(image->fd, image->path, start, &image->data, error);

	if (rc != 0)
		return rc;
	image->held = start;
	if (start == image->size || image_is_bzimage(image))
		return 0;
	whole_file_free(image->data, start);
	image->data = NULL;
	image->held = image->size;
	return whole_file_take(image->fd, image->path, image->size, &image->data, error);
}

int image_open(struct image *image, const char *path, struct error *error)
{
	static const struct whole_file_kind kind = {
		.what = "guest image",
		.missing = "name a guest image to run",
		.give = "give an ELF file, a flat binary or a kernel",
		.empty = "build it again",
		.limit = IMAGE_SIZE_MAX,
	};
	size_t size = 0;
	int fd = whole_file_open(path, &kind, &size, error), rc;

	*image = (struct image){0};
	if (fd < 0)
		return fd;
	*image = (struct image){.size = size, .mapped = true, .fd = fd, .path = path};
	rc = take(image, error);
	if (rc == 0)
		return parse_named(image, path, error);
	image_close(image);
	return rc;
}

void image_close(struct image *image)
{
	free(image->segments);
	free(image->symbols);
	free(image->sections);
	free(image->operations);
	marks_destroy(image->marks);
	if (image->mapped) {
		whole_file_free(image->data, image->held);
		close(image->fd);
	}
	*image = (struct image){0};
}

int image_allow_marks(struct image *image)
{
	if (image->operation_count)
		return 0;
	image->marks = marks_create();
	return image->marks ? 0 : -ENOMEM;
}

int image_check_fit(const struct image *image, uint64_t memory_size, struct error *error)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (!guest_ram_contains(memory_size, segment->gpa, segment->memory_size))
			return error_set(error, -ERANGE, STATUS_USAGE,
					 "the guest's segment at 0x%" PRIx64 " of %" PRIu64
					 " bytes is outside its memory of %" PRIu64
					 " MiB; give it more with -m or link it lower",
					 segment->gpa.v, segment->memory_size, memory_size >> 20);
	}
	return 0;
}

static int load(const struct image *image, const struct image_segment *segment, const struct guest_ram *ram,
		struct error *error)
{
	void *to = guest_ram_at(ram, segment->gpa, segment->file_size);

	assert(to);
	if (segment->file_offset + segment->file_size > image->held)
		return whole_file_copy(image->fd, image->path, segment->file_offset, to, segment->file_size, error);
	memcpy(to, image->data + segment->file_offset, segment->file_size);
	return 0;
}

int image_load(const struct image *image, const struct guest_ram *ram, struct error *error)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < image->segment_count; i++)
		rc = load(image, &image->segments[i], ram, error);
	return rc;
}
