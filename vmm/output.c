/* SPDX-License-Identifier: GPL-2.0-only */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(struct error *error, int number, const char *path)
{
	return error_set(error, -number, STATUS_USAGE, "%s: %s; name a file that can be written", path,
			 strerror(number));
}

/* A signal that ends the program does so before there is a temporary file, or after. */
static void defer_signals(struct output *output)
{
	sigset_t deadly;

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGTERM);
	sigaddset(&deadly, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &deadly, &output->before);
}

static void forget_temporary(struct output *output)
{
	free(output->temporary);
	output->temporary = NULL;
	pthread_sigmask(SIG_SETMASK, &output->before, NULL);
}

static int open_temporary(struct output *output, struct error *error)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	}
	defer_signals(output);
	fd = mkostemp(output->temporary, 0);
	if (fd < 0) {
		int number = errno;

		forget_temporary(output);
		return cannot(error, number, output->path);
	}
	fchmod(fd, 0666 & ~mask);
	output->stream = fdopen(fd, "w");
	if (!output->stream) {
		close(fd);
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	}
	return 0;
}

int output_open(struct output *output, const char *path, struct error *error)
{
	struct stat status;
	int rc;

	*output = (struct output){.stream = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	output->path = path;
	output->stream = NULL;
	if (path[0] == '\0')
		return cannot(error, ENOENT, path);
	if (stat(path, &status) != 0 || S_ISREG(status.st_mode)) {
		rc = open_temporary(output, error);
		if (rc != 0)
			output_discard(output);
		return rc;
	}
	/* A device or a pipe cannot be renamed into. */
	output->stream = fopen(path, "w");
	return output->stream ? 0 : cannot(error, errno, path);
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

	if (number == 0 && output->temporary && rename(output->temporary, output->path) != 0)
		number = errno;
	if (number == 0) {
		if (output->temporary)
			forget_temporary(output);
		return 0;
	}
	output_discard(output);
	return error_set(error, -number, STATUS_INTERNAL, "%s: %s", name, strerror(number));
}

void output_discard(struct output *output)
{
	if (output->stream && output->stream != stdout)
		fclose(output->stream);
	if (output->temporary) {
		unlink(output->temporary);
		forget_temporary(output);
	}
	*output = (struct output){0};
}
