/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/* Reason 1 of VMX (isa 1) and 0x60 of SVM (isa 2) are external interrupts of the host. */
#define NOT_HOST_INTERRUPTS "!(isa == 1 && exit_reason == 1) && !(isa == 2 && exit_reason == 96)"

/* KVM_RUN that a signal ends is no exit: its errno is negative. Only where samples are taken are there
 * kicks in the middle of a run. */
#define NOT_SIGNALS "errno >= 0"

/* Room for samples, in pages; halved as long as the kernel refuses to lock that much memory. */
#define RING_PAGES_MAX 512
#define RING_PAGES_MIN 8

const char *trace_filter(enum trace_id id, enum trace_mode mode)
{
	switch (id) {
	case TRACE_kvm_exit:
	case TRACE_kvm_nested_vmexit:
		return NOT_HOST_INTERRUPTS;
	case TRACE_kvm_userspace_exit:
		return mode == TRACING_COUNT ? NULL : NOT_SIGNALS;
	default:
		return NULL;
	}
}

static bool wanted(const struct trace_plan *plan, int id)
{
	char use = plan->thread                   ? (plan->interpreted ? 'B' : 'A')
		   : plan->mode == TRACING_COUNT  ? 'C'
		   : plan->mode == TRACING_SAMPLE ? 'S'
		   : plan->interpreted		     ? 'I'
						     : 'P';

	return strchr(trace_uses[id], use) != NULL;
}

/* The kernel's number of a tracepoint, or a negative errno. */
static long tracepoint_number(const struct trace_plan *plan, int id)
{
	char text[24] = "";
	long result;
	int fd;

	if (plan->mode != TRACING_COUNT)
		return plan->formats->number[id] ? (long)plan->formats->number[id] : -ENOENT;
	fd = trace_format_open((enum trace_id)id, "id");
	if (fd < 0)
		return fd;
	result = read(fd, text, sizeof(text) - 1) > 0 ? strtol(text, NULL, 10) : -EIO;
	close(fd);
	return result;
}

static uint64_t period_of(const struct trace_plan *plan, int id)
{
	return plan->thread && id == TRACE_kvm_emulate_insn ? TRACE_INTERPRETED_PERIOD : 1;
}

static int open_event(const struct trace_plan *plan, int id, int leader)
{
	long number = tracepoint_number(plan, id);
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
		.config = (uint64_t)number,
		.read_format = PERF_FORMAT_GROUP,
	};
	const char *filter;
	int fd;

	if (number < 0)
		return (int)number;
	if (plan->mode != TRACING_COUNT) {
		attributes.sample_period = period_of(plan, id);
		attributes.sample_type = TRACE_RING_SAMPLE_TYPE;
		/* A clock that can be read beside the time stamp counter. */
		attributes.use_clockid = 1;
		attributes.clockid = CLOCK_MONOTONIC_RAW;
		attributes.disabled = leader < 0;
	}
	fd = (int)syscall(SYS_perf_event_open, &attributes, plan->thread, -1, leader, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	filter = plan->thread ? NULL : trace_filter((enum trace_id)id, plan->mode);
	if (filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int trace_await_kernel(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Opens what is wanted. Returns 0, or the reason why something is missing. */
static int open_events(struct trace *trace, const struct trace_plan *plan)
{
	int failure = 0;

	*trace = (struct trace){.leader = -1};
	for (int id = 0; id < TRACE_COUNT; id++) {
		int fd = wanted(plan, id) ? open_event(plan, id, trace->leader) : -1;

		trace->fds[id] = fd < 0 ? -1 : fd;
		if (fd < 0) {
			failure = !wanted(plan, id) || failure ? failure : fd;
			continue;
		}
		if (period_of(plan, id) != 1)
			trace->sparse |= UINT64_C(1) << id;
		if (trace->leader < 0)
			trace->leader = fd;
		trace->order[trace->opened++] = id;
	}
	return failure;
}

static int map_ring(struct trace *trace, size_t wanted)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapping = MAP_FAILED;
	size_t pages;

	for (pages = wanted ? wanted : RING_PAGES_MAX; mapping == MAP_FAILED && pages >= RING_PAGES_MIN; pages /= 2) {
		trace->mapping_size = (pages + 1) * page;
		mapping = mmap(NULL, trace->mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       trace->leader, 0);
	}
	if (mapping == MAP_FAILED)
		return -errno;
	trace->mapping = mapping;
	trace_ring_attach(&trace->ring, mapping, (const uint8_t *)mapping + page,
			  trace->mapping_size - page);
	return 0;
}

static void read_clocks(struct trace *trace)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	trace->now.ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	trace->now.tsc = __rdtsc();
}

/* Has all events write to one ring, so that their order is known. */
static int start_ring(struct trace *trace, const struct trace_plan *plan)
{
	int rc = map_ring(trace, plan->ring_pages);

	for (size_t i = 0; rc == 0 && i < trace->opened; i++) {
		int fd = trace->fds[trace->order[i]];

		if (fd != trace->leader && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, trace->leader) != 0)
			rc = -errno;
	}
	if (rc != 0)
		return rc;
	trace->formats = plan->formats;
	read_clocks(trace);
	trace->start.ns = trace->now.ns;
	trace->start.tsc = trace->now.tsc;
	if (plan->mode == TRACING_SAMPLE)
		trace_switch(trace, true);
	return 0;
}

int trace_paranoid_level(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
	int level = 0;

	if (file && fscanf(file, "%d", &level) != 1)
		level = 0;
	if (file)
		fclose(file);
	return level;
}

