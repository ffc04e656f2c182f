/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the readers of images, one file for each kind: image_file.c looks at the contents and calls one of them. All
 * fill in an image whose `data` and `size` are set and the rest 0; `name` is what messages call the file. They return 0
 * or a negative errno and leave it to the caller to free what is there already.
 */
#ifndef VMM_GUEST_IMAGE_PARSE_H
#define VMM_GUEST_IMAGE_PARSE_H

#include <libelf.h>
#include <string.h>

#include "vmm/base/error.h"
#include "vmm/guest/image.h"

/* "NAME: WHAT; REMEDY". Returns -ENOEXEC. */
int image_bad(struct error *error, const char *name, const char *what, const char *remedy);

/* Adds a segment to those that there are, for which the caller has made room, if the file has its bytes, guest memory
 * can have its place, and no other one of the file does. The format has been set. */
int image_add_segment(struct image *image, const struct image_segment *segment, const char *name, struct error *error);

/* Whether the entry point lies in one of the segments. */
int image_check_entry(const struct image *image, const char *name, struct error *error);

/* A Multiboot 1 header as the file has it (Multiboot Specification 0.6.96, 3.1). */
struct image_multiboot {
	bool found;
	uint64_t offset; /* in the file */
	uint32_t flags;
	uint32_t header, load, load_end, bss_end, entry; /* with address fields, otherwise 0 */
};

struct image_multiboot image_find_multiboot(const struct image *image);
bool image_multiboot_has_addresses(const struct image_multiboot *multiboot);

/* Whether the header asks for nothing that it does not get. */
int image_check_multiboot(const struct image_multiboot *multiboot, const char *name, struct error *error);

/* A file with a header whose address fields say what is loaded. */
int image_read_multiboot(struct image *image, const struct image_multiboot *multiboot, const char *name,
			 struct error *error);

bool image_is_bzimage(const struct image *image);
int image_read_bzimage(struct image *image, const char *name, struct error *error);

bool image_is_elf(const struct image *image);
int image_read_elf(struct image *image, const struct image_multiboot *multiboot, const char *name,
		   struct error *error);

/* Sections, symbols and, of an image of sidestep's own kind, the catalogue. */
int image_read_sections(struct image *image, Elf *elf, const char *name, struct error *error);

/* What the notes of an ELF file say of how it is started. */
struct image_notes {
	bool linux_kernel;
	bool pvh;
	uint64_t pvh_entry; /* guest-physical */
};

struct image_notes image_read_notes(const struct image *image, Elf *elf);

/* Little-endian values of the file at an offset that the caller has compared with its size. */
static inline uint32_t image_u32(const struct image *image, uint64_t offset)
{
	uint32_t value;

	memcpy(&value, image->data + offset, sizeof(value));
	return value;
}

static inline uint16_t image_u16(const struct image *image, uint64_t offset)
{
	uint16_t value;

	memcpy(&value, image->data + offset, sizeof(value));
	return value;
}

static inline uint64_t image_u64(const struct image *image, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, image->data + offset, sizeof(value));
	return value;
}

#endif
