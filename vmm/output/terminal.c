/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/base/stream.h"
#include "vmm/output/terminal_guard.h"

static struct termios before, keys;
static bool entered, stoppable;
static int guard = -1;

static void set(const struct termios *mode)
{
	while (tcsetattr(STDIN_FILENO, TCSANOW, mode) != 0 && errno == EINTR)
		;
}

/* Whether there is a shell that could have us go on after a stop (orphaned process groups are not stopped). */
static bool has_shell(void)
{
	pid_t parent = getppid();

	return getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

int terminal_enter(bool raw)
{
	/* In the background it is not ours to change. */
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &before) != 0)
		return -1;
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (raw)
		cfmakeraw(&keys);
	/* A key may be gone when it is read: with Ctrl-C the terminal drops those that came before. */
	keys.c_cc[VMIN] = 0;
	keys.c_cc[VTIME] = 0;
	stoppable = has_shell();
	guard = terminal_guard(&before, &keys);
	set(&keys);
	entered = true;
	return STDIN_FILENO;
}

void terminal_leave(void)
{
	if (entered)
		set(&before);
	if (guard >= 0)
		close(guard);
	guard = -1;
	entered = false;
}

void terminal_signals(sigset_t *signals)
{
	if (!entered)
		return;
	sigaddset(signals, SIGQUIT);
	if (stoppable)
		sigaddset(signals, SIGTSTP);
}

void terminal_suspend(void)
{
	set(&before);
	/* To this thread, the first one of the process; all of them stop. */
	syscall(SYS_tgkill, getpid(), getpid(), SIGSTOP);
	set(&keys);
}

bool terminal_quit(void)
{
	struct pollfd key = {STDIN_FILENO, POLLIN, 0};
	char byte;

	while (entered && poll(&key, 1, 0) > 0) {
		ssize_t n = read(STDIN_FILENO, &byte, 1);

		if (n == 1 && (byte == 'q' || byte == 'Q'))
			return true;
		if (n == 0)
			return key.revents & POLLHUP; /* a terminal that is gone will not say so */
		if (n < 0)
			return errno != EINTR && errno != EAGAIN;
	}
	return false;
}

static bool window(FILE *stream, struct winsize *ret_size)
{
	return isatty(stream_fd(stream)) && ioctl(stream_fd(stream), TIOCGWINSZ, ret_size) == 0;
}

size_t terminal_rows(FILE *stream)
{
	struct winsize size;

	if (!window(stream, &size))
		return 0;
	return size.ws_row ? size.ws_row : 24;
}

size_t terminal_columns(FILE *stream)
{
	struct winsize size;

	return window(stream, &size) ? size.ws_col : 0;
}

void terminal_wrap(FILE *stream, bool on)
{
	fputs(on ? "\033[?7h" : "\033[?7l", stream);
}

void terminal_clear(FILE *stream)
{
	fputs("\033[H\033[J", stream);
}
