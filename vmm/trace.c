/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reason 1 of VMX (isa 1) and 0x60 of SVM (isa 2) are external interrupts of the host. */
#define NOT_HOST_INTERRUPTS "!(isa == 1 && exit_reason == 1) && !(isa == 2 && exit_reason == 96)"

static const char *const names[TRACE_COUNT] = {
#define TRACEPOINT(name, meaning) #name,
#include "tracepoint.def"
#undef TRACEPOINT
};

static const char *filter_of(int id)
{
	return id == TRACE_kvm_exit || id == TRACE_kvm_nested_vmexit ? NOT_HOST_INTERRUPTS : NULL;
}

/* Number of a tracepoint, or a negative errno. */
static long tracepoint_number(const char *name)
{
	static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	long result = -ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		char path[128], text[24] = "";
		int fd;

		snprintf(path, sizeof(path), "%s/events/kvm/%s/id", roots[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			if (errno == EACCES)
				result = -EACCES;
			continue;
		}
		if (read(fd, text, sizeof(text) - 1) > 0)
			result = strtol(text, NULL, 10);
		close(fd);
		return result;
	}
	return result;
}

static int open_counter(int id, long number, int leader)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
		.config = (uint64_t)number,
		.read_format = PERF_FORMAT_GROUP,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader,
			      PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (filter_of(id) && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter_of(id)) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static void explain(int error, char *reason, size_t size)
{
	int level = 0;
	FILE *file;

	switch (-error) {
	case ENOENT:
		snprintf(reason, size,
			 "tracefs shows no kvm events; as root: mount -t tracefs tracefs "
			 "/sys/kernel/tracing");
		break;
	case EACCES:
	case EPERM:
		file = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
		if (file && fscanf(file, "%d", &level) != 1)
			level = 0;
		if (file)
			fclose(file);
		snprintf(reason, size,
			 "not permitted; run as root%s, or set kernel.perf_event_paranoid (now %d) to "
			 "1 or less and make tracefs readable",
			 level >= 3 ? "" : " or with CAP_PERFMON", level);
		break;
	default:
		snprintf(reason, size, "perf_event_open: %s", strerror(-error));
	}
}

int trace_open(struct trace *trace, char *reason, size_t size)
{
	int failure = -ENOENT;

	*trace = (struct trace){.leader = -1};
	for (int id = 0; id < TRACE_COUNT; id++) {
		long number = tracepoint_number(names[id]);
		int fd = number < 0 ? (int)number : open_counter(id, number, trace->leader);

		trace->fds[id] = fd < 0 ? -1 : fd;
		if (fd < 0) {
			failure = fd;
			continue;
		}
		if (trace->leader < 0)
			trace->leader = fd;
		trace->order[trace->opened++] = id;
	}
	if (trace->opened == 0)
		explain(failure, reason, size);
	return (int)trace->opened;
}

void trace_close(struct trace *trace)
{
	for (size_t i = 0; i < trace->opened; i++)
		close(trace->fds[trace->order[i]]);
	*trace = (struct trace){.leader = -1};
}

void trace_read(const struct trace *trace, uint64_t values[TRACE_COUNT], uint64_t *ret_observed)
{
	uint64_t data[1 + TRACE_COUNT];
	ssize_t wanted = (ssize_t)((1 + trace->opened) * sizeof(data[0]));

	*ret_observed = 0;
	if (trace->opened == 0 || read(trace->leader, data, sizeof(data)) != wanted)
		return;
	for (size_t i = 0; i < trace->opened; i++) {
		values[trace->order[i]] = data[1 + i];
		*ret_observed |= UINT64_C(1) << trace->order[i];
	}
}
