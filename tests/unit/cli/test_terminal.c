/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys: which of them end a run, and that nobody waits for one. */
#include "tests/unit/cmocka_prelude.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/output/terminal.h"

#define WAITED 30 /* s: that is for ever */

/* Says that there is a key, as poll() did when it was there. */
static bool too_early;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (!too_early)
		return __real_poll(fds, count, timeout);
	fds[0].revents = POLLIN;
	return 1;
}

/* In a child with a terminal of its own, whose other end is `master`: what it returns is its status. */
static int on_terminal(int (*body)(int master))
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status;
	pid_t child;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int slave;

		alarm(WAITED);
		setsid();
		slave = open(ptsname(master), O_RDWR);
		dup2(slave, STDIN_FILENO);
		close(slave);
		_exit(terminal_enter(false) == STDIN_FILENO ? body(master) : 99);
	}
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What a key has come to, once it is there. */
static bool quits(int master, char key)
{
	struct pollfd there = {STDIN_FILENO, POLLIN, 0};

	return write(master, &key, 1) == 1 && __real_poll(&there, 1, 1000 * WAITED) == 1 && terminal_quit();
}

static int keys(int master)
{
	return terminal_quit() << 0 | quits(master, 'x') << 1 | quits(master, 'q') << 2 |
	       quits(master, 'Q') << 3 | terminal_quit() << 4;
}

static void q_quits(void **state)
{
	(void)state;
	assert_int_equal(on_terminal(keys), 1 << 2 | 1 << 3);
}

static int gone_key(int master)
{
	(void)master;
	too_early = true;
	return terminal_quit();
}

/* As after Ctrl-C, with which a terminal drops the keys before it. */
static void a_key_that_is_gone_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(on_terminal(gone_key), 0);
}

static int gone_terminal(int master)
{
	struct pollfd gone = {STDIN_FILENO, 0, 0};

	signal(SIGHUP, SIG_IGN);
	close(master);
	/* The guard of the terminal has had it too, for a moment. */
	return __real_poll(&gone, 1, 1000 * WAITED) == 1 && terminal_quit();
}

static void a_terminal_that_is_gone_quits(void **state)
{
	(void)state;
	assert_int_equal(on_terminal(gone_terminal), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(q_quits),
		cmocka_unit_test(a_key_that_is_gone_is_not_waited_for),
		cmocka_unit_test(a_terminal_that_is_gone_quits),
	};

	return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
