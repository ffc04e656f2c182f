/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare SIDESTEP BARE FIRST LOOP COUNT UNJAILED: what sidestep adds to a bare KVM program, and the jail to
 * sidestep, measured side by side in one run. FIRST is a guest that ends at once, LOOP one that writes a
 * port COUNT times; UNJAILED is `sidestep bench` without the jail.
 * Exits non-zero only if something could not be run: a busy machine must not fail a build.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAUNCHES 41
#define LOOPS 7
#define LEDGER "bench.ledger"

extern char **environ;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double run_us(const char *const argv[])
{
	double start = now_us();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid) {
		fprintf(stderr, "%s cannot be run\n", argv[0]);
		exit(99);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s failed\n", argv[0]);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	return now_us() - start;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Medians of two command lines run in turn. */
static void measure(const char *const a[], const char *const b[], int rounds, double *ret_a, double *ret_b)
{
	double as[LAUNCHES], bs[LAUNCHES];

	for (int i = 0; i < rounds; i++) {
		as[i] = run_us(a);
		bs[i] = run_us(b);
	}
	qsort(as, (size_t)rounds, sizeof(double), by_value);
	qsort(bs, (size_t)rounds, sizeof(double), by_value);
	*ret_a = as[rounds / 2];
	*ret_b = bs[rounds / 2];
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

#define PORT "service.port"
#define PORT_WRITES "100000"

/* By `bench`, which counts no tracepoints: giving those back takes the kernel longer than all the rest. */
static void measure_jail(const char *jailed, const char *unjailed)
{
	const char *on[] = {jailed, "bench", "--count", "1", "-o", "/dev/null", PORT, NULL};
	const char *off[] = {unjailed, "--count", "1", "-o", "/dev/null", PORT, NULL};
	const char *many_on[] = {jailed, "bench", "--count", PORT_WRITES, "-o", "/dev/null", PORT, NULL};
	const char *many_off[] = {unjailed, "--count", PORT_WRITES, "-o", "/dev/null", PORT, NULL};
	double with, without, many_with, many_without, count = strtod(PORT_WRITES, NULL);

	measure(on, off, LAUNCHES, &with, &without);
	printf("launch to the end of one operation of the built-in guest, median of %d, us\n", LAUNCHES);
	printf("  in the jail %6.0f   without %6.0f   difference %.0f (at most 1000)\n", with, without,
	       with - without);
	measure(many_on, many_off, LOOPS, &many_with, &many_without);
	with = (many_with - with) * 1000 / count;
	without = (many_without - without) * 1000 / count;
	printf("one request through a port, median of %d x " PORT_WRITES ", ns\n", LOOPS);
	printf("  in the jail %6.0f   without %6.0f   ratio %.3f\n", with, without, with / without);
}

int main(int argc, char **argv)
{
	double sidestep, bare, sidestep_loop, bare_loop;
	double count;

	if (argc != 7) {
		fputs("usage: compare SIDESTEP BARE FIRST LOOP COUNT UNJAILED\n", stderr);
		return 2;
	}
	count = strtod(argv[5], NULL);
	const char *first[] = {argv[1], "run", "-q", argv[3], NULL};
	const char *bare_first[] = {argv[2], argv[3], NULL};
	const char *loop[] = {argv[1], "run", "-q", "--ledger", LEDGER, argv[4], NULL};
	const char *bare_many[] = {argv[2], argv[4], NULL};

	measure(first, bare_first, LAUNCHES, &sidestep, &bare);
	printf("launch to the end of a guest of two instructions, median of %d, us\n", LAUNCHES);
	printf("  sidestep %8.0f   bare %8.0f   ratio %.2f (at most 2)\n", sidestep, bare,
	       sidestep / bare);
	measure(loop, bare_many, LOOPS, &sidestep_loop, &bare_loop);
	sidestep = (sidestep_loop - sidestep) * 1000 / count;
	bare = (bare_loop - bare) * 1000 / count;
	printf("one port write that exits to user space, ledger on, median of %d x %.0f, ns\n", LOOPS,
	       count);
	printf("  sidestep %8.0f   bare %8.0f   ratio %.3f (at most 1.10)\n", sidestep, bare,
	       sidestep / bare);
	printf("resident memory of the process at its peak: %ld KiB (at most 5120)\n",
	       peak_kib(loop));
	unlink(LEDGER);
	measure_jail(argv[1], argv[6]);
	return 0;
}
