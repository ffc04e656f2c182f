/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of tracepoints share: formats of three kernels, in our words, and records of them. */
#ifndef TESTS_TRACE_FIXTURE_H
#define TESTS_TRACE_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include "vmm/observe/trace_format.h"

struct field {
	const char *type, *name;
	unsigned offset, size;
};

#define FIELDS_MAX 8

struct event {
	enum trace_id id;
	unsigned number;
	struct field fields[FIELDS_MAX];
};

struct kernel {
	const char *name;
	struct event events[4];
};

#define KERNELS 3
extern const struct kernel kernels[KERNELS];

const struct event *event_of(const struct kernel *kernel, enum trace_id id);

/* The text of a format file; returns its length. */
size_t write_format(const struct event *event, const char *name, char *text, size_t size);

/* Has the formats of a kernel parsed. */
void load(const struct kernel *kernel, struct trace_formats *formats);

/* A record as the kernel would write it: fields found in our table, not through the code under test. */
struct raw {
	uint8_t bytes[96];
};

struct raw make(const struct kernel *kernel, enum trace_id id);
void set(struct raw *raw, const struct kernel *kernel, enum trace_id id, const char *name, uint64_t value);
struct raw make_exit(const struct kernel *kernel, uint32_t reason, uint64_t rip);

#endif
