/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creates, runs and destroys VMs many times in one process: after the first few times no descriptor, no
 * memory in use and no mapping may be left over from one to the next.
 *
 * cycles [-n CYCLES] [-d DIRECTORY] GUEST
 *
 * Prints what there was before and after the cycles of each kind. In an environment with GLIBC_TUNABLES it is
 * that which decides how exactly malloc() counts.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../patience.h"
#include "kvm.h"
#include "vmm/policy/diagnostic.h"

#define CYCLES 200
#define WARM_UP 4
/* Less than the smallest block of malloc() for every cycle, so that not one may be lost. */
#define MALLOC_SLACK_PER_CYCLE 31
/* Of the kernel's own making; a thread's stack or a guest's memory would be far more. */
#define MAPPED_SLACK_KIB 512

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER_KEEPS_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_KEEPS_MEMORY 1
#endif
#endif
#ifndef SANITIZER_KEEPS_MEMORY
#define SANITIZER_KEEPS_MEMORY 0
#endif

static const char *const quick[] = {"ref.nothing", "ref.cpuid"};

static const char *guest;
static char ledger[300], policy[300];
static struct diagnostics diagnostics;

/* What a kind of run asks for; the wanted status. */
static void one_vm(struct plan_request *request)
{
	request->guest = guest;
}

static void many(struct plan_request *request)
{
	request->vms = request->vcpus = 2;
	request->patterns = quick;
	request->pattern_count = sizeof(quick) / sizeof(quick[0]);
	request->iterations = 10;
}

static void with_ledger(struct plan_request *request)
{
	many(request);
	request->ledger = ledger;
}

static void with_views(struct plan_request *request)
{
	many(request);
	request->views = policy;
	request->lenient = true; /* the engine flat cannot withhold all of it */
	request->diagnostics = &diagnostics;
}

/* Refused last of all, when everything else is there. */
static void refused(struct plan_request *request)
{
	many(request);
	request->ledger = "/dev/null";
}

static void traced(struct plan_request *request)
{
	with_ledger(request);
	request->trace = TRACING_SAMPLE;
	request->trace_asked = true;
}

static const struct kind {
	const char *name;
	void (*ask)(struct plan_request *request);
	int status;
	unsigned share; /* of the cycles, in percent */
} kinds[] = {
	{"one VM", one_vm, STATUS_SUCCESS, 27},
	{"2 VMs of 2 vCPUs", many, STATUS_SUCCESS, 25},
	{"with a ledger", with_ledger, STATUS_SUCCESS, 20},
	{"with a policy file", with_views, STATUS_SUCCESS, 20},
	{"refused", refused, STATUS_USAGE, 5},
	{"with a ledger and tracepoints", traced, STATUS_SUCCESS, 3},
};

static int cycle(const struct kind *kind, struct error *error)
{
	struct settings settings = {
		.plan = {.engine = "flat", .vcpus = 1, .vms = 1, .trace = TRACING_OFF,
			 .timeout_ms = 1000 * patient(20)},
		.output = "/dev/null",
	};
	struct session session;
	int status;

	diagnostics = (struct diagnostics){0};
	kind->ask(&settings.plan);
	if (session_start(&session, &settings, -1, error) != 0 ||
	    session_run(&session, false, error) != 0) {
		status = error->status;
	} else {
		status = session.machine.why.status;
		memcpy(error->text, session.machine.why.text, sizeof(session.machine.why.text));
	}
	session_finish(&session);
	return status;
}

struct usage {
	long descriptors, mapped_kib, resident_kib;
	long in_use; /* bytes of malloc() */
};

static long descriptors(void)
{
	DIR *listing = opendir("/proc/self/fd");
	long count = 0;

	while (listing && readdir(listing))
		count++;
	if (listing)
		closedir(listing);
	return count;
}

static long status_line(const char *name)
{
	FILE *stream = fopen("/proc/self/status", "re");
	char line[200];
	long value = -1;

	while (stream && fgets(line, sizeof(line), stream))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name), NULL, 10);
	if (stream)
		fclose(stream);
	return value;
}

