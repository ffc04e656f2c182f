/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/stream.h"

static int cannot(struct error *error, int number, const char *path)
{
	return error_set(error, -number, STATUS_USAGE, "%s: %s; name a file that can be written", path,
			 strerror(number));
}

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
}

static int open_writer(struct output *output, const struct output_target *target, enum jail_mode mode,
		       struct error *error)
{
	int rc = file_writer_start(&output->writer, target, mode);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "%s: %s", output->path, strerror(-rc));
	output->stream = stream_open(output->writer.data, false);
	if (output->stream)
		return 0;
	close(output->writer.data);
	file_writer_finish(&output->writer, false);
	return out_of_memory(error);
}

/* A pipe, a device, or what the caller has opened. */
static int open_stream(struct output *output, int fd, enum jail_mode mode, struct error *error)
{
	output->stream = stream_open(fd, mode == JAIL_NONE);
	if (output->stream)
		return 0;
	if (fd != STDOUT_FILENO)
		close(fd);
	return out_of_memory(error);
}

bool output_is_stdout(const char *path)
{
	struct stat status, out;
	char end[PATH_MAX];

	return strcmp(path, "-") == 0 ||
	       (output_target_follow(path, end) == 1 && stat(path, &status) == 0 &&
		fstat(STDOUT_FILENO, &out) == 0 && status.st_dev == out.st_dev && status.st_ino == out.st_ino);
}

static int open_path(struct output *output, enum jail_mode mode, struct error *error)
{
	struct output_target target;
	int rc = output_target_find(output->path, &target), fd;

	if (rc != 0)
		return cannot(error, -rc, output->path);
	if (target.replaced)
		return open_writer(output, &target, mode, error);
	fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? cannot(error, errno, output->path) : open_stream(output, fd, mode, error);
}

int output_open(struct output *output, const char *path, enum jail_mode mode, struct error *error)
{
	*output = (struct output){.path = path && !output_is_stdout(path) ? path : NULL};
	return output->path ? open_path(output, mode, error) : open_stream(output, STDOUT_FILENO, mode, error);
}

/* Closing reports what a delayed write could not do. */
static int finish(struct output *output)
{
	int fd = stream_fd(output->stream), rc = stream_finish(output->stream);

	output->stream = NULL;
	if (close(fd) != 0 && rc == 0 && errno != EBADF)
		rc = -errno;
	return rc;
}

int output_commit(struct output *output, struct error *error)
{
	const char *name = output->path ? output->path : "standard output";
	bool direct = output->writer.pid == 0;
	int rc = finish(output);
	int made = file_writer_finish(&output->writer, rc == 0);

	*output = (struct output){0};
	if (rc == 0)
		rc = made;
	if (rc == -EPIPE && direct)
		return error_reader_gone(error);
	return rc == 0 ? 0 : error_set(error, rc, STATUS_INTERNAL, "%s: %s", name, strerror(-rc));
}

void output_discard(struct output *output)
{
	if (output->stream) {
		int fd = stream_fd(output->stream);

		stream_finish(output->stream);
		if (fd != STDOUT_FILENO)
			close(fd);
	}
	file_writer_finish(&output->writer, false);
	*output = (struct output){0};
}
