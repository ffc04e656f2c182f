/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes of an ELF file (System V ABI, Note Section), from program headers and from sections. */
#include <elf.h>
#include <gelf.h>

#include "vmm/guest/image_parse.h"

/* Beyond so many of one file nobody looks: many headers may claim the same large part of it. */
#define NOTES_MAX 4096

#define XEN_PHYS32_ENTRY 18 /* Xen, public/elfnote.h */

struct walk {
	const struct image *image;
	unsigned left;
	struct image_notes found;
};

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static bool has_name(const struct walk *walk, uint64_t at, uint64_t size, const char *name)
{
	return size == strlen(name) + 1 && memcmp(walk->image->data + at, name, size) == 0;
}

static void look(struct walk *walk, uint32_t type, uint64_t name, uint64_t name_size, uint64_t data, uint64_t data_size)
{
	if (has_name(walk, name, name_size, "Linux"))
		walk->found.linux_kernel = true;
	if (!has_name(walk, name, name_size, "Xen") || type != XEN_PHYS32_ENTRY || data_size < 4)
		return;
	walk->found.pvh = true;
	walk->found.pvh_entry =
		data_size < 8 ? image_u32(walk->image, data) : image_u64(walk->image, data);
}

/* Notes in [at, at + size) of the file. */
static void walk_notes(struct walk *walk, uint64_t at, uint64_t size, uint64_t align)
{
	uint64_t end;

	if (at > walk->image->size || size > walk->image->size - at)
		return;
	end = at + size;
	align = align == 8 ? 8 : 4;
	while (walk->left > 0 && end - at >= sizeof(Elf64_Nhdr)) {
		uint64_t name_size = image_u32(walk->image, at), data_size = image_u32(walk->image, at + 4);
		uint64_t name = at + sizeof(Elf64_Nhdr), data = at + align_up(sizeof(Elf64_Nhdr) + name_size, align);
		uint64_t next = data + align_up(data_size, align);

		if (data > end || data_size > end - data)
			return;
		walk->left--;
		look(walk, image_u32(walk->image, at + 8), name, name_size, data, data_size);
		if (next > end)
			return;
		at = next;
	}
}

struct image_notes image_read_notes(const struct image *image, Elf *elf)
{
	struct walk walk = {.image = image, .left = NOTES_MAX};
	Elf_Scn *section = NULL;
	size_t count = 0;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_NOTE)
			walk_notes(&walk, header.p_offset, header.p_filesz, header.p_align);
	}
	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE &&
		    !(header.sh_flags & SHF_COMPRESSED))
			walk_notes(&walk, header.sh_offset, header.sh_size, header.sh_addralign);
	}
	return walk.found;
}
