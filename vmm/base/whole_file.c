/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/whole_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/input_file.h"
#include "vmm/base/progress.h"

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

int whole_file_open(const char *path, const struct whole_file_kind *kind, size_t *ret_size, struct error *error)
{
	int fd = input_open(path, kind->limit), rc;
	struct stat status;

	if (fd < 0)
		return error_set(error, fd, STATUS_USAGE, "%s: %s; %s", path, strerror(-fd), kind->missing);
	if (fstat(fd, &status) != 0)
		rc = error_set(error, -errno, STATUS_USAGE, "%s: %s", path, strerror(errno));
	else
		rc = check(&status, path, kind, error);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*ret_size = (size_t)status.st_size;
	return fd;
}

static int fill(int fd, uint64_t offset, uint8_t *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		const size_t left = size - done;
		ssize_t n = pread(fd, to + done, left < PROGRESS_READ ? left : PROGRESS_READ, (off_t)(offset + done));

		progress_at(done, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int whole_file_copy(int fd, const char *path, uint64_t offset, void *to, size_t size, struct error *error)
{
	int rc;

	progress_step("reading %s", path);
	rc = fill(fd, offset, to, size);
	progress_end();
	return rc == 0 ? 0 : error_set(error, rc, STATUS_USAGE, "%s: cannot be read: %s", path, strerror(-rc));
}

/* A copy, not a mapping of the file: one that shrinks while in use must not raise SIGBUS. */
int whole_file_take(int fd, const char *path, size_t size, const uint8_t **ret_data, struct error *error)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (data == MAP_FAILED)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", path);
	rc = whole_file_copy(fd, path, 0, data, size, error);
	if (rc != 0) {
		munmap(data, size);
		return rc;
	}
	*ret_data = data;
	return 0;
}

int whole_file_read(const char *path, const struct whole_file_kind *kind, const uint8_t **ret_data, size_t *ret_size,
		    struct error *error)
{
	size_t size;
	int fd = whole_file_open(path, kind, &size, error), rc;

	if (fd < 0)
		return fd;
	rc = whole_file_take(fd, path, size, ret_data, error);
	if (rc == 0)
		*ret_size = size;
	close(fd);
	return rc;
}

void whole_file_free(const uint8_t *data, size_t size)
{
	if (data)
		munmap((void *)(uintptr_t)data, size);
}
