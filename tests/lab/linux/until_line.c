/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * until_line LINE COMMAND [ARGUMENT]...: how long COMMAND takes until it prints LINE, for tools/compare-vmms. Prints
 * "TICKS EXITS": ticks of the TSC, and how often KVM has returned to a process of this computer meanwhile. COMMAND is
 * then killed. Its input is empty; what it has printed, on stdout and stderr, follows.
 * Status: 0; 1 COMMAND ended without LINE; 99 it could not be measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define EVENT_ID "/sys/kernel/tracing/events/kvm/kvm_userspace_exit/id"
#define STATUS_UNMEASURED 99
#define OUTPUT_MAX (1u << 20)

static char output[OUTPUT_MAX + 1];

static void fail(const char *what)
{
	fprintf(stderr, "until_line: %s: %s\n", what, strerror(errno));
	exit(STATUS_UNMEASURED);
}

/* A count of returns from KVM_RUN on the only processor, whoever's they are. */
static int open_counter(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	FILE *file = fopen(EVENT_ID, "re");
	unsigned long long id = 0;
	long fd;

	if (!file || fscanf(file, "%llu", &id) != 1)
		fail(EVENT_ID);
	fclose(file);
	attr.config = id;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		fail("perf_event_open");
	return (int)fd;
}

static pid_t start(char **command, int *ret_output)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		int empty = open("/dev/null", O_RDONLY);

		if (empty < 0 || dup2(empty, 0) < 0 || dup2(ends[1], 1) < 0 || dup2(ends[1], 2) < 0)
			_exit(127);
		execvp(command[0], command);
		fprintf(stderr, "until_line: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	*ret_output = ends[0];
	return child;
}

/* Reads until LINE has come; whether it has. */
static bool wait_for(int fd, const char *line)
{
	size_t size = 0;
	ssize_t got;

	/* Programs print zeros too. */
	while (size < OUTPUT_MAX && (got = read(fd, output + size, OUTPUT_MAX - size)) > 0) {
		size += (size_t)got;
		if (memmem(output, size, line, strlen(line)))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	uint64_t begin, end, exits;
	int counter, fd;
	pid_t child;
	bool seen;

	if (argc < 3) {
		fprintf(stderr, "usage: until_line LINE COMMAND [ARGUMENT]...\n");
		return STATUS_UNMEASURED;
	}
	counter = open_counter();
	begin = __rdtsc();
	child = start(argv + 2, &fd);
	seen = wait_for(fd, argv[1]);
	end = __rdtsc();
	if (read(counter, &exits, sizeof(exits)) != (ssize_t)sizeof(exits))
		fail("reading the counter");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (seen)
		printf("%llu %llu\n", (unsigned long long)(end - begin), (unsigned long long)exits);
	fputs(output, stdout);
	return seen ? 0 : 1;
}
