/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/console.h"
#include "vmm/base/error.h"
#include "vmm/base/progress.h"

struct stream {
	FILE *file;
	int fd;
	bool leave;
	bool seen; /* perhaps, where progress is shown; known before a jail refuses to ask */
	int error; /* of the first write that failed, an errno */
	struct stream *next;
};

/* Those of the main thread: no other one writes data. */
static struct stream *streams;

static struct stream *find(const FILE *file)
{
	struct stream *stream = streams;

	while (stream && stream->file != file)
		stream = stream->next;
	return stream;
}

static ssize_t write_all(void *cookie, const char *bytes, size_t size)
{
	struct stream *stream = cookie;
	size_t done = 0;

	if (stream->seen)
		progress_stop();
	while (done < size && stream->error == 0) {
		ssize_t n = write(stream->fd, bytes + done, size - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			stream->error = n == 0 ? EIO : console_errno();
	}
	if (stream->error == EPIPE && stream->leave)
		_exit(STATUS_READER_GONE);
	return (ssize_t)done;
}

/* On a terminal, or by a pager behind a pipe. */
static bool may_be_seen(int fd)
{
	struct stat status;

	return isatty(fd) || (fd == STDOUT_FILENO && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode));
}

FILE *stream_open(int fd, bool leave)
{
	struct stream *stream = malloc(sizeof(*stream));

	if (!stream)
		return NULL;
	*stream = (struct stream){.fd = fd, .leave = leave, .seen = may_be_seen(fd), .next = streams};
	stream->file = fopencookie(stream, "w", (cookie_io_functions_t){.write = write_all});
	if (!stream->file) {
		free(stream);
		return NULL;
	}
	/* Its buffer is there from now on. */
	setvbuf(stream->file, NULL, _IOFBF, BUFSIZ);
	streams = stream;
	return stream->file;
}

int stream_fd(FILE *file)
{
	const struct stream *stream = find(file);

	return stream ? stream->fd : fileno(file);
}

bool stream_is_screen(int fd)
{
	const char *kind = getenv("TERM");

	return kind && *kind && strcmp(kind, "dumb") != 0 && isatty(fd);
}

int stream_flush(FILE *file)
{
	const struct stream *stream = find(file);
	bool failed = fflush(file) != 0 || ferror(file);

	if (!failed)
		return 0;
	return stream && stream->error ? -stream->error : -EIO;
}

int stream_finish(FILE *file)
{
	struct stream *stream = find(file), **link = &streams;
	int rc = stream_flush(file);

	fclose(file);
	while (*link && *link != stream)
		link = &(*link)->next;
	if (*link)
		*link = stream->next;
	free(stream);
	return rc;
}
