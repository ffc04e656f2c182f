/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/guest/image_fixture.h"

#include <stdlib.h>
#include <string.h>

int parse(const void *data, size_t size, struct image *image, struct error *error,
		 void **ret_copy)
{
	void *copy = malloc(size ? size : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, data, size);
	*error = (struct error){0};
	rc = image_from_memory(image, copy, size, "guest.elf", error);
	*ret_copy = copy;
	return rc;
}

void refused(const void *data, size_t size, const char *fragment)
{
	struct image image;
	struct error error;
	void *copy;

	assert_true(parse(data, size, &image, &error, &copy) < 0);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_ptr_equal(strstr(error.text, "guest.elf: "), error.text);
	assert_null(strchr(error.text, '\n'));
	if (!strstr(error.text, fragment))
		fail_msg("'%s' does not say '%s'", error.text, fragment);
	/* Empty, so that closing it again is harmless. */
	assert_null(image.segments);
	assert_null(image.operations);
	assert_int_equal(image.segment_count, 0);
	image_close(&image);
	free(copy);
}

void refused_file(struct elf_file *file, const char *fragment)
{
	elf_write(file);
	refused(file->data, file->size, fragment);
}
