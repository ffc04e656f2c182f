/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen, docs/misc/pvh.pandoc, and public/arch-x86/hvm/start_info.h, version 1. */
#include <stddef.h>

#include "vmm/pc/pc_boot_layout.h"

#define MAGIC 0x336ec578
#define VERSION 1

struct start_info {
	uint32_t magic, version, flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map;
	uint32_t memory_map_entries;
	uint32_t reserved;
};

_Static_assert(offsetof(struct start_info, memory_map) == 40 && sizeof(struct start_info) == 56, "Xen's layout");

struct module {
	uint64_t start, size;
	uint64_t command_line;
	uint64_t reserved;
};

_Static_assert(sizeof(struct module) == 32, "Xen's layout");

struct map_entry {
	uint64_t start, size;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct map_entry) == 24, "Xen's layout");

#define MAP PC_BOOT_LISTS
#define MODULES (MAP + sizeof(struct map_entry) * PC_MEMORY_RANGES_MAX)

_Static_assert(MODULES + sizeof(struct module) * PC_FILES_MAX <= PC_BOOT_COMMAND_LINE, "the lists have room");

static uint32_t write_map(const struct guest_ram *ram)
{
	struct pc_memory_range ranges[PC_MEMORY_RANGES_MAX];
	size_t count = pc_boot_memory_map(ram->size, ranges);

	for (size_t i = 0; i < count; i++) {
		const struct map_entry entry = {ranges[i].start, ranges[i].size, ranges[i].type, 0};

		pc_boot_put(ram, MAP + sizeof(entry) * i, &entry, sizeof(entry));
	}
	return (uint32_t)count;
}

static void write_modules(const struct guest_ram *ram, const struct pc_boot *boot, const struct pc_boot_places *places)
{
	for (size_t i = 0; i < boot->file_count; i++) {
		const struct module module = {places->file[i], boot->files[i].size, places->name[i], 0};

		pc_boot_put(ram, MODULES + sizeof(module) * i, &module, sizeof(module));
	}
}

static void write_pvh(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot,
		      const struct pc_boot_places *places, uint64_t rsdp, struct pc_start *start)
{
	const struct start_info info = {
		.magic = MAGIC,
		.version = VERSION,
		.module_count = (uint32_t)boot->file_count,
		.modules = boot->file_count ? MODULES : 0,
		.command_line = PC_BOOT_COMMAND_LINE,
		.rsdp = rsdp,
		.memory_map = MAP,
		.memory_map_entries = write_map(ram),
	};

	(void)image;
	write_modules(ram, boot, places);
	pc_boot_put(ram, PC_BOOT_INFO, &info, sizeof(info));
	start->rbx = PC_BOOT_INFO;
}

const struct pc_protocol pc_pvh = {.write = write_pvh};
