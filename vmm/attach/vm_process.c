/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/vm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/base/number.h"

#define VCPU_LINK "anon_inode:kvm-vcpu:"

static DIR *open_directory(int at, pid_t pid, const char *name)
{
	char path[64];
	int fd;
	DIR *directory;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	directory = fdopendir(fd);
	if (!directory)
		close(fd);
	return directory;
}

static void read_name(int at, struct vm_process *process)
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%d/comm", process->pid);
	fd = openat(at, path, O_RDONLY | O_CLOEXEC);
	size = fd >= 0 ? read(fd, process->name, sizeof(process->name) - 1) : 0;
	process->name[size > 0 ? size : 0] = '\0';
	process->name[strcspn(process->name, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static int refused(const struct vm_process *process, int rc, struct error *error)
{
	if (rc == -ESRCH || rc == -ENOENT)
		return error_set(error, rc, STATUS_USAGE, "--pid %d: there is no such process", process->pid);
	if (rc == -EACCES || rc == -EPERM)
		return error_set(error, rc, STATUS_SKIPPED,
				 "--pid %d: not permitted to look at this process; run as root, as its user, or with "
				 "CAP_SYS_PTRACE",
				 process->pid);
	return error_set(error, rc, STATUS_INTERNAL, "--pid %d: %s", process->pid, strerror(-rc));
}

int vm_process_open(struct vm_process *process, pid_t pid, struct error *error)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	*process = (struct vm_process){.pid = pid, .pidfd = -1};
	if (proc < 0)
		return refused(process, -errno, error);
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd < 0)
		rc = -errno;
	if (rc == 0) {
		read_name(proc, process);
		process->threads = open_directory(proc, pid, "task");
		rc = process->threads ? 0 : -errno;
	}
	if (rc == 0) {
		process->descriptors = open_directory(proc, pid, "fd");
		rc = process->descriptors ? 0 : -errno;
	}
	close(proc);
	/* The number of a thread that is not a process's. */
	if (rc == -EINVAL)
		rc = -ESRCH;
	return rc == 0 ? 0 : refused(process, rc, error);
}

void vm_process_close(struct vm_process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->threads)
		closedir(process->threads);
	if (process->descriptors)
		closedir(process->descriptors);
	*process = (struct vm_process){.pidfd = -1};
}

static bool is_number(const char *name, uint64_t *ret_number)
{
	const char *end;

	return number_whole(name, INT32_MAX, ret_number, &end) == 0 && *end == '\0';
}

/* How many of its descriptors, an open directory, are a vCPU's; looks no farther than `most`. */
static int count_vcpus(DIR *descriptors, int most)
{
	const struct dirent *entry;
	int count = 0;

	rewinddir(descriptors);
	errno = 0;
	while (count < most && (entry = readdir(descriptors)) != NULL) {
		char link[sizeof(VCPU_LINK)];
		ssize_t size = readlinkat(dirfd(descriptors), entry->d_name, link, sizeof(link));

		count += size >= (ssize_t)strlen(VCPU_LINK) && memcmp(link, VCPU_LINK, strlen(VCPU_LINK)) == 0;
		errno = 0;
	}
	return errno ? -errno : count;
}

int vm_process_vcpus(const struct vm_process *process)
{
	return count_vcpus(process->descriptors, INT32_MAX);
}

int vm_process_threads(const struct vm_process *process, pid_t *threads, size_t most, size_t *ret_count)
{
	const struct dirent *entry;
	size_t count = 0;
	uint64_t number;

	rewinddir(process->threads);
	errno = 0;
	while ((entry = readdir(process->threads)) != NULL) {
		if (!is_number(entry->d_name, &number))
			continue;
		if (count < most)
			threads[count] = (pid_t)number;
		count++;
	}
	*ret_count = count;
	return -errno;
}

bool vm_process_ended(const struct vm_process *process)
{
	struct pollfd fd = {process->pidfd, POLLIN, 0};

	return poll(&fd, 1, 0) > 0;
}

int vm_process_each(DIR *proc, int (*found)(void *opaque, pid_t pid), void *opaque)
{
	const struct dirent *entry;
	uint64_t number;
	int rc = 0;

	rewinddir(proc);
	while (rc == 0 && (entry = readdir(proc)) != NULL) {
		DIR *descriptors;

		if (!is_number(entry->d_name, &number))
			continue;
		descriptors = open_directory(dirfd(proc), (pid_t)number, "fd");
		if (!descriptors)
			continue;
		if (count_vcpus(descriptors, 1) > 0)
			rc = found(opaque, (pid_t)number);
		closedir(descriptors);
	}
	return rc;
}