static struct usage measure(void)
{
	struct mallinfo2 heap;
	struct usage usage = {
		.descriptors = descriptors(),
		.mapped_kib = status_line("VmSize:"),
		.resident_kib = status_line("VmRSS:"),
	};

	heap = mallinfo2();
	usage.in_use = (long)(heap.uordblks + heap.hblkhd);
	return usage;
}

/* Whether nothing has grown. */
static bool flat(const struct usage *before, const struct usage *after, unsigned cycles)
{
	if (after->descriptors != before->descriptors)
		return false;
	return SANITIZER_KEEPS_MEMORY ||
	       (after->in_use - before->in_use <= MALLOC_SLACK_PER_CYCLE * (long)cycles &&
		after->mapped_kib - before->mapped_kib <= MAPPED_SLACK_KIB &&
		after->resident_kib - before->resident_kib <= MAPPED_SLACK_KIB);
}

static bool repeat(const struct kind *kind, unsigned cycles)
{
	struct usage before = measure(), after;
	bool good;

	for (unsigned i = 0; i < WARM_UP + cycles; i++) {
		struct error error = {0};
		int status = cycle(kind, &error);

		if (status != kind->status) {
			printf("not ok - %s, cycle %u: status %d: %s\n", kind->name, i, status, error.text);
			return false;
		}
		if (i + 1 == WARM_UP)
			before = measure();
	}
	after = measure();
	good = flat(&before, &after, cycles);
	printf("%s - %s: %u cycles: descriptors %ld, %ld; bytes in use %ld, %ld; KiB mapped %ld, %ld; "
	       "resident %ld, %ld\n",
	       good ? "ok" : "not ok", kind->name, cycles, before.descriptors, after.descriptors,
	       before.in_use, after.in_use, before.mapped_kib, after.mapped_kib, before.resident_kib,
	       after.resident_kib);
	return good;
}

static void write_policy(void)
{
	FILE *stream = fopen(policy, "we");

	if (!stream || fputs("views: { all = { default = \"rwx\"; };\n"
			     "other = { default = \"rwx\"; remap = { window-tag = \"tag-1\"; }; }; };\n",
			     stream) < 0 ||
	    fclose(stream) != 0) {
		perror(policy);
		exit(STATUS_INTERNAL);
	}
}

/* What malloc() keeps for a thread, freed or not, counts as in use: it shall keep nothing. It reads that only
 * when the program starts. */
static void count_exactly(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	execv("/proc/self/exe", argv);
	perror("/proc/self/exe");
	exit(STATUS_INTERNAL);
}

int main(int argc, char **argv)
{
	unsigned long cycles = CYCLES, done = 0;
	const char *directory = ".";
	bool good = true;
	int option;

	while ((option = getopt(argc, argv, "n:d:")) != -1) {
		if (option == 'n')
			cycles = strtoul(optarg, NULL, 10);
		else if (option == 'd')
			directory = optarg;
	}
	if (argc - optind != 1 || cycles == 0) {
		fprintf(stderr, "usage: cycles [-n CYCLES] [-d DIRECTORY] GUEST\n");
		return STATUS_USAGE;
	}
	if (needs_kvm() != 0)
		return STATUS_SKIPPED;
	count_exactly(argv);
	/* Otherwise it depends on which threads meet how much address space malloc() reserves for them. */
	mallopt(M_ARENA_MAX, 1);
	guest = argv[optind];
	snprintf(ledger, sizeof(ledger), "%s/cycles.%ld", directory, (long)getpid());
	snprintf(policy, sizeof(policy), "%s/cycles.%ld.views", directory, (long)getpid());
	write_policy();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned share = (unsigned)(cycles * kinds[i].share / 100);

		good &= repeat(&kinds[i], share);
		done += share;
	}
	unlink(ledger);
	unlink(policy);
	printf("figure: create-destroy-cycles %lu\n", done);
	return good ? 0 : STATUS_FAILED;
}
