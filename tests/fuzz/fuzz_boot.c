/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that others wrote: what is accepted and fits is written into guest memory, and where it starts is in it. The
 * first 16 bytes of the input say how much memory there is, how long the command line is and how large two files are.
 */
#include "fuzz.h"
#include "vmm/guest/image_file.h"
#include "vmm/pc/pc_boot.h"

#define MEMORY_MAX 64 /* MiB */
#define COMMAND_LINE_SIZE 5000
#define FILE_MAX (1u << 16)

static uint8_t bytes[FILE_MAX];
static char command_line[COMMAND_LINE_SIZE];

static void start(const struct image *image, const struct pc_boot *boot, uint64_t memory)
{
	struct guest_ram ram = {0};
	struct error error = {0};
	struct pc_start start = {0};

	if (pc_boot_check(image, boot, memory, &error) != 0) {
		MUST(error.text[0]);
		return;
	}
	MUST(guest_ram_create(&ram, memory) == 0);
	MUST(pc_boot_write(&ram, image, boot, 0, &start, &error) == 0);
	MUST(guest_ram_contains(memory, gpa_at(start.rip), 1));
	MUST(guest_ram_contains(memory, gpa_at(start.gdt), start.gdt_limit + UINT64_C(1)));
	MUST(start.long_mode == (start.cr3 != 0));
	MUST(start.rbx || start.rsi);
	guest_ram_destroy(&ram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint64_t memory = (fuzz_take(&input, 4) % (MEMORY_MAX * 256) + 256) * 4096;
	uint64_t length = fuzz_take(&input, 4) % COMMAND_LINE_SIZE;
	struct pc_file files[2] = {{bytes, fuzz_take(&input, 4) % FILE_MAX, "one", -1},
				   {bytes, fuzz_take(&input, 4) % FILE_MAX, "two", -1}};
	const struct pc_boot boot = {command_line, files, 2};
	struct error error = {0};
	struct image image;

	if (image_from_memory(&image, input.data, input.size, "input", &error) != 0) {
		MUST(error.text[0]);
		return 0;
	}
	memset(command_line, 'x', length);
	command_line[length] = '\0';
	if (image_format_is_kernel(image.format))
		start(&image, &boot, memory);
	image_close(&image);
	return 0;
}
