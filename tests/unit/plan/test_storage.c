/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/plan/storage.h"

static char directory[] = "/tmp/sidestep-storage-XXXXXX";
static char path[64], argument[72];

static int setup(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/disk", directory);
	snprintf(argument, sizeof(argument), "%s:ro", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void make_file(off_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), size), 0);
	fclose(file);
}

static void refused(const char *what, int result, const char *text)
{
	struct storage storage;
	struct error error = {0};

	assert_int_equal(storage_open(&storage, what, &error), result);
	assert_int_equal(storage.fd, -1);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, text));
}

static void whole_sectors(void **state)
{
	static const off_t sizes[] = {512, 1024, 1 << 20};
	static const off_t bad[] = {0, 1, 511, 513, (1 << 20) - 1};
	struct storage storage;
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_file(sizes[i]);
		assert_int_equal(storage_open(&storage, path, &error), 0);
		assert_int_equal(storage.bytes, sizes[i]);
		assert_false(storage.read_only);
		assert_int_equal(pwrite(storage.fd, "x", 1, 0), 1);
		storage_close(&storage);
		assert_int_equal(storage.fd, -1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_file(bad[i]);
		refused(path, -EINVAL, "whole sectors of 512");
	}
}

static void read_only(void **state)
{
	struct storage storage;
	struct error error = {0};

	(void)state;
	make_file(512);
	assert_int_equal(storage_open(&storage, argument, &error), 0);
	assert_true(storage.read_only);
	assert_int_equal(storage.bytes, 512);
	assert_int_equal(pwrite(storage.fd, "x", 1, 0), -1);
	storage_close(&storage);
}

static void no_such_file(void **state)
{
	(void)state;
	refused(path, -ENOENT, "No such file");
	refused(argument, -ENOENT, "No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(path, -EINVAL, "not a regular file");
	refused(argument, -EINVAL, "not a regular file");
}

/* One writer, or any number of readers. */
static void locks(void **state)
{
	struct storage first, second;
	struct error error = {0};

	(void)state;
	make_file(512);
	assert_int_equal(storage_open(&first, path, &error), 0);
	refused(path, -EBUSY, "in use as a disk");
	refused(argument, -EBUSY, "in use as a disk");
	storage_close(&first);
	assert_int_equal(storage_open(&first, argument, &error), 0);
	assert_int_equal(storage_open(&second, argument, &error), 0);
	refused(path, -EBUSY, "in use as a disk");
	storage_close(&first);
	storage_close(&second);
	assert_int_equal(storage_open(&first, path, &error), 0);
	storage_close(&first);
}

static void scratch(void **state)
{
	struct storage storage;
	char byte = 1;

	(void)state;
	assert_int_equal(storage_scratch(&storage), 0);
	assert_int_equal(storage.bytes, SCRATCH_SECTORS * 512);
	assert_false(storage.read_only);
	assert_int_equal(pread(storage.fd, &byte, 1, (off_t)storage.bytes - 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(pread(storage.fd, &byte, 1, (off_t)storage.bytes), 0);
	storage_close(&storage);
	storage_close(&storage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_sectors, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(no_such_file, setup, teardown),
		cmocka_unit_test_setup_teardown(locks, setup, teardown),
		cmocka_unit_test(scratch),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
