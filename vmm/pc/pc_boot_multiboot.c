/* SPDX-License-Identifier: GPL-2.0-only */
/* Multiboot Specification 0.6.96, 3.2 Machine state, 3.3 Boot information format. */
#include <stddef.h>

#include "vmm/pc/pc_boot_layout.h"

#define MAGIC 0x2badb002

#define FLAG_MEMORY 0x001u
#define FLAG_COMMAND_LINE 0x004u
#define FLAG_MODULES 0x008u
#define FLAG_MEMORY_MAP 0x040u
#define FLAG_LOADER_NAME 0x200u

struct information {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB, from 0 and from 1 MiB */
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t mods_count, mods_address;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_address;
	uint32_t drives_length, drives_address;
	uint32_t config_table;
	uint32_t loader_name;
};

_Static_assert(offsetof(struct information, mmap_length) == 44 && offsetof(struct information, loader_name) == 64,
	       "the specification's layout");

struct module {
	uint32_t start, end;
	uint32_t string;
	uint32_t reserved;
};

_Static_assert(sizeof(struct module) == 16, "the specification's layout");

struct map_entry {
	uint32_t size; /* of what follows it */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct map_entry) == 24, "the specification's layout");

#define MAP PC_BOOT_LISTS
#define MODULES (MAP + sizeof(struct map_entry) * PC_MEMORY_RANGES_MAX)
#define LOADER_NAME (MODULES + sizeof(struct module) * PC_FILES_MAX)

_Static_assert(LOADER_NAME + 16 <= PC_BOOT_COMMAND_LINE, "the lists have room");

static size_t write_map(const struct guest_ram *ram)
{
	struct pc_memory_range ranges[PC_MEMORY_RANGES_MAX];
	size_t count = pc_boot_memory_map(ram->size, ranges);

	for (size_t i = 0; i < count; i++) {
		const struct map_entry entry = {sizeof(entry) - sizeof(entry.size), ranges[i].start, ranges[i].size,
						ranges[i].type};

		pc_boot_put(ram, MAP + sizeof(entry) * i, &entry, sizeof(entry));
	}
	return sizeof(struct map_entry) * count;
}

static void write_modules(const struct guest_ram *ram, const struct pc_boot *boot, const struct pc_boot_places *places)
{
	for (size_t i = 0; i < boot->file_count; i++) {
		const struct module module = {
			.start = (uint32_t)places->file[i],
			.end = (uint32_t)(places->file[i] + boot->files[i].size),
			.string = (uint32_t)places->name[i],
		};

		pc_boot_put(ram, MODULES + sizeof(module) * i, &module, sizeof(module));
	}
}

static void write_multiboot(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot,
			    const struct pc_boot_places *places, uint64_t rsdp, struct pc_start *start)
{
	static const char loader_name[] = "sidestep";
	const struct information information = {
		.flags = FLAG_MEMORY | FLAG_COMMAND_LINE | FLAG_MODULES | FLAG_MEMORY_MAP | FLAG_LOADER_NAME,
		.mem_lower = PC_LOW_MEMORY_END >> 10,
		.mem_upper = (uint32_t)((guest_ram_low(ram) >> 10) - 1024),
		.command_line = PC_BOOT_COMMAND_LINE,
		.mods_count = (uint32_t)boot->file_count,
		.mods_address = MODULES,
		.mmap_length = (uint32_t)write_map(ram),
		.mmap_address = MAP,
		.loader_name = LOADER_NAME,
	};

	/* It is looked for below 1 MiB. */
	(void)rsdp;
	(void)image;
	write_modules(ram, boot, places);
	pc_boot_put(ram, LOADER_NAME, loader_name, sizeof(loader_name));
	pc_boot_put(ram, PC_BOOT_INFO, &information, sizeof(information));
	start->rax = MAGIC;
	start->rbx = PC_BOOT_INFO;
}

const struct pc_protocol pc_multiboot = {.program = "kernel", .write = write_multiboot};
