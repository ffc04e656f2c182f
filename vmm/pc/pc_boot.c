/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/pc/pc_boot.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "views/guest_paging.h"
#include "vmm/guest/descriptor.h"
#include "vmm/guest/image_file.h"
#include "vmm/pc/pc_boot_layout.h"

_Static_assert(IMAGE_KEPT_BASE <= PC_BOOT_BASE && PC_BOOT_END <= IMAGE_KEPT_END, "no image may lie over this");
_Static_assert(PC_BOOT_END <= PC_LOW_MEMORY_END, "this is memory");
_Static_assert(PC_COMMAND_LINE_MAX + 16 < PC_BOOT_NAMES - PC_BOOT_COMMAND_LINE, "a command line has room");

/* A segment of 32-bit code (Intel SDM vol. 3A, 3.4.5). */
#define DESCRIPTOR_CODE_32 UINT64_C(0x00cf9b000000ffff)

#define MIB (UINT64_C(1) << 20)
#define PTE_TABLE (GUEST_PTE_PRESENT | GUEST_PTE_WRITE)

static const struct pc_protocol *const protocols[IMAGE_FORMAT_COUNT] = {
	[IMAGE_MULTIBOOT] = &pc_multiboot,
	[IMAGE_BZIMAGE] = &pc_linux,
	[IMAGE_VMLINUX] = &pc_linux,
	[IMAGE_PVH] = &pc_pvh,
};

static uint64_t page_up(uint64_t value)
{
	return (value + GPA_PAGE_SIZE - 1) & ~(GPA_PAGE_SIZE - 1);
}

static uint64_t low_memory(uint64_t memory)
{
	return memory < RAM_HOLE_BASE ? memory : RAM_HOLE_BASE;
}

/* Where the kernel's memory ends, and with it what may not be used for files. */
static uint64_t image_end(const struct image *image)
{
	uint64_t end = MIB;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (segment->gpa.v + segment->memory_size > end)
			end = segment->gpa.v + segment->memory_size;
	}
	return page_up(end);
}

/* From the end of low memory downwards, but small files into the room below 640 KiB: what is right behind a kernel is
 * what many of them take first. Returns the lowest address used above 1 MiB. */
static uint64_t place_modules(const struct pc_boot *boot, uint64_t top, struct pc_boot_places *places)
{
	uint64_t small = PC_BOOT_FILES;

	for (size_t i = 0; i < boot->file_count; i++) {
		uint64_t size = page_up(boot->files[i].size);

		if (size <= PC_BOOT_END - small) {
			places->file[i] = small;
			small += size;
		} else {
			top -= size;
			places->file[i] = top;
		}
	}
	return top;
}

/* The end of what the initial file system may have. */
static uint64_t initrd_top(const struct image *image, uint64_t low)
{
	uint64_t end = image->linux_kernel.initrd_max + 1;

	return (low < end ? low : end) & ~(GPA_PAGE_SIZE - 1);
}

/* The sizes of the files have been checked: together they are below 3 GiB. */
static uint64_t place(const struct image *image, const struct pc_boot *boot, uint64_t top,
		      struct pc_boot_places *places)
{
	uint64_t name = PC_BOOT_NAMES;

	if (protocols[image->format]->one_file) {
		places->file[0] = top - page_up(pc_boot_initrd_size(boot));
		return places->file[0];
	}
	for (size_t i = 0; i < boot->file_count; i++) {
		places->name[i] = name;
		name += strlen(boot->files[i].name) + 1;
	}
	return place_modules(boot, top, places);
}

static int check_command_line(const struct image *image, const struct pc_boot *boot, struct error *error)
{
	size_t length = strlen(boot->command_line), limit = PC_COMMAND_LINE_MAX;

	if (protocols[image->format] == &pc_linux && image->linux_kernel.command_line_max < limit)
		limit = image->linux_kernel.command_line_max;
	if (length <= limit)
		return 0;
	return error_set(error, -E2BIG, STATUS_USAGE,
			 "--append: %zu characters, and this kernel takes at most %zu; shorten them", length, limit);
}

static int check_files(const struct image *image, const struct pc_boot *boot, struct error *error)
{
	uint64_t names = 0, size = 0;

	if (boot->file_count > PC_FILES_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "--initrd: %zu files, and at most %d can be given; join some", boot->file_count,
				 PC_FILES_MAX);
	for (size_t i = 0; i < boot->file_count; i++) {
		names += strlen(boot->files[i].name) + 1;
		size = boot->files[i].size < RAM_HOLE_BASE ? size + boot->files[i].size : RAM_HOLE_BASE;
		if (size >= RAM_HOLE_BASE)
			return error_set(error, -EFBIG, STATUS_USAGE,
					 "--initrd: %s is too large for a guest; all files must fit below 3 GiB",
					 boot->files[i].name);
	}
	if (!protocols[image->format]->one_file && names > PC_BOOT_NAMES_SIZE)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "--initrd: names of %" PRIu64
				 " bytes in all, and there is room for %d; give shorter paths",
				 names, PC_BOOT_NAMES_SIZE);
	return 0;
}

