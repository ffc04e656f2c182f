/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel is given beside its image. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/plan/boot_files.h"

static char paths[PC_FILES_MAX][32];
static const char *names[PC_FILES_MAX];
static int fds[PC_FILES_MAX];

/* File number i holds i + 1 bytes of 'a' + i. */
static int make_files(void **state)
{
	char text[PC_FILES_MAX];

	(void)state;
	for (unsigned i = 0; i < PC_FILES_MAX; i++) {
		memset(text, 'a' + (int)i, sizeof(text));
		fds[i] = memfd_create("boot", MFD_CLOEXEC);
		if (fds[i] < 0 || write(fds[i], text, i + 1) != (ssize_t)i + 1)
			return -1;
		snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", fds[i]);
		names[i] = paths[i];
	}
	return 0;
}

static int close_files(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PC_FILES_MAX; i++)
		close(fds[i]);
	return 0;
}

static void in_order(void **state)
{
	struct boot_files files;
	struct error error = {0};
	char text[PC_FILES_MAX + 1];

	(void)state;
	for (unsigned count = 0; count <= PC_FILES_MAX; count++) {
		assert_int_equal(boot_files_open(&files, "console=ttyS0", names, count, &error), 0);
		assert_string_equal(files.boot.command_line, "console=ttyS0");
		assert_int_equal(files.boot.file_count, count);
		assert_ptr_equal(files.boot.files, files.files);
		for (unsigned i = 0; i < count; i++) {
			const struct pc_file *file = &files.boot.files[i];

			assert_string_equal(file->name, names[i]);
			assert_int_equal(file->size, i + 1);
			assert_null(file->data);
			assert_int_equal(pread(file->fd, text, sizeof(text), 0), i + 1);
			for (unsigned j = 0; j <= i; j++)
				assert_int_equal(text[j], 'a' + i);
		}
		boot_files_close(&files);
		assert_int_equal(files.boot.file_count, 0);
		boot_files_close(&files);
	}
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void given_back(void **state)
{
	int opened[PC_FILES_MAX];
	struct boot_files files;
	struct error error = {0};

	(void)state;
	assert_int_equal(boot_files_open(&files, "", names, PC_FILES_MAX, &error), 0);
	for (unsigned i = 0; i < PC_FILES_MAX; i++) {
		opened[i] = files.files[i].fd;
		assert_true(is_open(opened[i]));
	}
	boot_files_close(&files);
	for (unsigned i = 0; i < PC_FILES_MAX; i++)
		assert_false(is_open(opened[i]));
}

static void no_command_line(void **state)
{
	struct boot_files files;
	struct error error = {0};

	(void)state;
	assert_int_equal(boot_files_open(&files, NULL, NULL, 0, &error), 0);
	assert_string_equal(files.boot.command_line, "");
	boot_files_close(&files);
}

/* Those before it are given back. */
static void one_is_bad(void **state)
{
	(void)state;
	for (unsigned bad = 0; bad < PC_FILES_MAX; bad++) {
		struct boot_files files;
		struct error error = {0};

		names[bad] = "/nonexistent";
		assert_int_equal(boot_files_open(&files, "", names, PC_FILES_MAX, &error), -ENOENT);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_non_null(strstr(error.text, "/nonexistent: No such file or directory; "));
		assert_int_equal(files.boot.file_count, bad);
		boot_files_close(&files);
		names[bad] = paths[bad];
	}
}

static void empty(void **state)
{
	struct boot_files files;
	struct error error = {0};

	(void)state;
	assert_int_equal(ftruncate(fds[1], 0), 0);
	assert_int_equal(boot_files_open(&files, "", names, 3, &error), -ENOEXEC);
	assert_non_null(strstr(error.text, "empty file; make it again, or leave it out"));
	boot_files_close(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(given_back),
		cmocka_unit_test(no_command_line),
		cmocka_unit_test(one_is_bad),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests_name("boot_files", tests, make_files, close_files);
}
