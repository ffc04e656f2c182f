/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm/base/progress.h"

#define WORDS DEADLINE_WORDS ", before the guest ran"

/* Filled in before there is a signal: its handler can format nothing. */
static char line[80], bail_out[120];
static size_t line_size, bail_out_size;
static volatile sig_atomic_t tap;

/* Whatever the process waits for or computes: nothing of it is finished. */
static void end(int signal)
{
	(void)signal;
	progress_abandon();
	if (tap)
		(void)!write(STDOUT_FILENO, bail_out, bail_out_size);
	(void)!write(STDERR_FILENO, line, line_size);
	_exit(STATUS_TIMEOUT);
}

int deadline_start(unsigned timeout_ms, bool as_tap, struct error *error)
{
	const struct itimerval time = {
		.it_value = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000},
	};
	struct sigaction action = {.sa_handler = end};
	sigset_t alarm;

	if (timeout_ms == 0)
		return 0;
	tap = as_tap;
	line_size = (size_t)snprintf(line, sizeof(line), "sidestep: " WORDS "\n", timeout_ms / 1000.0);
	bail_out_size = (size_t)snprintf(bail_out, sizeof(bail_out),
					 "TAP version 13\nBail out! " WORDS "\n", timeout_ms / 1000.0);
	sigemptyset(&action.sa_mask);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	/* Whoever has started this process may have blocked it. */
	if (sigaction(SIGALRM, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &alarm, NULL) != 0 ||
	    setitimer(ITIMER_REAL, &time, NULL) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "setitimer: %s", strerror(errno));
	return 0;
}
