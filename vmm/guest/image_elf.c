/* SPDX-License-Identifier: GPL-2.0-only */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/guest/image_parse.h"

/* What is read of a vmlinux, which says nothing of it (Linux, COMMAND_LINE_SIZE, and setup.c, where the initial file
 * system may lie). */
#define VMLINUX_COMMAND_LINE_MAX 2047
#define VMLINUX_INITRD_MAX 0x7fffffff

bool image_is_elf(const struct image *image)
{
	return image->size >= SELFMAG && memcmp(image->data, ELFMAG, SELFMAG) == 0;
}

/* The headers of 32-bit files in the form of the 64-bit ones. */
static bool read_header(const struct image *image, Elf64_Ehdr *ret_header)
{
	Elf32_Ehdr narrow;

	if (image->size > EI_CLASS && image->data[EI_CLASS] != ELFCLASS32) {
		if (image->size < sizeof(*ret_header))
			return false;
		memcpy(ret_header, image->data, sizeof(*ret_header));
		return true;
	}
	if (image->size < sizeof(narrow))
		return false;
	memcpy(&narrow, image->data, sizeof(narrow));
	*ret_header = (Elf64_Ehdr){
		.e_type = narrow.e_type,
		.e_machine = narrow.e_machine,
		.e_phoff = narrow.e_phoff,
		.e_shoff = narrow.e_shoff,
		.e_phnum = narrow.e_phnum,
		.e_shnum = narrow.e_shnum,
	};
	memcpy(ret_header->e_ident, narrow.e_ident, sizeof(narrow.e_ident));
	return true;
}

static bool is_narrow(const Elf64_Ehdr *header)
{
	return header->e_ident[EI_CLASS] == ELFCLASS32;
}

/* What the first section counts, if there is one. */
static bool read_first_section(const struct image *image, const Elf64_Ehdr *header, uint64_t *ret_segments,
			       uint64_t *ret_sections)
{
	uint64_t left = header->e_shoff <= image->size ? image->size - header->e_shoff : 0;
	Elf32_Shdr narrow;
	Elf64_Shdr wide;

	if (header->e_shoff == 0 || left < (is_narrow(header) ? sizeof(narrow) : sizeof(wide)))
		return false;
	if (is_narrow(header)) {
		memcpy(&narrow, image->data + header->e_shoff, sizeof(narrow));
		*ret_segments = narrow.sh_info;
		*ret_sections = narrow.sh_size;
	} else {
		memcpy(&wide, image->data + header->e_shoff, sizeof(wide));
		*ret_segments = wide.sh_info;
		*ret_sections = wide.sh_size;
	}
	return true;
}

/* Of program headers and sections, those that do not fit into the header of the file are in its first section. */
static int check_counts(const struct image *image, const Elf64_Ehdr *header, const char *name,
			struct error *error)
{
	uint64_t segments = header->e_phnum, sections = header->e_shnum;
	uint64_t counted_segments, counted_sections;

	if (read_first_section(image, header, &counted_segments, &counted_sections)) {
		if (segments == PN_XNUM)
			segments = counted_segments;
		if (sections == 0)
			sections = counted_sections;
	}
	if (segments > IMAGE_SEGMENTS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %" PRIu64 " program headers, and the limit is %d; link with guest.ld",
				 name, segments, IMAGE_SEGMENTS_MAX);
	if (sections > IMAGE_SECTIONS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %" PRIu64 " sections, and the limit is %d; link with guest.ld", name,
				 sections, IMAGE_SECTIONS_MAX);
	return 0;
}

static bool is_x86(const Elf64_Ehdr *header, const struct image_multiboot *multiboot)
{
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	return (header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_machine == EM_X86_64) ||
	       (is_narrow(header) && header->e_machine == EM_386 && multiboot->found);
}

/* Before libelf sees the file: it sets up all that the header claims. */
static int check_header(const struct image *image, const struct image_multiboot *multiboot, const char *name,
			struct error *error)
{
	Elf64_Ehdr header;

