/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/terminal_guard.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "vmm/jail/jail.h"
#include "vmm/output/helper_process.h"

/* In what we change; the kernel has its own mind about the rest. */
static bool equal(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag;
}

/* A shell that was there first has its own settings by now. */
static _Noreturn void watch(int alive, const struct termios *before, const struct termios *changed)
{
	const struct jail_thread thread = jail_thread(JAIL_ROLE_GUARD, JAIL_ON);
	struct termios now;
	char word;

	if (dup2(alive, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO, UINT_MAX, 0) != 0 || jail_enter(&thread, NULL) != 0)
		_exit(1);
	while (read(STDOUT_FILENO, &word, 1) > 0)
		;
	if (tcgetattr(STDIN_FILENO, &now) == 0 && equal(&now, changed))
		tcsetattr(STDIN_FILENO, TCSANOW, before);
	_exit(0);
}

int terminal_guard(const struct termios *before, const struct termios *changed)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid = helper_fork();
	if (pid == 0)
		watch(fds[0], before, changed);
	close(fds[0]);
	if (pid > 0)
		return fds[1];
	close(fds[1]);
	return -1;
}
