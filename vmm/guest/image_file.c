/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/image_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/base/whole_file.h"
#include "vmm/guest/image_parse.h"

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

int image_from_memory(struct image *image, const void *data, size_t size, const char *name,
		      struct error *error)
{
	int rc;

	*image = (struct image){.data = data, .size = size};
	rc = parse(image, name, error);
	if (rc == -ENOMEM)
		error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", name);
	if (rc != 0)
		image_close(image);
	return rc;
}

int image_builtin(struct image *image, struct error *error)
{
	return image_from_memory(image, firmware_start, (size_t)(firmware_end - firmware_start),
				 "built-in firmware", error);
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
	const uint8_t *data = NULL;
	size_t size = 0;
	int rc;

	*image = (struct image){0};
	rc = whole_file_read(path, &kind, &data, &size, error);
	if (rc != 0)
		return rc;
	rc = image_from_memory(image, data, size, path, error);
	if (rc == 0)
		image->mapped = true;
	else
		whole_file_free(data, size);
	return rc;
}

void image_close(struct image *image)
{
	free(image->segments);
	free(image->symbols);
	free(image->sections);
	free(image->operations);
	marks_destroy(image->marks);
	if (image->mapped)
		whole_file_free(image->data, image->size);
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

int image_load(const struct image *image, const struct guest_ram *ram)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		int rc = guest_ram_write(ram, segment->gpa, image->data + segment->file_offset,
					 segment->file_size);
		if (rc != 0)
			return rc;
	}
	return 0;
}