	if (!read_header(image, &header))
		return image_bad(error, name, "truncated ELF header", "copy or build it again");
	if (!is_x86(&header, multiboot))
		return image_bad(error, name, "not an x86-64 image",
				 "give a 64-bit ELF file or a flat binary for x86-64, a Linux kernel for it, or a "
				 "kernel with a Multiboot 1 header");
	if (header.e_type != ET_EXEC)
		return image_bad(error, name, "not a static executable",
				 "link it with -static -no-pie and guest.ld");
	if (header.e_phoff > image->size ||
	    header.e_phnum * (is_narrow(&header) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr)) >
		    image->size - header.e_phoff)
		return image_bad(error, name, "truncated program headers", "copy or build it again");
	return check_counts(image, &header, name, error);
}

static int read_segments(struct image *image, Elf *elf, const char *name, struct error *error)
{
	size_t count;
	int rc;

	if (elf_getphdrnum(elf, &count) != 0 || count == 0)
		return image_bad(error, name, "no program headers, so nothing to load",
				 "link it as an executable");
	image->segments = calloc(count, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header))
			return image_bad(error, name, "truncated program headers", "copy or build it again");
		if (header.p_type != PT_LOAD || header.p_memsz == 0)
			continue;
		rc = image_add_segment(image,
				       &(struct image_segment){
					       .gpa = gpa_at(header.p_paddr),
					       .address = header.p_vaddr,
					       .memory_size = header.p_memsz,
					       .file_offset = header.p_offset,
					       .file_size = header.p_filesz,
					       .writable = header.p_flags & PF_W,
				       },
				       name, error);
		if (rc != 0)
			return rc;
	}
	if (image->segment_count == 0)
		return image_bad(error, name, "no loadable segment", "link it as an executable");
	return 0;
}

/* Entered without paging, at an address that may be meant for the time after it has been turned on. */
static uint64_t physical_entry(const struct image *image, uint64_t entry)
{
	gpa_t gpa;

	return image_gpa(image, entry, 1, &gpa) == 0 ? gpa.v : entry;
}

static int read_multiboot_elf(struct image *image, Elf *elf, uint64_t entry, const struct image_multiboot *multiboot,
			      const char *name, struct error *error)
{
	int rc;

	if (image_multiboot_has_addresses(multiboot))
		return image_read_multiboot(image, multiboot, name, error);
	image->format = IMAGE_MULTIBOOT;
	rc = image_check_multiboot(multiboot, name, error);
	if (rc == 0)
		rc = read_segments(image, elf, name, error);
	if (rc != 0)
		return rc;
	image->entry = physical_entry(image, entry);
	return 0;
}

/* Without a Multiboot header. A vmlinux has both notes: its 64-bit entry needs no 32-bit code to run first. */
static int read_noted_elf(struct image *image, Elf *elf, uint64_t entry, const char *name, struct error *error)
{
	const struct image_notes notes = image_read_notes(image, elf);

	image->format = notes.linux_kernel ? IMAGE_VMLINUX : notes.pvh ? IMAGE_PVH : IMAGE_ELF64;
	image->entry = image->format == IMAGE_PVH ? notes.pvh_entry : entry;
	if (image->format == IMAGE_VMLINUX)
		image->linux_kernel = (struct image_linux){.initrd_max = VMLINUX_INITRD_MAX,
							   .command_line_max = VMLINUX_COMMAND_LINE_MAX};
	return read_segments(image, elf, name, error);
}

static int read_opened(struct image *image, Elf *elf, const struct image_multiboot *multiboot, const char *name,
		       struct error *error)
{
	GElf_Ehdr header;
	int rc;

	if (!gelf_getehdr(elf, &header))
		return image_bad(error, name, "truncated ELF header", "copy or build it again");
	rc = multiboot->found ? read_multiboot_elf(image, elf, header.e_entry, multiboot, name, error)
			      : read_noted_elf(image, elf, header.e_entry, name, error);
	if (rc == 0)
		rc = image_read_sections(image, elf, name, error);
	return rc != 0 ? rc : image_check_entry(image, name, error);
}

int image_read_elf(struct image *image, const struct image_multiboot *multiboot, const char *name,
		   struct error *error)
{
	Elf *elf;
	int rc = check_header(image, multiboot, name, error);

	if (rc != 0)
		return rc;
	elf_version(EV_CURRENT);
	/* libelf takes a char pointer but does not write to memory it was given to read. */
	elf = elf_memory((char *)(uintptr_t)image->data, image->size);
	if (!elf)
		return image_bad(error, name, "damaged ELF file", "copy or build it again");
	rc = read_opened(image, elf, multiboot, name, error);
	elf_end(elf);
	return rc;
}
