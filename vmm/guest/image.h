/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest image: an x86-64 ELF executable, or a flat binary that is loaded at SS_IMAGE_GPA and entered at its first
 * byte; or a kernel that others wrote, with its boot protocol. The contents tell which. The catalogue of operations, if
 * there is one, is read from the file; nothing of it is taken from guest memory later.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guestfw/abi.h"
#include "views/layout.h"
#include "views/gpa.h"
#include "vmm/guest/marks.h"

/* What a file may have at most, whatever it claims: reading one takes a moment and little memory. The same numbers
 * are in docs/guest-abi.md. */
#define IMAGE_SIZE_MAX (UINT64_C(256) << 20)
#define IMAGE_SEGMENTS_MAX 256 /* program headers */
#define IMAGE_SECTIONS_MAX 4096
#define IMAGE_SYMBOLS_MAX (UINT64_C(1) << 20)
#define IMAGE_LINUX_HEADER_MAX (0x290 - 0x1f1) /* bytes; boot_params has no more room */
#define IMAGE_NAME_MAX 512 /* bytes; what has a longer name counts as without one */

/* No segment of a kernel may be here: what it finds at its start, the screen and firmware are. */
#define IMAGE_KEPT_BASE 0x80000
#define IMAGE_KEPT_END 0x100000

/* What a file is: FORMAT(NAME, key, "what it is"). */
#define IMAGE_FORMATS(X)                                                                           \
	X(ELF64, "elf", "an x86-64 ELF executable")                                                \
	X(FLAT, "flat", "a flat binary")                                                           \
	X(MULTIBOOT, "multiboot", "a kernel with a Multiboot 1 header")                            \
	X(BZIMAGE, "bzimage", "a Linux kernel as it is installed")                                 \
	X(VMLINUX, "vmlinux", "a Linux kernel as an ELF file")                                     \
	X(PVH, "pvh", "an ELF file with Xen's note of a PVH entry")

enum image_format {
#define X(name, key, text) IMAGE_##name,
	IMAGE_FORMATS(X)
#undef X
	IMAGE_FORMAT_COUNT
};

extern const char *const image_format_keys[IMAGE_FORMAT_COUNT], *const image_format_texts[IMAGE_FORMAT_COUNT];

/* Whether it expects a computer with firmware's leavings, interrupt controllers and timers, not guestfw/abi.h. */
static inline bool image_format_is_kernel(enum image_format format)
{
	return format >= IMAGE_MULTIBOOT;
}

static inline bool image_format_is_linux(enum image_format format)
{
	return format == IMAGE_BZIMAGE || format == IMAGE_VMLINUX;
}

struct image_segment {
	gpa_t gpa;
	uint64_t address; /* that the guest's code uses; the same in most images */
	uint64_t memory_size;
	uint64_t file_offset, file_size;
	bool writable;
};

struct image_symbol {
	uint64_t address, size;
	const char *name; /* points into the image */
	const char *module; /* of Linux that it is of, in a file of symbols; NULL: of none */
	size_t section;	    /* its number in an ELF file */
};

struct image_section {
	const char *name; /* points into the image */
	uint64_t address, size;
	size_t number;
	bool loaded; /* occupies memory */
	bool executable;
};

struct image {
	const uint8_t *data;
	size_t size; /* of the file */
	size_t held; /* bytes of it that `data` has: all, or of a bzimage its header; the rest is read where it belongs */
	bool mapped; /* `data` is ours, from the file that `fd` and `path` are of */
	int fd;
	const char *path;
	enum image_format format;
	uint64_t entry; /* of kernels a guest-physical address */
	/* Of a bzimage, from its header (Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"), and of
	 * a vmlinux, which has none. */
	struct image_linux {
		size_t header_size;	/* bytes from 0x1f1 of the file, for boot_params; all in the file */
		uint64_t initrd_max;	/* the last address that the initial file system may have */
		uint32_t command_line_max; /* bytes without the NUL */
	} linux_kernel;
	struct image_segment *segments;
	size_t segment_count;
	struct image_symbol *symbols; /* functions and data, ascending by address */
	size_t symbol_count;
	struct image_section *sections; /* with a name */
	size_t section_count;
	struct ss_operation *operations; /* validated copy of the catalogue */
	size_t operation_count;
	struct marks *marks; /* where there is no catalogue: what the guest names as it runs; NULL: it cannot */
};

/* The whole pages of the first segment that is not writable and shares no page with one that is; size
 * 0 if there is none, as in a flat binary. */
struct gpa_range image_read_only(const struct image *image);

/* Whether what is loaded holds the bytes of an LTR, at any offset. */
bool image_loads_tss(const struct image *image);

/* The first segment whose guest-physical addresses hold this one, or NULL. */
const struct image_segment *image_segment_at(const struct image *image, uint64_t address);

/* The function that holds this one of the addresses that the guest's code uses, or NULL. */
const struct image_symbol *image_symbol_at(const struct image *image, uint64_t address);

/* Where [address, address + size) of the guest's addresses lies in guest-physical memory. Returns 0, or
 * -ENOENT if it is not all in one segment. */
int image_gpa(const struct image *image, uint64_t address, uint64_t size, gpa_t *ret_gpa);

/* How many operations are known by now: those of the catalogue, or those that were named. */
static inline uint32_t image_operations(const struct image *image)
{
	return image->marks ? marks_count(image->marks) : (uint32_t)image->operation_count;
}

/* How many there can be by the end. */
static inline uint32_t image_operations_most(const struct image *image)
{
	return image->marks ? SS_MAX_OPERATIONS : (uint32_t)image->operation_count;
}

/* Name of operation `number` (from 1), "-" for 0, NULL if there is no such operation. */
const char *image_operation_name(const struct image *image, uint32_t number);

#endif
