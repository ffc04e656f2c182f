/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guestfw/abi.h"

#define READ_ONLY_SUFFIX ":ro"

char *storage_file_name(const char *argument, bool *ret_read_only)
{
	size_t length = strlen(argument), suffix = strlen(READ_ONLY_SUFFIX);

	*ret_read_only = length > suffix && strcmp(argument + length - suffix, READ_ONLY_SUFFIX) == 0;
	return strndup(argument, *ret_read_only ? length - suffix : length);
}

static int check_file(struct storage *storage, const char *path, struct error *error)
{
	struct stat status;

	if (fstat(storage->fd, &status) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a regular file; a disk is one of whole sectors", path);
	if (status.st_size == 0 || status.st_size % SS_DISK_SECTOR_SIZE != 0)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: %lld bytes are no disk; give it whole sectors of %d, as with "
				 "truncate -s 1M",
				 path, (long long)status.st_size, SS_DISK_SECTOR_SIZE);
	storage->bytes = (uint64_t)status.st_size;
	/* Against other processes of ours; a file system without locks is none of our business. */
	if (flock(storage->fd, (storage->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 &&
	    errno == EWOULDBLOCK)
		return error_set(error, -EBUSY, STATUS_USAGE,
				 "%s: in use as a disk by another process; wait for it, or give a copy",
				 path);
	return 0;
}

static int open_path(struct storage *storage, const char *path, struct error *error)
{
	int rc;

	/* Opening a FIFO to read it would wait for a writer. */
	storage->fd = open(path, (storage->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (storage->fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a file that can be %s", path,
				 strerror(errno),
				 storage->read_only ? "read" : "written, or add :ro to read it only");
	rc = check_file(storage, path, error);
	if (rc != 0)
		storage_close(storage);
	return rc;
}

int storage_open(struct storage *storage, const char *argument, struct error *error)
{
	char *path;
	int rc;

	*storage = (struct storage){.fd = -1};
	path = storage_file_name(argument, &storage->read_only);
	if (!path)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = open_path(storage, path, error);
	free(path);
	return rc;
}

int storage_scratch(struct storage *storage)
{
	int rc = 0;

	*storage = (struct storage){
		.fd = memfd_create("sidestep-disk", MFD_CLOEXEC),
		.bytes = SCRATCH_SECTORS * SS_DISK_SECTOR_SIZE,
	};
	if (storage->fd < 0 || ftruncate(storage->fd, (off_t)storage->bytes) != 0)
		rc = -errno;
	if (rc != 0)
		storage_close(storage);
	return rc;
}

void storage_close(struct storage *storage)
{
	if (storage->fd >= 0)
		close(storage->fd);
	*storage = (struct storage){.fd = -1};
}
