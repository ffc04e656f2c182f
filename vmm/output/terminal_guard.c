/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/terminal_guard.h"

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

	if (dup2(alive, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO, UINT_MAX, 0) != 0 || jail_enter(&thread, NULL) != 0)
		_exit(1);
	helper_hear(STDOUT_FILENO, 0);
	if (tcgetattr(STDIN_FILENO, &now) == 0 && equal(&now, changed))
		tcsetattr(STDIN_FILENO, TCSANOW, before);
	_exit(0);
}

int terminal_guard(const struct termios *before, const struct termios *changed)
{
	int fd;
	pid_t pid = helper_fork(&fd);

	if (pid == 0)
		watch(fd, before, changed);
	return pid > 0 ? fd : -1;
}
