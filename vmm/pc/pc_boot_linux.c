/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux, Documentation/arch/x86/boot.rst, "64-bit Boot Protocol", and zero-page.rst. */
#include <asm/bootparam.h>
#include <string.h>

#include "vmm/pc/pc_boot_layout.h"

#define BOOT_FLAG 0xaa55
#define HEADER_MAGIC 0x53726448 /* HdrS */
#define VERSION 0x20f
#define LOADER_UNKNOWN 0xff
#define KERNEL_ALIGNMENT 0x200000

_Static_assert(sizeof(struct boot_params) == 4096, "a page");
_Static_assert(offsetof(struct boot_params, hdr) == 0x1f1, "where it is in the file, too");
_Static_assert(offsetof(struct boot_params, hdr) + IMAGE_LINUX_HEADER_MAX <=
		       offsetof(struct boot_params, edd_mbr_sig_buffer),
	       "a header of the file fits");

/* What the header of a file would say. */
static const struct setup_header made_up = {
	.boot_flag = BOOT_FLAG,
	.header = HEADER_MAGIC,
	.version = VERSION,
	.loadflags = LOADED_HIGH,
	.kernel_alignment = KERNEL_ALIGNMENT,
};

static void set_header(struct boot_params *params, const struct image *image)
{
	size_t size = image->linux_kernel.header_size;

	if (size)
		memcpy((uint8_t *)params + offsetof(struct boot_params, hdr),
		       image->data + offsetof(struct boot_params, hdr), size);
	else
		params->hdr = made_up;
}

static void set_memory_map(struct boot_params *params, uint64_t memory)
{
	struct pc_memory_range ranges[PC_MEMORY_RANGES_MAX];

	params->e820_entries = (uint8_t)pc_boot_memory_map(memory, ranges);
	for (size_t i = 0; i < params->e820_entries; i++)
		params->e820_table[i] =
			(struct boot_e820_entry){ranges[i].start, ranges[i].size, ranges[i].type};
}

static void write_linux(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot,
			const struct pc_boot_places *places, uint64_t rsdp, struct pc_start *start)
{
	uint64_t initrd = pc_boot_initrd_size(boot);
	struct boot_params params = {0};

	set_header(&params, image);
	params.hdr.type_of_loader = LOADER_UNKNOWN;
	params.hdr.loadflags |= LOADED_HIGH;
	params.hdr.code32_start = (uint32_t)image->segments[0].gpa.v;
	params.hdr.cmd_line_ptr = PC_BOOT_COMMAND_LINE;
	params.hdr.setup_data = 0;
	if (initrd) {
		params.hdr.ramdisk_image = (uint32_t)places->file[0];
		params.hdr.ramdisk_size = (uint32_t)initrd;
	} else {
		params.hdr.ramdisk_image = params.hdr.ramdisk_size = 0;
	}
	params.acpi_rsdp_addr = rsdp;
	set_memory_map(&params, ram->size);
	pc_boot_put(ram, PC_BOOT_INFO, &params, sizeof(params));
	start->rsi = PC_BOOT_INFO;
}

const struct pc_protocol pc_linux = {.long_mode = true, .one_file = true, .write = write_linux};
