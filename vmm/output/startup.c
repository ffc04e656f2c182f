/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/output/startup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Where /proc is not there to ask. */
#define DESCRIPTORS_TRIED 1024

static int add(struct startup *inherited, int fd)
{
	int *fds;

	if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
		return 0;
	fds = reallocarray(inherited->fds, inherited->count + 1, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	inherited->fds = fds;
	fds[inherited->count++] = fd;
	return 0;
}

static int note_listed(struct startup *inherited, DIR *directory)
{
	struct dirent *entry;
	int rc = 0;

	while (rc == 0 && (entry = readdir(directory)) != NULL) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (end != entry->d_name && *end == '\0' && fd != dirfd(directory))
			rc = add(inherited, (int)fd);
	}
	return rc;
}

int startup_note(struct startup *inherited)
{
	DIR *directory = opendir("/proc/self/fd");
	int rc = 0;

	*inherited = (struct startup){0};
	if (directory) {
		rc = note_listed(inherited, directory);
		closedir(directory);
		return rc;
	}
	for (int fd = 0; fd < DESCRIPTORS_TRIED && rc == 0; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			rc = add(inherited, fd);
	return rc;
}

void startup_keep(struct startup *inherited, int fd)
{
	for (size_t i = 0; i < inherited->count; i++)
		if (inherited->fds[i] == fd)
			inherited->fds[i] = inherited->fds[--inherited->count];
}

void startup_close(struct startup *inherited)
{
	for (size_t i = 0; i < inherited->count; i++)
		close(inherited->fds[i]);
	startup_finish(inherited);
}

void startup_finish(struct startup *inherited)
{
	free(inherited->fds);
	*inherited = (struct startup){0};
}

/* A descriptor that the caller closed must not become the KVM device or a ledger, into which a message
 * would then go. Opened the wrong way round, it still fails like a closed one. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* What a parent may have ignored for all that it starts, as nohup(1) does. */
static const int settable[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

static bool ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool may_be_ignored(int signal)
{
	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++)
		if (settable[i] == signal)
			return true;
	return false;
}

static void settle_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (ignored(number) && !may_be_ignored(number))
			signal(number, SIG_DFL);
	/* A reader that goes away is a failed write, reported like any other; so is a file that must not grow. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void startup_settle(void)
{
	occupy_standard_descriptors();
	settle_signals();
}

void startup_leave_out_ignored(sigset_t *signals)
{
	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++)
		if (ignored(settable[i]))
			sigdelset(signals, settable[i]);
}
