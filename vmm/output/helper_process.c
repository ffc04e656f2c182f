/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child is never without the block. Its group is our doing, not its own: it has one before we go on, however late
 * it is scheduled. */
static pid_t fork_apart(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid > 0)
		setpgid(pid, 0);
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

pid_t helper_fork(int *ret_fd)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	pid = fork_apart();
	if (pid < 0) {
		pid = -errno;
		close(fds[0]);
		close(fds[1]);
		return pid;
	}
	close(fds[pid == 0]);
	*ret_fd = fds[pid != 0];
	return pid;
}

char helper_hear(int fd, char word)
{
	char next;

	while (read(fd, &next, 1) == 1)
		word = next;
	return word;
}

static int seal(const char *path, enum jail_mode mode)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_WRITER, mode);
	char directory[PATH_MAX];
	int rc;

	snprintf(directory, sizeof(directory), "%s", path);
	thread.directory = open(dirname(directory), O_PATH | O_CLOEXEC);
	if (thread.directory < 0)
		return -errno;
	rc = jail_enter(&thread, NULL);
	close(thread.directory);
	return rc;
}

int helper_settle(int in, int out, const char *path, enum jail_mode mode)
{
	if (dup2(in, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		return -errno;
	if (out < 0)
		close(STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	return seal(path, mode);
}

int helper_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) ? -EIO : -WEXITSTATUS(status);
}
