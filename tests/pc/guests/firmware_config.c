/* SPDX-License-Identifier: GPL-2.0-only */
/* The firmware's configuration: who it is, how many processors and how much memory there are. */
#include "pc.h"

#define KEY_SIGNATURE 0
#define KEY_FEATURES 1
#define KEY_MEMORY 3
#define KEY_PROCESSORS 5

int guest(const struct multiboot *told)
{
	uint64_t memory = firmware_item(KEY_MEMORY, 8), available = 0;
	uint32_t processors = (uint32_t)firmware_item(KEY_PROCESSORS, 2);

	check(firmware_item(KEY_SIGNATURE, 4) == 0x554d4551, "the signature is QEMU's");
	check(inb(0x511) == 0, "after an item there is 0");
	check(firmware_item(KEY_FEATURES, 4) & 1, "it has the interface of ports");
	print("processors ");
	print_number(processors);
	print(" memory ");
	print_number((uint32_t)(memory >> 20));
	print("\n");
	check(processors == madt_processors(), "as many processors as the MADT has");
	check(firmware_item(KEY_PROCESSORS, 8) == processors, "it is of 2 bytes");
	for (const struct multiboot_range *range = told->map; is_in_map(told, range); range = next_range(range))
		if (range->type == RANGE_AVAILABLE)
			available += range->length;
	check(available <= memory && memory - available < 0x100000, "as much memory as in the map");
	return 0;
}
