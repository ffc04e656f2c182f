/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(const struct stat *status, const char *path, const struct whole_file_kind *kind, struct error *error)
{
	if (!S_ISREG(status->st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: not a regular file; %s", path, kind->give);
	if (status->st_size == 0)
		return error_set(error, -ENOEXEC, STATUS_USAGE, "%s: empty file; %s", path, kind->empty);
	if ((uint64_t)status->st_size > kind->limit)
		return error_set(error, -EFBIG, STATUS_USAGE,
				 "%s: %jd bytes are too large for a %s; the limit is %" PRIu64 " MiB", path,
				 (intmax_t)status->st_size, kind->what, kind->limit >> 20);
	return 0;
}

static int fill(int fd, uint8_t *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, data + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* A copy, not a mapping of the file: one that shrinks while in use must not raise SIGBUS. */
static int read_copy(int fd, const char *path, const struct whole_file_kind *kind, const uint8_t **ret_data,
		     size_t *ret_size, struct error *error)
{
	struct stat status;
	size_t size;
	void *data;
	int rc;

	if (fstat(fd, &status) != 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s", path, strerror(errno));
	rc = check(&status, path, kind, error);
	if (rc != 0)
		return rc;
	size = (size_t)status.st_size;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", path);
	rc = fill(fd, data, size);
	if (rc != 0) {
		munmap(data, size);
		return error_set(error, rc, STATUS_USAGE, "%s: cannot be read: %s", path, strerror(-rc));
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

int whole_file_read(const char *path, const struct whole_file_kind *kind, const uint8_t **ret_data, size_t *ret_size,
		    struct error *error)
{
	/* Opening a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; %s", path, strerror(errno), kind->missing);
	rc = read_copy(fd, path, kind, ret_data, ret_size, error);
	close(fd);
	return rc;
}

void whole_file_free(const uint8_t *data, size_t size)
{
	if (data)
		munmap((void *)(uintptr_t)data, size);
}
