/* SPDX-License-Identifier: GPL-2.0-only */
/* What Multiboot tells: command line, memory, modules. It is checked where it can be, and printed for the host. */
#include "pc.h"

#define MIB 0x100000u

static bool is_available(const struct multiboot *told, uint64_t start, uint64_t end)
{
	for (const struct multiboot_range *range = told->map; is_in_map(told, range); range = next_range(range))
		if (range->type == RANGE_AVAILABLE && start >= range->base && end <= range->base + range->length)
			return true;
	return false;
}

static void map(const struct multiboot *told)
{
	uint64_t end = 0, upper = 0;

	check(told->flags & TOLD_MAP, "there is a memory map");
	for (const struct multiboot_range *range = told->map; is_in_map(told, range); range = next_range(range)) {
		check(range->size >= 20, "an entry of the map has its size");
		check(range->length > 0 && range->base >= end, "the map is in order, and nothing overlaps");
		end = range->base + range->length;
		if (range->base == MIB && range->type == RANGE_AVAILABLE)
			upper = range->length;
		print("memory ");
		print_hex(range->base);
		print(" to ");
		print_hex(end);
		print(range->type == RANGE_AVAILABLE ? " available\n" : " reserved\n");
	}
	check(is_available(told, (uintptr_t)image_start, (uintptr_t)image_end), "the guest is in memory");
	check(is_available(told, 0x1000, 0x80000), "there is low memory");
	check(told->flags & TOLD_MEMORY, "there are sizes of memory");
	check(told->memory_lower >= 512 && told->memory_lower <= 640, "the size of lower memory");
	check(told->memory_upper >> 2 == (uint32_t)(upper >> 12), "the size of upper memory is the map's");
}

static bool are_apart(const char *start, const char *end, const char *other_start, const char *other_end)
{
	return end <= other_start || other_end <= start;
}

static void modules(const struct multiboot *told)
{
	check(told->flags & TOLD_MODULES || told->modules == 0, "modules are told of");
	for (uint32_t i = 0; i < told->modules; i++) {
		const struct multiboot_module *module = told->module + i;

		check((uintptr_t)module->start % 4096 == 0, "modules are at pages");
		check(is_available(told, (uintptr_t)module->start, (uintptr_t)module->end), "modules are in memory");
		check(are_apart(module->start, module->end, image_start, image_end), "modules are beside the guest");
		for (uint32_t j = 0; j < i; j++)
			check(are_apart(module->start, module->end, told->module[j].start, told->module[j].end),
			      "modules are beside one another");
		print("module ");
		print(module->text);
		print(": ");
		for (const char *at = module->start; at < module->end; at++)
			print_char(*at);
	}
}

int guest(const struct multiboot *told)
{
	check(told->flags & TOLD_COMMAND_LINE, "there is a command line");
	print("command line: ");
	print(told->command_line);
	print("\n");
	map(told);
	modules(told);
	check(told->flags & TOLD_LOADER && told->loader[0], "the loader has a name");
	return 0;
}
