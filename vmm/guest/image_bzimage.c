/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux, Documentation/arch/x86/boot.rst: "The Real-Mode Kernel Header", "64-bit Boot Protocol". Of the file only the
 * part for protected mode is loaded; the real-mode code before it has nothing to do.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmm/guest/image_parse.h"

#define SECTOR 512
#define SETUP_SECTS 0x1f1
#define SETUP_SECTS_OLD 4 /* what 0 means */
#define SYSSIZE 0x1f4	  /* in units of 16 bytes */
#define BOOT_FLAG 0x1fe
#define BOOT_FLAG_VALUE 0xaa55
#define HEADER_END 0x201 /* the header ends so many bytes behind 0x202 */
#define MAGIC_AT 0x202
#define MAGIC UINT32_C(0x53726448) /* HdrS */
#define VERSION 0x206
#define VERSION_LEAST 0x20c
#define INITRD_MAX 0x22c
#define XLOADFLAGS 0x236
#define XLF_KERNEL_64 1
#define COMMAND_LINE_SIZE 0x238
#define PREF_ADDRESS 0x258
#define PREF_ADDRESS_OLD 0x100000
#define INIT_SIZE 0x260
#define FIELDS_END 0x264

#define ENTRY_64 0x200 /* from where it is loaded */

bool image_is_bzimage(const struct image *image)
{
	return image->size >= MAGIC_AT + 4 && image_u16(image, BOOT_FLAG) == BOOT_FLAG_VALUE &&
	       image_u32(image, MAGIC_AT) == MAGIC;
}

static int check_version(const struct image *image, const char *name, struct error *error)
{
	uint16_t version;

	if (image->size < FIELDS_END)
		return image_bad(error, name, "truncated: the header of a Linux kernel is not all there",
				 "copy or build it again");
	version = image_u16(image, VERSION);
	if (version < VERSION_LEAST)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a Linux kernel with boot protocol %u.%u, and 2.12 is the oldest that is known; "
				 "give Linux 3.8 or later",
				 name, version >> 8, version & 0xff);
	if (MAGIC_AT + image->data[HEADER_END] < FIELDS_END)
		return image_bad(error, name, "damaged: the header of a Linux kernel is too short for its version",
				 "copy or build it again");
	if (!(image_u16(image, XLOADFLAGS) & XLF_KERNEL_64))
		return image_bad(error, name, "a Linux kernel without a 64-bit entry point",
				 "give one for x86-64, built with CONFIG_64BIT");
	return 0;
}

static int find_code(const struct image *image, struct image_segment *ret_segment, const char *name,
		     struct error *error)
{
	uint64_t sectors = image->data[SETUP_SECTS] ? image->data[SETUP_SECTS] : SETUP_SECTS_OLD;
	uint64_t offset = (sectors + 1) * SECTOR, size = image_u32(image, SYSSIZE) * UINT64_C(16);
	uint64_t address = image_u64(image, PREF_ADDRESS), memory = image_u32(image, INIT_SIZE);

	if (offset > image->size || size > image->size - offset)
		return image_bad(error, name, "truncated: less of a Linux kernel than its header says",
				 "copy or build it again");
	if (size <= ENTRY_64)
		return image_bad(error, name, "damaged: a Linux kernel with nothing to enter",
				 "copy or build it again");
	*ret_segment = (struct image_segment){
		.gpa = gpa_at(address ? address : PREF_ADDRESS_OLD),
		.address = address ? address : PREF_ADDRESS_OLD,
		.memory_size = memory > size ? memory : size,
		.file_offset = offset,
		.file_size = size,
		.writable = true,
	};
	return 0;
}

int image_read_bzimage(struct image *image, const char *name, struct error *error)
{
	struct image_segment segment;
	int rc = check_version(image, name, error);

	image->format = IMAGE_BZIMAGE;
	if (rc == 0)
		rc = find_code(image, &segment, name, error);
	if (rc != 0)
		return rc;
	image->segments = calloc(1, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	rc = image_add_segment(image, &segment, name, error);
	if (rc != 0)
		return rc;
	image->entry = segment.gpa.v + ENTRY_64;
	image->linux_kernel = (struct image_linux){
		.header_size = MAGIC_AT + image->data[HEADER_END] - SETUP_SECTS,
		.initrd_max = image_u32(image, INITRD_MAX),
		.command_line_max = image_u32(image, COMMAND_LINE_SIZE),
	};
	/* The file is longer than that, with a sector at least before the code. */
	if (image->linux_kernel.header_size > IMAGE_LINUX_HEADER_MAX)
		image->linux_kernel.header_size = IMAGE_LINUX_HEADER_MAX;
	return 0;
}
