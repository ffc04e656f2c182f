/* SPDX-License-Identifier: GPL-2.0-only */
#include "remover.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "aide.h"

static _Noreturn void child(const char *path, enum jail_mode mode, int in)
{
	int rc = aide_settle(in, -1, path, mode);
	char byte;

	if (rc != 0)
		_exit(-rc);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		_exit(0); /* there never was a file */
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	/* Whoever has removed it meanwhile had a reason. */
	_exit(unlink(path) == 0 || errno == ENOENT ? 0 : errno);
}

int remover_start(struct remover *remover, const char *path, enum jail_mode mode)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	pid = aide_fork();
	if (pid == 0)
		child(path, mode, fds[0]);
	close(fds[0]);
	if (pid < 0) {
		int rc = -errno;

		close(fds[1]);
		return rc;
	}
	*remover = (struct remover){pid, fds[1]};
	return 0;
}

int remover_arm(struct remover *remover)
{
	return write(remover->fd, "", 1) == 1 ? 0 : -errno;
}

void remover_finish(struct remover *remover)
{
	if (remover->pid == 0)
		return;
	close(remover->fd);
	aide_wait(remover->pid);
	*remover = (struct remover){0};
}
