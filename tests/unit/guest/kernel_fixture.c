/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel_fixture.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *copy;
struct image image;

int parse(const void *data, size_t size, struct error *error)
{
	copy = malloc(size);
	assert_non_null(copy);
	memcpy(copy, data, size);
	*error = (struct error){0};
	return image_from_memory(&image, copy, size, "kernel", error);
}

void done(void)
{
	image_close(&image);
	free(copy);
}

void accepted(const void *data, size_t size, enum image_format format)
{
	struct error error;

	if (parse(data, size, &error) != 0)
		fail_msg("refused: '%s'", error.text);
	assert_int_equal(image.format, format);
}

void accepted_elf(struct elf_file *file, enum image_format format)
{
	elf_write(file);
	accepted(file->data, file->size, format);
}

void refused(const void *data, size_t size, const char *line)
{
	struct error error;

	assert_true(parse(data, size, &error) < 0);
	assert_string_equal(error.text, line);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_null(image.segments);
	done();
}

void refused_elf(struct elf_file *file, const char *line)
{
	elf_write(file);
	refused(file->data, file->size, line);
}

void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

void put_multiboot(uint8_t *at, uint32_t flags)
{
	put32(at, MULTIBOOT_MAGIC);
	put32(at + 4, flags);
	put32(at + 8, -(MULTIBOOT_MAGIC + flags));
}

void multiboot_elf(struct elf_file *file, bool narrow, uint32_t flags)
{
	elf_valid(file);
	if (narrow)
		elf_make_narrow(file);
	put_multiboot(file->code, flags);
}

void put_addresses(uint8_t *raw, uint32_t flags, const struct addresses *addresses)
{
	put_multiboot(raw + RAW_HEADER, flags);
	memcpy(raw + RAW_HEADER + 12, addresses, sizeof(*addresses));
}
