/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>

#include "vmm/guest/guest_ram.h"
#include "vmm/guest/image_parse.h"

/* Guest-physical addresses above this are refused early; nothing we run has so much memory. */
#define SEGMENT_LIMIT (UINT64_C(1) << 46)

int image_bad(struct error *error, const char *name, const char *what, const char *remedy)
{
	return error_set(error, -ENOEXEC, STATUS_USAGE, "%s: %s; %s", name, what, remedy);
}

static bool overlaps(const struct image_segment *a, const struct image_segment *b)
{
	return a->gpa.v < b->gpa.v + b->memory_size && b->gpa.v < a->gpa.v + a->memory_size;
}

static const char *relink(const struct image *image)
{
	return image_format_is_kernel(image->format) ? "link it elsewhere" : "link with guest.ld";
}

/* Kernels have the memory of a PC below them, and are entered with the first 4 GiB of addresses. */
static int check_kernel_place(const struct image_segment *segment, const char *name, struct error *error)
{
	const struct image_segment kept = {.gpa = gpa_at(IMAGE_KEPT_BASE),
					   .memory_size = IMAGE_KEPT_END - IMAGE_KEPT_BASE};

	if (overlaps(segment, &kept))
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " of 0x%" PRIx64
				 " bytes touches 0x%x to 0x%x, which is the platform's; link it elsewhere",
				 name, segment->gpa.v, segment->memory_size, IMAGE_KEPT_BASE, IMAGE_KEPT_END - 1);
	if (segment->gpa.v + segment->memory_size > RAM_HOLE_BASE)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " of 0x%" PRIx64
				 " bytes reaches above 0x%" PRIx64 ", where devices are; link it lower",
				 name, segment->gpa.v, segment->memory_size, RAM_HOLE_BASE);
	return 0;
}

static int check_place(const struct image *image, const struct image_segment *segment, const char *name,
		       struct error *error)
{
	bool kernel = image_format_is_kernel(image->format);

	if (!kernel && segment->gpa.v < SS_IMAGE_GPA)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " lies below 0x%x, where guests start; "
				 "link with guest.ld",
				 name, segment->gpa.v, SS_IMAGE_GPA);
	if (segment->gpa.v > SEGMENT_LIMIT || segment->memory_size > SEGMENT_LIMIT)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " of 0x%" PRIx64
				 " bytes is outside any guest memory; %s",
				 name, segment->gpa.v, segment->memory_size, relink(image));
	return kernel ? check_kernel_place(segment, name, error) : 0;
}

static int check_segment(const struct image *image, const struct image_segment *segment, const char *name,
			 struct error *error)
{
	int rc;

	if (segment->file_size > segment->memory_size)
		return image_bad(error, name, "a segment is larger in the file than in memory", "link it again");
	if (segment->file_offset > image->size || segment->file_size > image->size - segment->file_offset)
		return image_bad(error, name, "truncated: a segment lies beyond the end of the file",
				 "copy or build it again");
	rc = check_place(image, segment, name, error);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < image->segment_count; i++)
		if (overlaps(segment, &image->segments[i]))
			return error_set(error, -ENOEXEC, STATUS_USAGE,
					 "%s: segments at 0x%" PRIx64 " and 0x%" PRIx64 " overlap; %s", name,
					 image->segments[i].gpa.v, segment->gpa.v, relink(image));
	return 0;
}

int image_add_segment(struct image *image, const struct image_segment *segment, const char *name, struct error *error)
{
	int rc = check_segment(image, segment, name, error);

	if (rc == 0)
		image->segments[image->segment_count++] = *segment;
	return rc;
}

int image_check_entry(const struct image *image, const char *name, struct error *error)
{
	if (image_segment_at(image, image->entry))
		return 0;
	return image_bad(error, name, "its entry point is in no loaded segment",
			 image_format_is_kernel(image->format) ? "link it again" : "link with guest.ld");
}
