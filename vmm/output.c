/* SPDX-License-Identifier: GPL-2.0-only */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(struct error *error, int number, const char *path)
{
	return error_set(error, -number, STATUS_USAGE, "%s: %s; name a file that can be written", path,
			 strerror(number));
}

static int open_writer(struct output *output, const struct target *target, enum jail_mode mode,
		       struct error *error)
{
	int rc = writer_start(&output->writer, target, mode);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "%s: %s", output->path, strerror(-rc));
	output->stream = fdopen(output->writer.data, "w");
	if (output->stream)
		return 0;
	close(output->writer.data);
	writer_finish(&output->writer, false);
	return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
}

/* A stream asks what its descriptor is when it is first written to. Here, so that it need not later. */
static void decide_buffering(FILE *stream)
{
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
}

bool output_is_stdout(const char *path)
{
	struct stat status, out;
	char end[PATH_MAX];

	return strcmp(path, "-") == 0 ||
	       (target_follow(path, end) == 1 && stat(path, &status) == 0 &&
		fstat(STDOUT_FILENO, &out) == 0 && status.st_dev == out.st_dev && status.st_ino == out.st_ino);
}

static int open_path(struct output *output, const char *path, enum jail_mode mode, struct error *error)
{
	struct target target;
	int rc = target_find(path, &target);

	if (rc != 0)
		return cannot(error, -rc, path);
	output->path = path;
	output->stream = NULL;
	if (target.replaced)
		return open_writer(output, &target, mode, error);
	output->stream = fopen(path, "we");
	return output->stream ? 0 : cannot(error, errno, path);
}

int output_open(struct output *output, const char *path, enum jail_mode mode, struct error *error)
{
	int rc = 0;

	*output = (struct output){.stream = stdout};
	if (path && !output_is_stdout(path))
		rc = open_path(output, path, mode, error);
	if (rc == 0)
		decide_buffering(output->stream);
	return rc;
}

static int finish(struct output *output)
{
	int failed = ferror(output->stream) || fflush(output->stream) != 0;
	int number = failed ? (errno ? errno : EIO) : 0;

	/* Closing reports what a delayed write could not do. */
	if (output->stream == stdout) {
		if (close(STDOUT_FILENO) != 0 && number == 0 && errno != EBADF)
			number = errno;
	} else if (fclose(output->stream) != 0 && number == 0) {
		number = errno;
	}
	output->stream = NULL;
	return number;
}

int output_commit(struct output *output, struct error *error)
{
	const char *name = output->path ? output->path : "standard output";
	int number = finish(output);
	int rc = writer_finish(&output->writer, number == 0);

	if (number == 0)
		number = -rc;
	*output = (struct output){0};
	return number == 0 ? 0
			   : error_set(error, -number, STATUS_INTERNAL, "%s: %s", name,
				       strerror(number));
}

void output_discard(struct output *output)
{
	if (output->stream && output->stream != stdout)
		fclose(output->stream);
	writer_finish(&output->writer, false);
	*output = (struct output){0};
}
