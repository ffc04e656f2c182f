/* SPDX-License-Identifier: GPL-2.0-only */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The writer's descriptors. */
#define DATA STDIN_FILENO
#define VERDICT STDOUT_FILENO

struct file {
	const char *path;
	char temporary[PATH_MAX];
	mode_t mode;
	int fd;    /* -1: not there yet */
	int error; /* first failure, an errno */
};

/* Beside the file it becomes, so that renaming is all that is left to do. */
static void create(struct file *file)
{
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd < 0)
		file->error = errno;
	else
		fchmod(file->fd, file->mode);
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
	if (complete && file->error == 0 && rename(file->temporary, file->path) != 0)
		file->error = errno;
	if (file->fd >= 0 && (!complete || file->error != 0))
		unlink(file->temporary);
	return file->error;
}

static int work(struct file *file)
{
	char verdict;

	copy(file);
	return conclude(file, read(VERDICT, &verdict, 1) == 1);
}

static _Noreturn void child(const char *path, int data, int verdict)
{
	mode_t mask = umask(0);
	struct file file = {.path = path, .fd = -1, .mode = 0666 & ~mask};

	umask(mask);
	if (dup2(data, DATA) < 0 || dup2(verdict, VERDICT) < 0)
		_exit(errno);
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	if (snprintf(file.temporary, sizeof(file.temporary), "%s.XXXXXX", path) >=
	    (int)sizeof(file.temporary))
		_exit(ENAMETOOLONG);
	_exit(work(&file));
}

/* A signal to the whole process group ends the run, whose report is still to be written: the child is never
 * without the block. */
static pid_t fork_deaf(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int writer_start(struct writer *writer, const char *path)
{
	int data[2], verdict[2], rc;
	pid_t pid;

	*writer = (struct writer){.data = -1, .verdict = -1};
	if (pipe2(data, O_CLOEXEC) != 0)
		return -errno;
	if (pipe2(verdict, O_CLOEXEC) != 0) {
		rc = -errno;
		pid = -1;
		goto close_data;
	}
	pid = fork_deaf();
	rc = pid < 0 ? -errno : 0;
	if (pid == 0)
		child(path, data[0], verdict[0]);
	close(verdict[0]);
	if (pid > 0)
		*writer = (struct writer){pid, data[1], verdict[1]};
	else
		close(verdict[1]);
close_data:
	close(data[0]);
	if (pid < 0)
		close(data[1]);
	return rc;
}

int writer_finish(struct writer *writer, bool complete)
{
	int status, rc = 0;

	if (writer->pid == 0)
		return 0;
	if (complete && write(writer->verdict, "", 1) != 1)
		rc = -errno;
	close(writer->verdict);
	while (waitpid(writer->pid, &status, 0) < 0)
		if (errno != EINTR) {
			*writer = (struct writer){.data = -1, .verdict = -1};
			return -errno;
		}
	*writer = (struct writer){.data = -1, .verdict = -1};
	if (WIFSIGNALED(status))
		return -EIO;
	return rc == 0 || WEXITSTATUS(status) ? -WEXITSTATUS(status) : rc;
}
