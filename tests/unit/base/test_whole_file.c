/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are read as a whole: what they hold, and what is no such file. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "vmm/base/whole_file.h"

#define MIB (UINT64_C(1) << 20)

static const struct whole_file_kind kind = {
	.what = "sort of file",
	.missing = "name another",
	.give = "give another",
	.empty = "fill it",
	.limit = 2 * MIB,
};

static char directory[] = "/tmp/sidestep-whole-XXXXXX";
static char path[64];

/* At most so many bytes at once, and every other time none, for a signal; -1: there is an error. */
static ssize_t at_once;
static int next_errno;

ssize_t __real_pread64(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset)
{
	static unsigned calls;

	if (next_errno) {
		errno = next_errno;
		return -1;
	}
	if (at_once && ++calls % 2) {
		errno = EINTR;
		return -1;
	}
	return __real_pread64(fd, data, at_once && size > (size_t)at_once ? (size_t)at_once : size, offset);
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	at_once = 0;
	next_errno = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void make_file(const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
}

static void refused(const char *name, int result, int status, const char *text)
{
	const uint8_t *data = (const uint8_t *)path;
	struct error error = {0};
	size_t size = 5;

	assert_int_equal(whole_file_read(name, &kind, &data, &size, &error), result);
	assert_int_equal(error.status, status);
	if (strncmp(error.text, name, strlen(name)) != 0 || !strstr(error.text, text))
		fail_msg("'%s' does not say '%s' of %s", error.text, text, name);
	assert_ptr_equal(data, path);
	assert_int_equal(size, 5);
}

static void expect(const void *wanted, size_t wanted_size)
{
	struct error error = {0};
	const uint8_t *data;
	size_t size;

	if (whole_file_read(path, &kind, &data, &size, &error) != 0)
		fail_msg("refused: '%s'", error.text);
	assert_int_equal(size, wanted_size);
	assert_memory_equal(data, wanted, size);
	assert_int_equal((uintptr_t)data % 4096, 0);
	whole_file_free(data, size);
}

/* Up to the limit, and however few bytes come at once. */
static void all_of_it(void **state)
{
	static uint8_t bytes[2 * MIB + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t size = 1; size <= 2 * MIB; size = size < 4000 ? size * 63 : size * 8) {
		make_file(bytes, size);
		expect(bytes, size);
	}
	make_file(bytes, 2 * MIB);
	expect(bytes, 2 * MIB);
	at_once = 4099;
	expect(bytes, 2 * MIB);
	make_file(bytes, 2 * MIB + 1);
	refused(path, -EFBIG, STATUS_USAGE, "2097153 bytes are too large for a sort of file; the limit is 2 MiB");
	whole_file_free(NULL, 0);
}

/* A copy: what becomes of the file afterwards does not reach it. */
static void changed_later(void **state)
{
	struct error error = {0};
	const uint8_t *data;
	size_t size;

	(void)state;
	make_file("as it was", 9);
	assert_int_equal(whole_file_read(path, &kind, &data, &size, &error), 0);
	assert_int_equal(truncate(path, 0), 0);
	make_file("different", 9);
	assert_int_equal(size, 9);
	assert_memory_equal(data, "as it was", 9);
	whole_file_free(data, size);
}

/* Into memory of the caller, a part of it; not beyond what is there now. */
static void a_part(void **state)
{
	uint8_t bytes[8] = "........";
	struct error error = {0};
	size_t size = 0;
	int fd;

	(void)state;
	make_file("0123456789", 10);
	fd = whole_file_open(path, &kind, &size, &error);
	assert_true(fd >= 0);
	assert_int_equal(size, 10);
	assert_int_equal(whole_file_copy(fd, path, 3, bytes, 4, &error), 0);
	assert_memory_equal(bytes, "3456....", 8);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(whole_file_copy(fd, path, 3, bytes, 4, &error), -EIO);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_non_null(strstr(error.text, "cannot be read: Input/output error"));
	close(fd);
}

static void not_such_files(void **state)
{
	char long_name[300];

	(void)state;
	refused(path, -ENOENT, STATUS_USAGE, "No such file or directory; name another");
	refused(directory, -EINVAL, STATUS_USAGE, "not a regular file; give another");
	refused("/dev/null", -EINVAL, STATUS_USAGE, "not a regular file; give another");
	refused("/dev/zero", -EINVAL, STATUS_USAGE, "not a regular file; give another");
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	refused(long_name, -ENAMETOOLONG, STATUS_USAGE, "");
	make_file("", 0);
	refused(path, -ENOEXEC, STATUS_USAGE, "empty file; fill it");
	unlink(path);
	/* Nobody writes to it, and nobody waits for somebody who does. */
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(60);
	refused(path, -EINVAL, STATUS_USAGE, "not a regular file; give another");
	alarm(0);
}

static void read_errors(void **state)
{
	(void)state;
	make_file("text", 4);
	next_errno = EIO;
	refused(path, -EIO, STATUS_USAGE, "cannot be read: Input/output error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(changed_later, setup, teardown),
		cmocka_unit_test_setup_teardown(a_part, setup, teardown),
		cmocka_unit_test_setup_teardown(not_such_files, setup, teardown),
		cmocka_unit_test_setup_teardown(read_errors, setup, teardown),
	};

	return cmocka_run_group_tests_name("whole_file", tests, NULL, NULL);
}
