/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/output_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* As many as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40
/* A point and twelve digits. */
#define SUFFIX_SIZE 13

static size_t directory_size(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool in_proc(const char *path)
{
	char copy[PATH_MAX];
	struct statfs status;

	snprintf(copy, sizeof(copy), "%s", path);
	return statfs(dirname(copy), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* One link further. */
static int step(char path[PATH_MAX], const char *link)
{
	size_t kept = link[0] == '/' ? 0 : directory_size(path);

	if (kept + strlen(link) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path + kept, link);
	return 0;
}

int output_target_follow(const char *name, char path[PATH_MAX])
{
	char link[PATH_MAX];

	if (strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path, name);
	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(path, link, sizeof(link) - 1);
		int rc;

		if (n < 0)
			return errno == EINVAL || errno == ENOENT ? 0 : -errno;
		/* What such a link says is a name that the file had once. */
		if (in_proc(path))
			return 1;
		link[n] = '\0';
		rc = step(path, link);
		if (rc != 0)
			return rc;
	}
	return -ELOOP;
}

static int check_directory(const char *path)
{
	char copy[PATH_MAX];
	const char *directory;
	struct stat status;

	snprintf(copy, sizeof(copy), "%s", path);
	directory = dirname(copy);
	if (stat(directory, &status) != 0 || faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
		return -errno;
	return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

/* Not mkostemp(), which may look for entropy only when it creates the file. A name that has no room for the suffix
 * is cut: the file that it is for may well be there. */
static int name_temporary(struct output_target *target)
{
	size_t directory = directory_size(target->path), room;
	uint64_t random;

	if (directory + SUFFIX_SIZE + 1 >= PATH_MAX)
		return -ENAMETOOLONG;
	room = PATH_MAX - 1 - SUFFIX_SIZE - directory;
	if (room > NAME_MAX - SUFFIX_SIZE)
		room = NAME_MAX - SUFFIX_SIZE;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EAGAIN;
	snprintf(target->temporary, PATH_MAX, "%.*s.%012" PRIx64, (int)(directory + room), target->path,
		 random >> 16);
	return 0;
}

static mode_t mode_of_new(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

int output_target_find(const char *name, struct output_target *target)
{
	struct stat status;
	int rc;

	*target = (struct output_target){.mode = mode_of_new()};
	if (name[0] == '\0')
		return -ENOENT;
	rc = output_target_follow(name, target->path);
	if (rc < 0)
		return rc;
	target->exists = stat(name, &status) == 0;
	if (!target->exists && errno != ENOENT)
		return -errno;
	if (!target->exists && name[strlen(name) - 1] == '/')
		return -EISDIR;
	if (rc > 0 || (target->exists && !S_ISREG(status.st_mode)))
		return 0;
	target->replaced = true;
	if (target->exists) {
		target->mode = status.st_mode & 0777;
		target->uid = status.st_uid;
		target->gid = status.st_gid;
	}
	rc = check_directory(target->path);
	return rc == 0 ? name_temporary(target) : rc;
}
