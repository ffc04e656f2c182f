/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/patience.h"
#include "vmm/base/stream.h"
#include "vmm/output/output.h"

static char directory[] = "/tmp/sidestep-output-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static int entries(void)
{
	DIR *dir = opendir(directory);
	int count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void expect_contents(const char *wanted)
{
	char data[64] = {0};
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, data, sizeof(data) - 1) >= 0);
	close(fd);
	assert_string_equal(data, wanted);
}

static void commit(void **state)
{
	struct error error = {0};
	struct output output;
	struct stat status;
	mode_t mask;

	(void)state;
	for (int run = 0; run < 2; run++) {
		unlink(path);
		mask = umask(run ? 077 : 022);
		assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
		assert_int_equal(fprintf(output.stream, "complete\n"), 9);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(output_commit(&output, &error), 0);
		umask(mask);
		expect_contents("complete\n");
		assert_int_equal(entries(), 1);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, run ? 0600 : 0644);
		output_discard(&output);
		expect_contents("complete\n");
	}
	/* An old file is replaced at once, not emptied first. */
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	fprintf(output.stream, "new\n");
	fflush(output.stream);
	expect_contents("complete\n");
	assert_int_equal(output_commit(&output, &error), 0);
	expect_contents("new\n");
	assert_int_equal(entries(), 1);
}

static void discard(void **state)
{
	struct error error = {0};
	struct output output;

	(void)state;
	unlink(path);
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	fprintf(output.stream, "half");
	fflush(output.stream);
	output_discard(&output);
	assert_int_equal(entries(), 0);
	output_discard(&output);
}

static void refused(const char *name, const char *fragment)
{
	struct error error = {0};
	struct output output;

	assert_true(output_open(&output, name, JAIL_ON, &error) < 0);
	assert_int_equal(error.status, STATUS_USAGE);
	if (!strstr(error.text, name) || !strstr(error.text, fragment))
		fail_msg("'%s' does not say '%s' and '%s'", error.text, name, fragment);
	output_discard(&output);
	assert_int_equal(entries(), 0);
}

static void no_place(void **state)
{
	char nowhere[80];

	(void)state;
	unlink(path);
	snprintf(nowhere, sizeof(nowhere), "%s/none/file", directory);
	refused(nowhere, "No such file");
	refused(directory, "Is a directory");
	refused("", ": No such file");
}

static void full(void **state)
{
	struct error error = {0};
	struct output output;

	(void)state;
	assert_int_equal(output_open(&output, "/dev/full", JAIL_ON, &error), 0);
	assert_int_equal(output.writer.pid, 0);
	fprintf(output.stream, "data");
	assert_int_equal(output_commit(&output, &error), -ENOSPC);
	assert_int_equal(error.status, STATUS_INTERNAL);
	assert_string_equal(error.text, "/dev/full: No space left on device");
	output_discard(&output);
	assert_int_equal(access("/dev/full", F_OK), 0);
	/* More than a stream buffers, so that the failure comes before the end. */
	error = (struct error){0};
	assert_int_equal(output_open(&output, "/dev/full", JAIL_ON, &error), 0);
	for (int i = 0; i < 100000; i++)
		fputc('x', output.stream);
	assert_true(output_commit(&output, &error) < 0);
	assert_int_equal(error.status, STATUS_INTERNAL);
}

/* A failure that the stream remembers although nothing is left to be written. */
static void remembered(void **state)
{
	struct error error = {0};
	struct output output;

	(void)state;
	unlink(path);
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	fprintf(output.stream, "data");
	fflush(output.stream);
	assert_int_equal(fgetc(output.stream), EOF); /* opened for writing only */
	assert_true(output_commit(&output, &error) < 0);
	assert_int_equal(error.status, STATUS_INTERNAL);
	assert_int_equal(entries(), 0);
}

/* The process that makes the file outlives the one that writes by as long as it takes to clean up, also where the
 * whole process group is killed. */
static void killed(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	unlink(path);
	assert_true(child >= 0);
	if (child == 0) {
		struct output output;

		if (setpgid(0, 0) != 0 || output_open(&output, path, JAIL_ON, NULL) != 0)
			_exit(1);
		for (int i = 0; i < 100000; i++)
			fputc('x', output.stream);
		kill(0, SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	for (unsigned i = 0; i < 100 * patient(5) && entries() != 0; i++)
		usleep(10000);
	assert_int_equal(entries(), 0);
}

/* What ends a run from the keyboard does not end its report. */
static void signalled(void **state)
{
	struct error error = {0};
	struct output output;

	(void)state;
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	kill(output.writer.pid, SIGINT);
	kill(output.writer.pid, SIGTERM);
	kill(output.writer.pid, SIGHUP);
	fprintf(output.stream, "complete\n");
	assert_int_equal(output_commit(&output, &error), 0);
	expect_contents("complete\n");
	unlink(path);
}

/* The file system takes no more, long before the last byte. */
static void no_room(void **state)
{
	const struct rlimit little = {8192, 8192};
	struct error error = {0};
	struct output output;

	(void)state;
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	assert_int_equal(prlimit(output.writer.pid, RLIMIT_FSIZE, &little, NULL), 0);
	for (int i = 0; i < 200000; i++)
		fputc('x', output.stream);
	assert_int_equal(output_commit(&output, &error), -EFBIG);
	assert_int_equal(error.status, STATUS_INTERNAL);
	assert_non_null(strstr(error.text, "File too large"));
	assert_int_equal(entries(), 0);
}

/* The process that makes the file has gone. */
static void writer_gone(void **state)
{
	struct error error = {0};
	struct output output;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(output_open(&output, path, JAIL_ON, &error), 0);
	kill(output.writer.pid, SIGKILL);
	usleep(10000);
	fprintf(output.stream, "data");
	assert_true(output_commit(&output, &error) < 0);
	assert_int_equal(error.status, STATUS_INTERNAL);
	assert_int_equal(entries(), 0);
}

/* A device is written to, never replaced by a file. */
static void device(void **state)
{
	struct error error = {0};
	struct output output;
	struct stat status;

	(void)state;
	assert_int_equal(output_open(&output, "/dev/null", JAIL_ON, &error), 0);
	fprintf(output.stream, "data");
	assert_int_equal(output_commit(&output, &error), 0);
	assert_int_equal(stat("/dev/null", &status), 0);
	assert_true(S_ISCHR(status.st_mode));
}

/* The last test: it closes standard output. */
static void standard_output(void **state)
{
	struct error error = {0};
	struct output output;
	int kept = dup(STDOUT_FILENO), fd;

	(void)state;
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	assert_int_equal(output_open(&output, "-", JAIL_ON, &error), 0);
	assert_int_equal(stream_fd(output.stream), STDOUT_FILENO);
	fprintf(output.stream, "data");
	assert_int_equal(output_commit(&output, &error), -ENOSPC);
	assert_string_equal(error.text, "standard output: No space left on device");
	dup2(kept, STDOUT_FILENO);
	error = (struct error){0};
	assert_int_equal(output_open(&output, NULL, JAIL_ON, &error), 0);
	assert_int_equal(output_commit(&output, &error), 0);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commit), cmocka_unit_test(discard), cmocka_unit_test(no_place),
		cmocka_unit_test(full),   cmocka_unit_test(remembered), cmocka_unit_test(killed),
		cmocka_unit_test(signalled), cmocka_unit_test(no_room), cmocka_unit_test(writer_gone),
		cmocka_unit_test(device),  cmocka_unit_test(standard_output),
	};

	return cmocka_run_group_tests_name("output", tests, make_directory, remove_directory);
}