static void explain(int error, enum trace_mode mode, int level, char *reason, size_t size)
{
	/* Debian's level 3 refuses all but root; a record's contents need more than a count. */
	int enough = mode == TRACING_COUNT ? 1 : -1;

	switch (-error) {
	case ENOENT:
		snprintf(reason, size,
			 "tracefs shows no kvm events; as root: mount -t tracefs tracefs "
			 "/sys/kernel/tracing");
		break;
	case EACCES:
	case EPERM:
		snprintf(reason, size,
			 "not permitted; run as root%s, or set kernel.perf_event_paranoid (now %d) to "
			 "%d%s and make tracefs readable",
			 level >= 3 ? "" : " or with CAP_PERFMON", level, enough,
			 mode == TRACING_COUNT ? " or less" : "");
		break;
	default:
		snprintf(reason, size, "perf_event_open: %s", strerror(-error));
	}
}

void trace_explain(int error, enum trace_mode mode, char *reason, size_t size)
{
	explain(error, mode, trace_paranoid_level(), reason, size);
}

static void explain_failure(const struct trace_plan *plan, int error, char *reason, size_t size)
{
	explain(error, plan->mode, plan->thread ? plan->paranoid : trace_paranoid_level(), reason, size);
}

static void explain_missing(const struct trace *trace, const struct trace_plan *plan, char *reason,
			    size_t size)
{
	size_t used = (size_t)snprintf(reason, size, "this kernel has no tracepoint");

	for (int id = 0; id < TRACE_COUNT && used < size; id++)
		if (wanted(plan, id) && trace->fds[id] < 0)
			used += (size_t)snprintf(reason + used, size - used, " %s", trace_names[id]);
}

static int try_mode(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size)
{
	int failure = open_events(trace, plan), rc = 0;

	if (trace->opened == 0) {
		explain_failure(plan, failure, reason, size);
		return failure ? failure : -ENOENT;
	}
	if (plan->mode != TRACING_COUNT)
		rc = start_ring(trace, plan);
	if (rc != 0) {
		snprintf(reason, size, "no memory for samples: %s; raise kernel.perf_event_mlock_kb",
			 strerror(-rc));
		trace_close(trace);
		return rc;
	}
	trace->mode = plan->mode;
	if (failure == -ENOENT)
		explain_missing(trace, plan, reason, size);
	else if (failure != 0)
		explain_failure(plan, failure, reason, size);
	return 0;
}

void trace_open(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size)
{
	struct trace_plan less = *plan;
	char ignored[8];
	size_t used;

	reason[0] = '\0';
	*trace = (struct trace){.leader = -1};
	if (plan->mode == TRACING_OFF || try_mode(trace, plan, reason, size) == 0 ||
	    plan->mode == TRACING_COUNT)
		return;
	/* What cannot be sampled may still be counted. */
	less.mode = TRACING_COUNT;
	used = strlen(reason);
	if (try_mode(trace, &less, ignored, sizeof(ignored)) == 0)
		snprintf(reason + used, size - used, "; hits are counted only");
}

int trace_attach(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size)
{
	reason[0] = '\0';
	return try_mode(trace, plan, reason, size);
}

void trace_close(struct trace *trace)
{
	if (trace->mapping)
		munmap(trace->mapping, trace->mapping_size);
	for (size_t i = 0; i < trace->opened; i++)
		close(trace->fds[trace->order[i]]);
	*trace = (struct trace){.leader = -1};
}

void trace_switch(struct trace *trace, bool on)
{
	if (trace->leader < 0 || trace->on == on)
		return;
	ioctl(trace->leader, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	trace->on = on;
}

void trace_read(const struct trace *trace, uint64_t values[TRACE_COUNT], uint64_t *ret_observed)
{
	uint64_t data[1 + TRACE_COUNT];
	ssize_t expected = (ssize_t)((1 + trace->opened) * sizeof(data[0]));

	*ret_observed = 0;
	if (trace->opened == 0 || read(trace->leader, data, sizeof(data)) != expected)
		return;
	for (size_t i = 0; i < trace->opened; i++) {
		values[trace->order[i]] = data[1 + i];
		*ret_observed |= UINT64_C(1) << trace->order[i];
	}
}

uint64_t trace_lost(const struct trace *trace, const uint64_t seen[TRACE_COUNT])
{
	uint64_t values[TRACE_COUNT], observed, missing = 0;

	trace_read(trace, values, &observed);
	for (int id = 0; id < TRACE_COUNT; id++)
		if ((observed & ~trace->sparse) >> id & 1)
			missing += values[id] - seen[id];
	return missing > trace->ring.lost ? missing : trace->ring.lost;
}

void trace_drain(struct trace *trace, struct l0_assembler *assembler)
{
	struct trace_sample sample;

	read_clocks(trace);
	while (trace_ring_next(&trace->ring, &sample))
		l0_assemble(assembler, trace->formats, sample.time, sample.raw, sample.size);
}

static double ticks_per_ns(const struct trace *trace)
{
	uint64_t ns = trace->now.ns - trace->start.ns;

	return ns ? (double)(trace->now.tsc - trace->start.tsc) / (double)ns : 1;
}

uint64_t trace_ticks(const struct trace *trace, uint64_t ns)
{
	return (uint64_t)((double)ns * ticks_per_ns(trace) + 0.5);
}

uint64_t trace_tsc(const struct trace *trace, uint64_t ns)
{
	double ticks = ((double)ns - (double)trace->start.ns) * ticks_per_ns(trace);

	return (uint64_t)((int64_t)trace->start.tsc + (int64_t)ticks);
}
