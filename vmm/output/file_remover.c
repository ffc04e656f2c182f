/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/file_remover.h"

#include <errno.h>
#include <unistd.h>

#include "vmm/output/helper_process.h"

/* What it is told, the last word counts. */
#define ARMED 'a'
#define DISARMED 'd'

static _Noreturn void child(const char *path, const char *temporary, enum jail_mode mode, int in)
{
	int rc = helper_settle(in, -1, path, mode);
	char last;

	if (rc != 0)
		_exit(-rc);
	last = helper_hear(STDIN_FILENO, DISARMED);
	/* Whoever has removed them meanwhile had a reason. */
	unlink(temporary);
	if (last == ARMED)
		unlink(path);
	_exit(0);
}

int file_remover_start(struct file_remover *remover, const char *path, const char *temporary, enum jail_mode mode)
{
	int fd;
	pid_t pid = helper_fork(&fd);

	if (pid < 0)
		return (int)pid;
	if (pid == 0)
		child(path, temporary, mode, fd);
	*remover = (struct file_remover){pid, fd};
	return 0;
}

static int tell(const struct file_remover *remover, char word)
{
	return write(remover->fd, &word, 1) == 1 ? 0 : -errno;
}

int file_remover_arm(struct file_remover *remover)
{
	return tell(remover, ARMED);
}

int file_remover_disarm(struct file_remover *remover)
{
	return tell(remover, DISARMED);
}

void file_remover_finish(struct file_remover *remover)
{
	if (remover->pid == 0)
		return;
	close(remover->fd);
	helper_wait(remover->pid);
	*remover = (struct file_remover){0};
}
