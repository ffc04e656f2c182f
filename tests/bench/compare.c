/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare SIDESTEP BARE FIRST LOOP COUNT UNJAILED: what sidestep adds to a bare KVM program, and the jail to
 * sidestep, measured side by side in one run. FIRST is a guest that ends at once, LOOP one that writes a
 * port COUNT times; UNJAILED is `sidestep bench` without the jail.
 * Exits non-zero if something could not be run, or if an exit is missing in the ledger; not for its
 * times: a busy machine must not fail a build.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "views/expect.h"
#include "vmm/ledger/ledger.h"
#include "vmm/ledger/summary.h"

#define LAUNCHES 41
#define LOOPS 3
#define PORT 0x80
#define LEDGER "bench.ledger"

extern char **environ;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* How long a program took, and how much of that it computed itself, outside the kernel. */
struct times {
	double wall, user;
};

static struct times run_us(const char *const argv[])
{
	double start = now_us();
	struct rusage usage;
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "%s cannot be run\n", argv[0]);
		exit(99);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s failed\n", argv[0]);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	return (struct times){
		.wall = now_us() - start,
		.user = (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec,
	};
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Medians of two command lines run in turn. */
static void measure(const char *const a[], const char *const b[], int rounds, struct times *ret_a,
		    struct times *ret_b)
{
	double wall[2][LAUNCHES], user[2][LAUNCHES];

	for (int i = 0; i < rounds; i++)
		for (int j = 0; j < 2; j++) {
			struct times times = run_us(j ? b : a);

			wall[j][i] = times.wall;
			user[j][i] = times.user;
		}
	for (int j = 0; j < 2; j++) {
		qsort(wall[j], (size_t)rounds, sizeof(double), by_value);
		qsort(user[j], (size_t)rounds, sizeof(double), by_value);
	}
	*ret_a = (struct times){wall[0][rounds / 2], user[0][rounds / 2]};
	*ret_b = (struct times){wall[1][rounds / 2], user[1][rounds / 2]};
}

/* Whether the ledger has every one of the port writes, in order, and lost none. */
static int check_ledger(double count)
{
	struct ledger_reader reader;
	const struct record *record;
	struct error error = {0};
	uint64_t found = 0, last = 0;
	int unordered = 0;

	if (ledger_open(&reader, LEDGER, &error) != 0)
		return error_report(&error);
	while ((record = ledger_next(&reader)) != NULL) {
		const struct record_exit *exit = (const void *)record;

		if (record->type != RECORD_EXIT || record->level != LEVEL_VMM ||
		    exit->reason != EXIT_REASON_IO || exit->qualification != PORT)
			continue;
		found++;
		unordered |= exit->time < last;
		last = exit->time;
	}
	printf("port writes in the ledger: %llu of %.0f, %llu records lost%s\n",
	       (unsigned long long)found, count, (unsigned long long)reader.header.lost,
	       unordered ? ", out of order" : "");
	unordered |= reader.damaged || reader.truncated || reader.header.lost != 0;
	ledger_reader_close(&reader);
	return (double)found == count && !unordered ? 0 : 1;
}

/* Resident memory of sidestep at its end, in KiB: the peak of the process with little guest memory
 * touched, so guest memory is a rounding error in it. */
static long peak_kib(const char *const argv[])
{
	struct timespec pause = {0, 300000000};
	char path[64], line[256];
	long kib = -1;
	FILE *file;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		return -1;
	nanosleep(&pause, NULL);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	waitpid(pid, NULL, 0);
	return kib;
}

#define REQUEST "service.port"
#define REQUESTS "100000"

/* By `bench`, which counts no tracepoints: giving those back takes the kernel longer than all the rest. */
static void measure_jail(const char *jailed, const char *unjailed)
{
	const char *on[] = {jailed, "bench", "--count", "1", "-o", "/dev/null", REQUEST, NULL};
	const char *off[] = {unjailed, "--count", "1", "-o", "/dev/null", REQUEST, NULL};
	const char *many_on[] = {jailed, "bench", "--count", REQUESTS, "-o", "/dev/null", REQUEST, NULL};
	const char *many_off[] = {unjailed, "--count", REQUESTS, "-o", "/dev/null", REQUEST, NULL};
	struct times with, without, many_with, many_without;
	double count = strtod(REQUESTS, NULL), in, out;

	measure(on, off, LAUNCHES, &with, &without);
	printf("launch to the end of one operation of the built-in guest, median of %d, us\n", LAUNCHES);
	printf("  in the jail %6.0f   without %6.0f   difference %.0f (at most 1000)\n", with.wall,
	       without.wall, with.wall - without.wall);
	measure(many_on, many_off, LOOPS, &many_with, &many_without);
	in = (many_with.wall - with.wall) * 1000 / count;
	out = (many_without.wall - without.wall) * 1000 / count;
	printf("one request through a port, median of %d x " REQUESTS ", ns\n", LOOPS);
	printf("  in the jail %6.0f   without %6.0f   ratio %.3f\n", in, out, in / out);
}

int main(int argc, char **argv)
{
	struct times sidestep, bare, sidestep_loop, bare_loop;
	double count;
	int status;

	if (argc != 7) {
		fputs("usage: compare SIDESTEP BARE FIRST LOOP COUNT UNJAILED\n", stderr);
		return 2;
	}
	count = strtod(argv[5], NULL);
	const char *first[] = {argv[1], "run", "-q", argv[3], NULL};
	const char *bare_first[] = {argv[2], argv[3], NULL};
	const char *loop[] = {argv[1], "run", "-q", "--ledger", LEDGER, "--trace", "off", argv[4],
			      NULL};
	const char *bare_many[] = {argv[2], argv[4], NULL};

	measure(first, bare_first, LAUNCHES, &sidestep, &bare);
	printf("launch to the end of a guest of two instructions, median of %d, us\n", LAUNCHES);
	printf("  sidestep %8.0f   bare %8.0f   ratio %.2f (at most 2)\n", sidestep.wall, bare.wall,
	       sidestep.wall / bare.wall);
	measure(loop, bare_many, LOOPS, &sidestep_loop, &bare_loop);
	sidestep.wall = (sidestep_loop.wall - sidestep.wall) * 1000 / count;
	bare.wall = (bare_loop.wall - bare.wall) * 1000 / count;
	printf("one port write that exits to user space, ledger on, median of %d x %.0f, ns\n", LOOPS,
	       count);
	printf("  sidestep %8.0f   bare %8.0f   ratio %.3f (at most 1.10)\n", sidestep.wall, bare.wall,
	       sidestep.wall / bare.wall);
	sidestep.user = (sidestep_loop.user - sidestep.user) * 1000 / count;
	bare.user = (bare_loop.user - bare.user) * 1000 / count;
	printf("of that outside the kernel\n  sidestep %8.0f   bare %8.0f   difference %.0f (at most "
	       "100)\n",
	       sidestep.user, bare.user, sidestep.user - bare.user);
	status = check_ledger(count);
	printf("resident memory of the process at its peak: %ld KiB (at most 5120)\n",
	       peak_kib(loop));
	unlink(LEDGER);
	measure_jail(argv[1], argv[6]);
	return status;
}
