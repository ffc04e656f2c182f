/* SPDX-License-Identifier: GPL-2.0-only */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Those that end or stop a process, and that nobody else handles. */
static const int signals[] = {SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE,
			      SIGSEGV, SIGSYS, SIGXCPU, SIGTSTP, SIGCONT};
#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static struct termios before, keys;
static struct sigaction actions[SIGNAL_COUNT];
static volatile sig_atomic_t entered;

static void set(const struct termios *mode)
{
	while (tcsetattr(STDIN_FILENO, TCSANOW, mode) != 0 && errno == EINTR)
		;
}

/* Everything called here may be called from a handler (signal-safety(7)). */
static void handle(int number)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, again;
	int saved = errno;
	sigset_t mask;

	if (number == SIGCONT) {
		set(&keys);
		errno = saved;
		return;
	}
	set(&before);
	sigaction(number, &standard, &again);
	sigemptyset(&mask);
	sigaddset(&mask, number);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	/* Only a process that was stopped gets here, when it goes on. */
	sigaction(number, &again, NULL);
	set(&keys);
	errno = saved;
}

int terminal_enter(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

	/* In the background it is not ours to change. */
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &before) != 0)
		return -1;
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &action, &actions[i]);
	set(&keys);
	entered = 1;
	return STDIN_FILENO;
}

void terminal_leave(void)
{
	if (!entered)
		return;
	entered = 0;
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &actions[i], NULL);
	set(&before);
}

bool terminal_quit(void)
{
	struct pollfd key = {STDIN_FILENO, POLLIN, 0};
	char byte;

	while (entered && poll(&key, 1, 0) > 0) {
		ssize_t n = read(STDIN_FILENO, &byte, 1);

		if (n == 0 || (n == 1 && (byte == 'q' || byte == 'Q')))
			return true; /* a terminal that is gone will not say so */
		if (n < 0)
			return errno != EINTR && errno != EAGAIN;
	}
	return false;
}

size_t terminal_rows(FILE *stream)
{
	struct winsize size;

	if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row ? size.ws_row : 24;
}

void terminal_clear(FILE *stream)
{
	fputs("\033[H\033[J", stream);
}
