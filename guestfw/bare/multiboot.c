/* SPDX-License-Identifier: GPL-2.0-only */
#include "multiboot.h"

#define MULTIBOOT1 0x2badb002
#define MULTIBOOT2 0x36d76289
#define FREE 1 /* type of a range */
/* Types of a framebuffer; what is left is a palette's. */
#define RGB 1
#define EGA_TEXT 2

/* Multiboot Specification 0.6.96, 3.3. */
#define FLAG_MAP (1u << 6)
#define FLAG_FRAMEBUFFER (1u << 12)
struct multiboot_framebuffer {
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bits, type;
} __attribute__((packed));
struct multiboot1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length,
		mmap_addr, drives_length, drives_addr, config_table, boot_loader_name, apm_table, vbe[4];
	struct multiboot_framebuffer framebuffer;
};
struct multiboot1_entry {
	uint32_t size; /* of what follows */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

/* Multiboot2 Specification 2.0, 3.6.8 and 3.6.12. */
#define TAG_MAP 6
#define TAG_FRAMEBUFFER 8
struct multiboot2_tag {
	uint32_t type, size;
};
struct multiboot2_map {
	struct multiboot2_tag tag;
	uint32_t entry_size, entry_version;
};
struct multiboot2_entry {
	uint64_t start, length;
	uint32_t type, reserved;
};

_Static_assert(__builtin_offsetof(struct multiboot1_info, framebuffer) == 88, "where the specification has it");

/* UEFI tells of memory in many pieces, by what it was used for. */
static void add(struct multiboot *told, uint64_t start, uint64_t length, uint32_t type)
{
	struct memory_range *last = told->count ? &told->ranges[told->count - 1] : 0;

	if (type != FREE || !length)
		return;
	if (last && last->end == start)
		last->end = start + length;
	else if (told->count < MEMORY_RANGES_MAX)
		told->ranges[told->count++] = (struct memory_range){start, start + length};
}

static void set_screen(struct screen *screen, const struct multiboot_framebuffer *from)
{
	*screen = (struct screen){
		.kind = from->type == RGB ? SCREEN_PIXELS : from->type == EGA_TEXT ? SCREEN_TEXT : SCREEN_NONE,
		.address = from->address,
		.pitch = from->pitch,
		.width = from->width,
		.height = from->height,
		.pixel_size = (from->bits + 7u) / 8,
	};
}

static void read_first(struct multiboot *told, const struct multiboot1_info *info)
{
	uint64_t at = info->mmap_addr;
	const uint64_t end = at + info->mmap_length;

	while (info->flags & FLAG_MAP && at < end) {
		const struct multiboot1_entry *entry = (const void *)at;

		add(told, entry->start, entry->length, entry->type);
		at += entry->size + sizeof(entry->size);
	}
	if (info->flags & FLAG_FRAMEBUFFER)
		set_screen(&told->screen, &info->framebuffer);
}

static void read_map(struct multiboot *told, const struct multiboot2_map *map)
{
	const uint64_t end = (uint64_t)map + map->tag.size;

	for (uint64_t at = (uint64_t)(map + 1); map->entry_size && at < end; at += map->entry_size) {
		const struct multiboot2_entry *entry = (const void *)at;

		add(told, entry->start, entry->length, entry->type);
	}
}

static void read_second(struct multiboot *told, uint64_t info)
{
	const uint64_t end = info + *(const uint32_t *)info;
	uint64_t at = info + 8;

	while (at + sizeof(struct multiboot2_tag) <= end) {
		const struct multiboot2_tag *tag = (const void *)at;
		const uint64_t next = (at + tag->size + 7) & ~UINT64_C(7);

		if (tag->type == 0 || next <= at)
			return;
		if (tag->type == TAG_MAP)
			read_map(told, (const void *)tag);
		else if (tag->type == TAG_FRAMEBUFFER)
			set_screen(&told->screen, (const void *)(tag + 1));
		at = next;
	}
}

void multiboot_read(struct multiboot *ret_told, uint32_t magic, uint32_t info)
{
	ret_told->count = 0;
	ret_told->screen = (struct screen){.kind = SCREEN_TEXT, .address = SCREEN_EGA, .pitch = SCREEN_EGA_PITCH};
	if (magic == MULTIBOOT1)
		read_first(ret_told, (const void *)(uint64_t)info);
	else if (magic == MULTIBOOT2)
		read_second(ret_told, info);
}
