/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/pc/pc_boot_fixture.h"

uint8_t file_data[8192];
struct image_segment segment;

struct image make_image(enum image_format format)
{
	for (size_t i = 0; i < sizeof(file_data); i++)
		file_data[i] = (uint8_t)(i * 7 + 1);
	segment = (struct image_segment){.gpa = gpa_at(LOAD), .address = LOAD, .memory_size = 2 * MIB,
					 .file_offset = 4096, .file_size = 4096};
	return (struct image){
		.data = file_data,
		.size = sizeof(file_data),
		.held = sizeof(file_data),
		.format = format,
		.entry = LOAD + 0x200,
		.segments = &segment,
		.segment_count = 1,
		.linux_kernel = {.header_size = format == IMAGE_BZIMAGE ? 123 : 0, .initrd_max = 0x7fffffff,
				 .command_line_max = 2047},
	};
}

struct guest_ram ram;
struct pc_start start;

void boot_with(const struct image *image, const struct pc_boot *boot, uint64_t memory)
{
	struct error error = {0};

	if (pc_boot_check(image, boot, memory, &error) != 0)
		fail_msg("refused: '%s'", error.text);
	assert_int_equal(guest_ram_create(&ram, memory), 0);
	assert_int_equal(pc_boot_write(&ram, image, boot, RSDP, &start, &error), 0);
}

const struct pc_boot nothing = {.command_line = ""};

uint64_t get(uint64_t gpa, size_t size)
{
	uint64_t value = 0;

	assert_int_equal(guest_ram_read(&ram, gpa_at(gpa), &value, size), 0);
	return value;
}

uint32_t get32(uint64_t gpa)
{
	return (uint32_t)get(gpa, 4);
}

const char *text(uint64_t gpa)
{
	const char *at = guest_ram_at(&ram, gpa_at(gpa), 1);

	assert_non_null(at);
	return at;
}
