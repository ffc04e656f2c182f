/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/output_readers.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/stream.h"

/* A terminal that is gone has sent SIGHUP, and a file has no reader. */
static int with_reader(int fd)
{
	struct stat status;

	return fd >= 0 && fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) ? fd
													     : -1;
}

void output_readers_note(struct output_readers *readers, const struct console *console, const struct output *output)
{
	bool printed = console->fd == STDOUT_FILENO;

	*readers = (struct output_readers){
		.console = printed ? console : NULL,
		.fd = {printed ? with_reader(console->fd) : -1, -1},
	};
	/* The process that makes a file says itself what has become of it. */
	if (output && output->stream && output->writer.pid == 0)
		readers->fd[1] = with_reader(stream_fd(output->stream));
}

void output_readers_await(const struct output_readers *readers, struct pollfd *fds)
{
	for (int i = 0; i < READERS_MAX; i++)
		fds[i] = (struct pollfd){.fd = readers->fd[i]};
}

void output_readers_forget(struct pollfd *fds)
{
	for (int i = 0; i < READERS_MAX; i++)
		fds[i].fd = -1;
}

bool output_readers_gone(const struct output_readers *readers, const struct pollfd *fds)
{
	for (int i = 0; i < READERS_MAX; i++)
		if (fds[i].revents & (POLLERR | POLLHUP))
			return true;
	return readers->console && atomic_load(&readers->console->error) == EPIPE;
}
