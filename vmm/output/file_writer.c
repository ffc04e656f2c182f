/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/output/helper_process.h"

/* The writer's descriptors. */
#define DATA STDIN_FILENO
#define VERDICT STDOUT_FILENO

struct file {
	const struct output_target *target;
	int fd;    /* -1: not there yet */
	int error; /* first failure, an errno */
};

/* Beside the file it becomes, so that renaming is all that is left to do. Who may not give files away keeps at least
 * the group, if it is one of his. */
static void create(struct file *file)
{
	const struct output_target *target = file->target;

	file->fd = open(target->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, target->mode);
	if (file->fd < 0)
		file->error = errno;
	else if (target->exists && fchown(file->fd, target->uid, target->gid) != 0)
		(void)!fchown(file->fd, (uid_t)-1, target->gid);
}

static void add(struct file *file, const char *bytes, size_t size)
{
	if (file->fd < 0 && file->error == 0)
		create(file);
	while (size > 0 && file->error == 0) {
		ssize_t n = write(file->fd, bytes, size);

		if (n < 0) {
			file->error = errno;
			return;
		}
		bytes += n;
		size -= (size_t)n;
	}
}

/* What comes after a failure is taken too: the other side learns of it in the end. */
static void copy(struct file *file)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(DATA, bytes, sizeof(bytes))) > 0)
		add(file, bytes, (size_t)n);
	if (n < 0 && file->error == 0)
		file->error = errno;
}

static int conclude(struct file *file, bool complete)
{
	if (complete)
		add(file, "", 0); /* an empty file is a file */
	/* Closing reports what a delayed write could not do. */
	if (file->fd >= 0 && close(file->fd) != 0 && file->error == 0)
		file->error = errno;
	if (complete && file->error == 0 && rename(file->target->temporary, file->target->path) != 0)
		file->error = errno;
	if (file->fd >= 0 && (!complete || file->error != 0))
		unlink(file->target->temporary);
	return file->error;
}

static int work(struct file *file)
{
	char verdict;

	copy(file);
	return conclude(file, read(VERDICT, &verdict, 1) == 1);
}

static _Noreturn void child(const struct output_target *target, enum jail_mode mode, int data, int verdict)
{
	struct file file = {.target = target, .fd = -1};
	int rc;

	umask(0); /* the mode has been decided */
	rc = helper_settle(data, verdict, target->path, mode);
	_exit(rc == 0 ? work(&file) : -rc);
}

int file_writer_start(struct file_writer *writer, const struct output_target *target, enum jail_mode mode)
{
	int data[2], verdict;
	pid_t pid;

	*writer = (struct file_writer){.data = -1, .verdict = -1};
	if (pipe2(data, O_CLOEXEC) != 0)
		return -errno;
	pid = helper_fork(&verdict);
	if (pid == 0)
		child(target, mode, data[0], verdict);
	close(data[0]);
	if (pid < 0) {
		close(data[1]);
		return (int)pid;
	}
	*writer = (struct file_writer){pid, data[1], verdict};
	return 0;
}

int file_writer_finish(struct file_writer *writer, bool complete)
{
	int ended, rc = 0;

	if (writer->pid == 0)
		return 0;
	if (complete && write(writer->verdict, "", 1) != 1)
		rc = -errno;
	close(writer->verdict);
	ended = helper_wait(writer->pid);
	*writer = (struct file_writer){.data = -1, .verdict = -1};
	return ended != 0 ? ended : rc;
}