static int check_memory(const struct image *image, const struct pc_boot *boot, uint64_t memory, struct error *error)
{
	struct pc_boot_places places;
	/* Sizes below are whole pages, so what is needed does not depend on where the top is. */
	uint64_t top = UINT64_C(1) << 40, end = image_end(image);
	uint64_t files = top - place(image, boot, top, &places), need = (end + files + MIB - 1) / MIB;

	/* A guest without anything above 1 MiB would have no memory map to speak of. */
	if (need < 2)
		need = 2;
	if (end + files > RAM_HOLE_BASE)
		return error_set(error, -ERANGE, STATUS_USAGE,
				 "--initrd: %" PRIu64 " MiB do not fit between the kernel and 3 GiB; give less",
				 (files + MIB - 1) / MIB);
	if (low_memory(memory) < need * MIB)
		return error_set(error, -ERANGE, STATUS_USAGE,
				 "this kernel%s at least %" PRIu64 " MiB of memory, and has %" PRIu64
				 " MiB; give it more with -m",
				 files ? " needs with its --initrd" : " needs", need, memory / MIB);
	if (protocols[image->format]->one_file && files && initrd_top(image, low_memory(memory)) < end + files)
		return error_set(error, -ERANGE, STATUS_USAGE,
				 "--initrd: %" PRIu64 " MiB do not fit between this kernel and 0x%" PRIx64
				 ", the highest address that it allows them; give less",
				 (files + MIB - 1) / MIB, image->linux_kernel.initrd_max);
	return 0;
}

int pc_boot_check(const struct image *image, const struct pc_boot *boot, uint64_t memory, struct error *error)
{
	int rc;

	assert(image_format_is_kernel(image->format));
	rc = check_command_line(image, boot, error);
	if (rc == 0)
		rc = check_files(image, boot, error);
	return rc == 0 ? check_memory(image, boot, memory, error) : rc;
}

bool pc_boot_starts_64(const struct image *image)
{
	return protocols[image->format]->long_mode;
}

static void write_descriptors(const struct guest_ram *ram, bool long_mode, struct pc_start *start)
{
	const uint64_t gdt[] = {
		[PC_SELECTOR_CODE / 8] = long_mode ? DESCRIPTOR_CODE : DESCRIPTOR_CODE_32,
		[PC_SELECTOR_DATA / 8] = DESCRIPTOR_DATA,
	};

	pc_boot_put(ram, PC_BOOT_GDT, gdt, sizeof(gdt));
	start->gdt = PC_BOOT_GDT;
	start->gdt_limit = sizeof(gdt) - 1;
}

static void write_page_tables(const struct guest_ram *ram)
{
	uint64_t entry = PC_BOOT_PDPT | PTE_TABLE;

	pc_boot_put(ram, PC_BOOT_PML4, &entry, sizeof(entry));
	for (uint64_t i = 0; i < 4; i++) {
		entry = (PC_BOOT_PD + GPA_PAGE_SIZE * i) | PTE_TABLE;
		pc_boot_put(ram, PC_BOOT_PDPT + 8 * i, &entry, sizeof(entry));
	}
	for (uint64_t i = 0; i < 4 * 512; i++) {
		entry = GPA_LARGE_PAGE_SIZE * i | GUEST_PTE_LARGE | PTE_TABLE;
		pc_boot_put(ram, PC_BOOT_PD + 8 * i, &entry, sizeof(entry));
	}
}

static void write_command_line(const struct guest_ram *ram, const struct pc_protocol *protocol,
			       const char *command_line)
{
	uint64_t at = PC_BOOT_COMMAND_LINE;

	if (protocol->program) {
		size_t length = strlen(protocol->program);

		pc_boot_put(ram, at, protocol->program, length);
		at += length;
		if (command_line[0] != '\0')
			pc_boot_put(ram, at++, " ", 1);
	}
	pc_boot_put(ram, at, command_line, strlen(command_line) + 1);
}

static int write_files(const struct guest_ram *ram, const struct pc_protocol *protocol, const struct pc_boot *boot,
		       const struct pc_boot_places *places, struct error *error)
{
	uint64_t at = places->file[0];

	for (size_t i = 0; i < boot->file_count; i++) {
		const struct pc_file *file = &boot->files[i];
		int rc;

		if (!protocol->one_file) {
			at = places->file[i];
			pc_boot_put(ram, places->name[i], file->name, strlen(file->name) + 1);
		}
		rc = pc_boot_put_file(ram, at, file, error);
		if (rc != 0)
			return rc;
		at = (at + file->size + 3) & ~UINT64_C(3);
	}
	return 0;
}

int pc_boot_write(const struct guest_ram *ram, const struct image *image, const struct pc_boot *boot, uint64_t rsdp,
		  struct pc_start *ret_start, struct error *error)
{
	const struct pc_protocol *protocol = protocols[image->format];
	uint64_t low = guest_ram_low(ram);
	struct pc_boot_places places = {0};
	struct pc_start start = {.long_mode = protocol->long_mode, .rip = image->entry, .rsp = PC_BOOT_STACK};
	int rc = image_load(image, ram, error);

	if (rc != 0)
		return rc;
	place(image, boot, protocol->one_file ? initrd_top(image, low) : low, &places);
	write_descriptors(ram, protocol->long_mode, &start);
	if (protocol->long_mode) {
		write_page_tables(ram);
		start.cr3 = PC_BOOT_PML4;
	}
	write_command_line(ram, protocol, boot->command_line);
	rc = write_files(ram, protocol, boot, &places, error);
	if (rc != 0)
		return rc;
	protocol->write(ram, image, boot, &places, rsdp, &start);
	*ret_start = start;
	return 0;
}
