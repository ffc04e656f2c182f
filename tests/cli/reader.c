/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reader KIND BYTES MS COMMAND...
 * Starts a command, reads BYTES of what it writes, waits MS, goes away, and prints the command's status (128+n for
 * signal n) and how many ms later it ended. KIND is where the command writes to:
 *
 *	pipe       standard output is a pipe
 *	socket     standard output is a socket, which is closed
 *	tcp        standard output is a TCP connection, which is reset if it was not all read
 *	deaf       as socket, but it stays open and reads no more
 *	fifo:NAME  a FIFO, which is made; standard output is /dev/null
 *	end        nowhere: goes away means SIGTERM
 *
 * Exit status 0, or 99 if this could not be done. A command that does not end is killed after a minute.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void connect_tcp(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&address, size) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (void *)&address, &size) != 0 || connect(ends[1], (void *)&address, size) != 0)
		die("connect");
	ends[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (ends[0] < 0)
		die("accept4");
	close(listener);
}

/* Both ends; `ends[1]` is what the command writes to, -1 if it opens that itself. */
static void connect_ends(const char *kind, int ends[2])
{
	if (strcmp(kind, "pipe") == 0 || strcmp(kind, "end") == 0) {
		if (pipe2(ends, O_CLOEXEC) != 0)
			die("pipe2");
	} else if (strncmp(kind, "fifo:", 5) == 0) {
		if (mkfifo(kind + 5, 0666) != 0)
			die(kind + 5);
		ends[0] = open(kind + 5, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		ends[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (ends[0] < 0 || ends[1] < 0)
			die(kind + 5);
	} else if (strcmp(kind, "tcp") == 0) {
		connect_tcp(ends);
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		die("socketpair");
	}
}

static void take(int fd, long bytes)
{
	while (bytes > 0) {
		struct pollfd ready = {fd, POLLIN, 0};
		char data[4096];
		ssize_t n;

		if (poll(&ready, 1, PATIENCE_S * 1000) <= 0)
			die("poll");
		n = read(fd, data, bytes < (long)sizeof(data) ? (size_t)bytes : sizeof(data));
		if (n <= 0)
			return;
		bytes -= n;
	}
}

static void leave(const char *kind, int fd, pid_t pid)
{
	if (strcmp(kind, "end") == 0)
		kill(pid, SIGTERM);
	else if (strcmp(kind, "deaf") == 0)
		shutdown(fd, SHUT_RD);
	else
		close(fd);
}

int main(int argc, char **argv)
{
	int ends[2], status;
	long start;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr, "usage: reader KIND BYTES MS COMMAND...\n");
		return 99;
	}
	connect_ends(argv[1], ends);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		alarm(PATIENCE_S); /* stays, whatever is executed */
		dup2(ends[1], STDOUT_FILENO);
		execvp(argv[4], argv + 4);
		die(argv[4]);
	}
	close(ends[1]);
	take(ends[0], atol(argv[2]));
	usleep((useconds_t)atol(argv[3]) * 1000);
	start = now_ms();
	leave(argv[1], ends[0], pid);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	printf("%d %ld\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), now_ms() - start);
	return 0;
}
