/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/progress.h"

bool input_is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* A read that waits, also where somebody has made standard input one that does not. */
static ssize_t read_some(char *buffer, size_t size)
{
	struct pollfd input = {STDIN_FILENO, POLLIN, 0};
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, size)) < 0 && (errno == EINTR || errno == EAGAIN))
		if (errno == EAGAIN)
			poll(&input, 1, -1);
	return n < 0 ? -errno : n;
}

static int copy_stdin(uint64_t limit)
{
	int fd = memfd_create("standard input", MFD_CLOEXEC), rc = 0;
	char buffer[65536];
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	if (!isatty(STDIN_FILENO)) /* what is typed stands where progress would be drawn */
		progress_step("reading standard input");
	for (uint64_t size = 0; rc == 0 && n > 0 && size <= limit; size += (uint64_t)n) {
		if (size % PROGRESS_BYTES < sizeof(buffer))
			progress_at(size, 0);
		n = read_some(buffer, limit - size < sizeof(buffer) ? (size_t)(limit - size) + 1 : sizeof(buffer));
		rc = n < 0 ? (int)n : write_all(fd, buffer, (size_t)n);
	}
	progress_end();
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int input_open(const char *path, uint64_t limit)
{
	int fd;

	if (input_is_stdin(path))
		return copy_stdin(limit);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
