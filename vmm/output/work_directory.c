/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/work_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/output/helper_process.h"

/* In tenths of a second, with programs that have outlived us and still write into what is being removed. */
#define PATIENCE 50

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static _Noreturn void remove_all(const char *path, int alive)
{
	helper_hear(alive, 0);
	for (int i = 0; i < PATIENCE && nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT; i++)
		usleep(100000);
	_exit(0);
}

int work_directory_open(struct work_directory *directory)
{
	const char *parent = getenv("TMPDIR");
	int rc;

	*directory = (struct work_directory){.fd = -1};
	snprintf(directory->path, sizeof(directory->path), "%s/sidestep.XXXXXX", parent && *parent ? parent : "/tmp");
	if (!mkdtemp(directory->path))
		return -errno;
	directory->remover = helper_fork(&directory->alive);
	if (directory->remover == 0)
		remove_all(directory->path, directory->alive);
	rc = directory->remover < 0 ? (int)directory->remover : 0;
	if (rc == 0) {
		directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = directory->fd < 0 ? -errno : 0;
	}
	if (rc != 0)
		work_directory_close(directory);
	return rc;
}

void work_directory_close(struct work_directory *directory)
{
	if (directory->fd >= 0)
		close(directory->fd);
	if (directory->alive > 0)
		close(directory->alive);
	if (directory->remover > 0)
		helper_wait(directory->remover);
	else
		rmdir(directory->path);
}
