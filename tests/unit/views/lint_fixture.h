/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of lint share: a small memory, a policy about it with notes and bytes, and what is found. Whatever fails
 * here fails the test.
 */
#ifndef TESTS_LINT_FIXTURE_H
#define TESTS_LINT_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_lint.h"

#define PAGE UINT64_C(0x1000)
#define PAGES 16
#define R VIEW_READ
#define W VIEW_WRITE
#define X VIEW_EXECUTE

/* Everything lies in the first pages of memory, so that all of it can be written
 * down. */
static const struct gpa_range range = { { 0 }, PAGES * PAGE };
static const struct guest_memory memory = { &range, 1 };
static const struct view_target target = {
	.memory = { &range, 1 },
	.format = &paging_formats[PAGING_EPT],
	.caps = { .maxphyaddr = 46, .exec_only = true, .ve = true },
};

/* A subject with everything that it points to, and what the last lint() found. */
struct bench {
	struct view_policy policy;
	struct lint_view views[4];
	uint8_t bytes[PAGES * PAGE];
	struct lint_bytes filled;
	struct lint_need need;
	struct lint_subject subject;
	struct lint_warning found[64];
	size_t count;
};

static inline bool take(void *data, const struct lint_warning *warning)
{
	struct bench *bench = data;

	assert_true(bench->count < ARRAY_SIZE(bench->found));
	bench->found[bench->count++] = *warning;
	return true;
}

/* A policy without regions and views, memory of zeroes. The test owns it: bench_destroy(). */
static inline struct bench *bench_create(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->filled = (struct lint_bytes){ gpa_at(0), PAGES * PAGE,
					     bench->bytes };
	bench->subject = (struct lint_subject){
		.policy = &bench->policy,
		.memory = &memory,
		.views = bench->views,
		.bytes = &bench->filled,
		.bytes_count = 1,
		.needs = &bench->need,
	};
	return bench;
}

static inline void bench_destroy(struct bench *bench)
{
	policy_finish(&bench->policy);
	free(bench);
}

/* Replaces what has been found. The policy has to be valid. */
static inline void lint(struct bench *bench)
{
	bench->count = 0;
	assert_int_equal(policy_validate(&bench->policy, &target, NULL), 0);
	assert_int_equal(policy_lint(&bench->subject, take, bench), 0);
}

/* Named "r" and the page. */
static inline void region(struct bench *bench, uint64_t page, uint64_t pages)
{
	char name[16];

	snprintf(name, sizeof(name), "r%u", (unsigned)page);
	assert_int_equal(policy_add_region(&bench->policy, name,
					   gpa_at(page * PAGE), pages * PAGE,
					   NULL),
			 0);
}

static inline void view(struct bench *bench, const char *name, unsigned rights)
{
	assert_int_equal(policy_add_view(&bench->policy, name, rights, NULL), 0);
}

static inline void rights(struct bench *bench, uint32_t view_index, uint32_t index, unsigned value)
{
	assert_int_equal(policy_set_rights(&bench->policy, view_index, index,
					   value),
			 0);
}

static inline void remap(struct bench *bench, uint32_t view_index, uint32_t index, uint64_t page)
{
	assert_int_equal(policy_set_remap(&bench->policy, view_index, index,
					  gpa_at(page * PAGE)),
			 0);
}

static inline void vmfunc_at(struct bench *bench, uint64_t at)
{
	static const uint8_t vmfunc[] = { 0x0f, 0x01, 0xd4 };

	memcpy(bench->bytes + at, vmfunc, sizeof(vmfunc));
}

/* Warnings of one kind; the last of them. */
static inline size_t count_of(const struct bench *bench, enum lint_kind kind, struct lint_warning *ret_last)
{
	size_t count = 0;

	for (size_t i = 0; i < bench->count; i++) {
		if (bench->found[i].kind != kind)
			continue;
		count++;
		*ret_last = bench->found[i];
	}
	return count;
}

/* A kernel and a driver with a gate between them, and nothing to be said. */
static inline struct bench *gated(void)
{
	static const uint32_t gates[] = { 0 };
	struct bench *bench = bench_create();

	region(bench, 3, 1);
	region(bench, 5, 1);
	view(bench, "kernel", R | W);
	view(bench, "driver", R);
	vmfunc_at(bench, 3 * PAGE + 100);
	for (uint32_t v = 0; v < 2; v++) {
		rights(bench, v, 0, R | X);
		bench->views[v] = (struct lint_view){ gates, 1, false };
	}
	bench->subject.start = gpa_at(3 * PAGE);
	return bench;
}

/* That this is all there is to be said. Destroys the bench. */
static inline void one_warning(struct bench *bench, enum lint_kind kind, uint32_t of)
{
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, kind);
	assert_int_equal(bench->found[0].view, of);
	bench_destroy(bench);
}

#endif
