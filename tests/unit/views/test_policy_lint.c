/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy permits that may not be meant. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "policy_lint.h"
#include "scenario.h"

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

static bool take(void *data, const struct lint_warning *warning)
{
	struct bench *bench = data;

	assert_true(bench->count < ARRAY_SIZE(bench->found));
	bench->found[bench->count++] = *warning;
	return true;
}

static struct bench *bench_create(void)
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

static void bench_destroy(struct bench *bench)
{
	policy_finish(&bench->policy);
	free(bench);
}

static void lint(struct bench *bench)
{
	bench->count = 0;
	assert_int_equal(policy_validate(&bench->policy, &target, NULL), 0);
	assert_int_equal(policy_lint(&bench->subject, take, bench), 0);
}

static void region(struct bench *bench, uint64_t page, uint64_t pages)
{
	char name[16];

	snprintf(name, sizeof(name), "r%u", (unsigned)page);
	assert_int_equal(policy_add_region(&bench->policy, name,
					   gpa_at(page * PAGE), pages * PAGE,
					   NULL),
			 0);
}

static void view(struct bench *bench, const char *name, unsigned rights)
{
	assert_int_equal(policy_add_view(&bench->policy, name, rights, NULL), 0);
}

static void rights(struct bench *bench, uint32_t view_index, uint32_t index,
		   unsigned value)
{
	assert_int_equal(policy_set_rights(&bench->policy, view_index, index,
					   value),
			 0);
}

static void remap(struct bench *bench, uint32_t view_index, uint32_t index,
		  uint64_t page)
{
	assert_int_equal(policy_set_remap(&bench->policy, view_index, index,
					  gpa_at(page * PAGE)),
			 0);
}

static void vmfunc_at(struct bench *bench, uint64_t at)
{
	static const uint8_t vmfunc[] = { 0x0f, 0x01, 0xd4 };

	memcpy(bench->bytes + at, vmfunc, sizeof(vmfunc));
}

/* Warnings of one kind; the last of them. */
static size_t count_of(const struct bench *bench, enum lint_kind kind,
		       struct lint_warning *ret_last)
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

static void table(void **state)
{
	(void)state;
	assert_null(lint_key(LINT_INVALID));
	assert_null(lint_key(LINT_COUNT));
	assert_null(lint_text(LINT_INVALID));
	assert_null(lint_text(LINT_COUNT));
	for (int kind = LINT_INVALID + 1; kind < LINT_COUNT; kind++) {
		assert_non_null(lint_text((enum lint_kind)kind));
		for (int other = LINT_INVALID + 1; other < kind; other++)
			assert_string_not_equal(lint_key((enum lint_kind)kind),
						lint_key((enum lint_kind)other));
	}
}

static void write_execute(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 3);
	region(bench, 8, 1);
	view(bench, "all", R | W | X);
	view(bench, "rule", R);
	view(bench, "apart", R | W);
	rights(bench, 0, 0, R | X); /* takes its pages out of the default's */
	rights(bench, 1, 1, R | W | X);
	rights(bench, 2, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 2);
	assert_int_equal(bench->found[0].kind, LINT_WRITE_EXECUTE);
	assert_int_equal(bench->found[0].view, 0);
	assert_int_equal(bench->found[0].region, POLICY_NO_INDEX);
	assert_int_equal(bench->found[0].count, (PAGES - 3) * PAGE);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, PAGE);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 1);
	assert_int_equal(last.view, 1);
	bench_destroy(bench);
}

/* One page under two addresses: written under one, executed under the other. */
static void alias(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 2); /* remapped to 10 and 11 */
	region(bench, 11, 1);
	view(bench, "v", R | X);
	rights(bench, 0, 0, R);
	remap(bench, 0, 0, 10);
	lint(bench);
	assert_int_equal(bench->count, 0);
	rights(bench, 0, 0, R | W);
	lint(bench);
	assert_true(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last) > 0);
	assert_int_equal(last.region, 0); /* the one that is remapped */
	/* Nothing is executed any more where it shows. */
	assert_int_equal(policy_add_region(&bench->policy, "ten",
					   gpa_at(10 * PAGE), PAGE, NULL), 0);
	rights(bench, 0, 1, R);
	rights(bench, 0, 2, R | W);
	lint(bench);
	assert_int_equal(bench->count, 0);
	/* The other way round: what is executed is the remap. */
	rights(bench, 0, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last), 1);
	assert_int_equal(last.region, 0);
	assert_int_equal(last.other_region, 2);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

/* Whether two addresses of the view show the same page, one only to be written
 * and one only to be executed. */
static bool expect_alias(const struct bench *bench)
{
	for (uint64_t a = 0; a < PAGES; a++) {
		for (uint64_t b = 0; b < PAGES; b++) {
			const struct view_effect written = policy_effect(
				&bench->policy, 0, gpa_at(a * PAGE));
			const struct view_effect executed = policy_effect(
				&bench->policy, 0, gpa_at(b * PAGE));

			if ((written.rights & (W | X)) == W &&
			    (executed.rights & (W | X)) == X &&
			    gpa_equal(written.target, executed.target))
				return true;
		}
	}
	return false;
}

static void random_alias(void **state)
{
	static const unsigned choice[] = { R, R | W, R | X, R | W | X };
	unsigned found = 0;
	uint64_t seed = 12;

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		struct bench *bench = bench_create();
		struct lint_warning last;

		for (uint64_t page = 0; page < PAGES; page += 4)
			region(bench, page, 1 + random_below(&seed, 4));
		view(bench, "v", choice[random_below(&seed, 4)]);
		for (uint32_t r = 0; r < PAGES / 4; r++) {
			if (random_below(&seed, 2))
				rights(bench, 0, r, choice[random_below(&seed, 4)]);
			if (random_below(&seed, 3) == 0)
				remap(bench, 0, r, random_below(&seed, PAGES - 3));
		}
		lint(bench);
		assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last) != 0,
				 expect_alias(bench));
		found += expect_alias(bench);
		bench_destroy(bench);
	}
	assert_in_range(found, 50, 950);
}

/* What one view writes and another executes, also under another address. */
static void across(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 2);
	region(bench, 8, 2);
	view(bench, "kernel", R);
	view(bench, "driver", R);
	view(bench, "other", R);
	rights(bench, 0, 1, R | W);
	remap(bench, 0, 1, 3);
	rights(bench, 1, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	assert_int_equal(last.view, 0);
	assert_int_equal(last.other_view, 1);
	assert_int_equal(last.region, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, PAGE);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	bench->views[1].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 0);
	/* Who can write it himself has another warning. */
	bench->views[1].writes_code = false;
	rights(bench, 1, 0, R | W | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 0);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 1);
	bench_destroy(bench);
}

/* One region that shows two pages that other views execute is one warning; a region before it that is
 * written too, but shows memory behind, is not meant. */
static void across_views(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 1);
	region(bench, 4, 1);
	region(bench, 5, 1);
	region(bench, 8, 2);
	for (uint32_t v = 0; v < 3; v++)
		view(bench, "v", R);
	strcpy(bench->policy.views[1].name, "first");
	strcpy(bench->policy.views[2].name, "second");
	rights(bench, 0, 0, R | W);
	remap(bench, 0, 0, 12);
	rights(bench, 0, 3, R | W);
	remap(bench, 0, 3, 4);
	rights(bench, 1, 1, R | X);
	rights(bench, 2, 2, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	assert_int_equal(last.region, 3);
	assert_int_equal(last.other_view, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, 2 * PAGE);
	bench_destroy(bench);
}

/* What the check must find, byte by byte. */
static bool view_byte(const struct bench *bench, uint32_t view_index, uint64_t at,
		      uint8_t wanted)
{
	const struct view_effect effect =
		policy_effect(&bench->policy, view_index, gpa_at(at));

	return at < PAGES * PAGE && effect.rights & X &&
	       bench->bytes[effect.target.v] == wanted;
}

static void expect_vmfunc(const struct bench *bench, uint32_t view_index)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		uint64_t wanted = 0, found = 0;

		for (uint64_t at = page * PAGE; at < (page + 1) * PAGE; at++)
			wanted += view_byte(bench, view_index, at, 0x0f) &&
				  view_byte(bench, view_index, at + 1, 0x01) &&
				  view_byte(bench, view_index, at + 2, 0xd4);
		for (size_t i = 0; i < bench->count; i++) {
			const struct lint_warning *warning = &bench->found[i];

			if (warning->kind == LINT_VMFUNC &&
			    warning->view == view_index &&
			    warning->gpa.v / PAGE == page) {
				assert_int_equal(found, 0);
				found = warning->count;
			}
		}
		assert_int_equal(found, wanted);
	}
}

/* Random views of random bytes, with VMFUNC at and around page boundaries. */
static void vmfunc(void **state)
{
	uint64_t seed = 11, found = 0, across = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct bench *bench = bench_create();

		for (unsigned i = 0; i < 6; i++) {
			uint64_t at = random_below(&seed, PAGES - 1) * PAGE;

			at += random_below(&seed, 3) ?
				      PAGE - 3 + random_below(&seed, 5) :
				      random_below(&seed, PAGE);
			vmfunc_at(bench, at < PAGES * PAGE - 3 ? at : 0);
		}
		/* Parts of it at either end of a page, for remaps to join. */
		bench->bytes[random_below(&seed, PAGES) * PAGE + PAGE - 1] = 0x0f;
		bench->bytes[random_below(&seed, PAGES) * PAGE] = 0x01;
		bench->bytes[random_below(&seed, PAGES) * PAGE + 1] = 0xd4;
		for (uint64_t page = 0; page < PAGES; page += 2)
			region(bench, page, 1 + random_below(&seed, 2));
		view(bench, "a", random_below(&seed, 2) ? R | X : R);
		view(bench, "b", random_below(&seed, 2) ? R | X : R | W);
		for (uint32_t v = 0; v < 2; v++) {
			bench->views[v].writes_code = true;
			for (uint32_t r = 0; r < PAGES / 2; r++) {
				if (random_below(&seed, 2))
					rights(bench, v, r,
					       random_below(&seed, 3) ? R | X : R);
				if (random_below(&seed, 2) == 0)
					remap(bench, v, r,
					      random_below(&seed, PAGES - 1));
			}
		}
		lint(bench);
		for (uint32_t v = 0; v < 2; v++)
			expect_vmfunc(bench, v);
		for (size_t i = 0; i < bench->count; i++) {
			found += bench->found[i].kind == LINT_VMFUNC;
			across += bench->found[i].kind == LINT_VMFUNC &&
				  bench->found[i].gpa.v % PAGE > PAGE - 3;
		}
		bench_destroy(bench);
	}
	/* It was not about nothing. */
	assert_true(found > 500);
	assert_true(across > 50);
}

/* Bytes that come in parts, one behind the other, as segments do. */
static void parts(void **state)
{
	static const uint8_t first[] = { 0x90, 0x0f }, second[] = { 0x01, 0xd4 };
	const struct lint_bytes bytes[] = {
		{ gpa_at(PAGE - 2), sizeof(first), first },
		{ gpa_at(PAGE), sizeof(second), second },
	};
	struct bench *bench = bench_create();

	(void)state;
	view(bench, "v", R | X);
	bench->subject.bytes = bytes;
	bench->subject.bytes_count = 2;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].gpa.v, PAGE - 1);
	/* The rest of memory is zero. */
	bench->subject.bytes_count = 1;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

/* What is between two parts is zero as well. */
static void gap(void **state)
{
	static const uint8_t first[] = { 0x0f }, second[] = { 0x01, 0xd4 };
	struct lint_bytes bytes[] = {
		{ gpa_at(PAGE + 100), sizeof(first), first },
		{ gpa_at(PAGE + 102), 1, second + 1 },
	};
	struct bench *bench = bench_create();

	(void)state;
	view(bench, "v", R | X);
	bench->subject.bytes = bytes;
	bench->subject.bytes_count = 2;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bytes[1] = (struct lint_bytes){ gpa_at(PAGE + 101), 2, second };
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].gpa.v, PAGE + 100);
	bench_destroy(bench);
}

/* A kernel and a driver with a gate between them, and nothing to be said. */
static struct bench *gated(void)
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

static void one_warning(struct bench *bench, enum lint_kind kind, uint32_t of)
{
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, kind);
	assert_int_equal(bench->found[0].view, of);
	bench_destroy(bench);
}

static void gates(void **state)
{
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	lint(bench);
	assert_int_equal(bench->count, 0);

	/* A view that lists no gate is entered through that page all the same. */
	bench->views[1].gate_count = 0;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, LINT_VMFUNC);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].region, 0);
	assert_int_equal(bench->found[0].gpa.v, 3 * PAGE + 100);
	bench_destroy(bench);

	bench = gated();
	rights(bench, 1, 0, R);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_GATE_NOT_EXECUTABLE, &last), 1);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, 0);
	assert_int_equal(count_of(bench, LINT_GATE_ALONE, &last), 1);
	assert_int_equal(last.view, 0);
	bench_destroy(bench);

	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	bench->views[0].gate_count = 0;
	one_warning(bench, LINT_GATE_WITHOUT_VMFUNC, 1);

	/* One whose end may not be executed is none. */
	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	vmfunc_at(bench, 4 * PAGE - 2);
	bench->views[0].gate_count = 0;
	one_warning(bench, LINT_GATE_WITHOUT_VMFUNC, 1);

	/* One behind the gate is none at the gate. */
	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	vmfunc_at(bench, 5 * PAGE + 100);
	rights(bench, 1, 1, R | X);
	rights(bench, 0, 1, R);
	bench->views[0].gate_count = 0;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VMFUNC, &last), 1);
	assert_int_equal(count_of(bench, LINT_GATE_WITHOUT_VMFUNC, &last), 1);
	assert_int_equal(last.view, 1);
	bench_destroy(bench);

	bench = gated();
	rights(bench, 0, 0, R | W | X);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	one_warning(bench, LINT_GATE_WRITABLE, 0);

	/* The same page under another address. */
	bench = gated();
	rights(bench, 1, 1, R | W);
	remap(bench, 1, 1, 3);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, LINT_GATE_WRITABLE);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].region, 1);
	assert_int_equal(bench->found[0].other_region, 0);
	bench_destroy(bench);

	/* Another page at the gate, with a VMFUNC of its own. */
	bench = gated();
	vmfunc_at(bench, 6 * PAGE + 100);
	rights(bench, 0, 1, R);
	remap(bench, 1, 0, 6);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_GATE_DIFFERS, &last), 2);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.other_view, 0);
	bench_destroy(bench);
}

/* Views that are entered through either of two pages. */
static void two_gates(void **state)
{
	static const uint32_t both[] = { 2, 0 };
	struct bench *bench = gated();

	(void)state;
	region(bench, 7, 1);
	vmfunc_at(bench, 7 * PAGE);
	for (uint32_t v = 0; v < 2; v++) {
		rights(bench, v, 2, R | X);
		bench->views[v] = (struct lint_view){ both, 2, false };
	}
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	rights(bench, 1, 0, R | W | X);
	one_warning(bench, LINT_GATE_WRITABLE, 1);
}

static void needs(void **state)
{
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	bench->need = (struct lint_need){ "need", { { 8 * PAGE }, 3 * PAGE },
					  R | W };
	bench->subject.need_count = 1;
	lint(bench);
	assert_int_equal(bench->count, 1); /* the driver cannot write */
	assert_int_equal(bench->found[0].kind, LINT_NEED);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].need, 0);
	assert_int_equal(bench->found[0].gpa.v, 8 * PAGE);
	/* A region of the need's own name: who has a rule for it knows. */
	assert_int_equal(policy_add_region(&bench->policy, "need",
					   gpa_at(8 * PAGE), 3 * PAGE, NULL),
			 0);
	lint(bench);
	assert_int_equal(bench->count, 1);
	rights(bench, 1, 2, 0);
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);

	/* Its last page is kept back under another name, or shows something else. */
	for (unsigned i = 0; i < 2; i++) {
		bench = gated();
		bench->need = (struct lint_need){
			"need", { { 8 * PAGE }, 3 * PAGE }, R
		};
		bench->subject.need_count = 1;
		region(bench, 10, 1);
		if (i == 0)
			rights(bench, 0, 2, 0);
		else
			remap(bench, 0, 2, 12);
		lint(bench);
		assert_int_equal(count_of(bench, LINT_NEED, &last), 1);
		assert_int_equal(last.view, 0);
		assert_int_equal(last.gpa.v, 10 * PAGE);
		bench_destroy(bench);
	}

	/* It ends where there is no memory. */
	bench = gated();
	bench->need = (struct lint_need){
		"need", { { (PAGES - 1) * PAGE }, 2 * PAGE }, R
	};
	bench->subject.need_count = 1;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_NEED, &last), 2);
	assert_int_equal(last.gpa.v, PAGES * PAGE);
	bench_destroy(bench);
}

/* The page of what has become #VE, in views where something does. */
static void exceptions(void **state)
{
	static const uint32_t need_region = 2;
	const struct lint_regions suppressed[] = { { 0 }, { &need_region, 1 } };
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	bench->subject.ve_page = (struct lint_need){ "page", { { 8 * PAGE }, PAGE }, R | W };
	lint(bench);
	assert_int_equal(bench->count, 0);
	/* In one place, which is enough; this view can write the page, the other cannot. */
	assert_int_equal(policy_set_ve(&bench->policy, 0, 0, true), 0);
	lint(bench);
	assert_int_equal(bench->count, 0);
	assert_int_equal(policy_set_ve(&bench->policy, 1, 0, true), 0);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VE_PAGE, &last), 1);
	assert_int_equal(bench->count, 1);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, POLICY_NO_INDEX);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	/* A rule about its rights is an answer, one that says only that violations exit there is none. */
	assert_int_equal(policy_add_region(&bench->policy, "page", gpa_at(8 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_set_ve(&bench->policy, 1, need_region, false), 0);
	bench->subject.suppressed = suppressed;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VE_PAGE, &last), 1);
	bench->subject.suppressed = NULL;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

static void start(void **state)
{
	struct bench *bench = gated();

	(void)state;
	bench->subject.start = gpa_at(4 * PAGE);
	one_warning(bench, LINT_START, 0);
	bench = gated();
	bench->subject.start = gpa_at(PAGES * PAGE);
	one_warning(bench, LINT_START, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(write_execute),
		cmocka_unit_test(alias),
		cmocka_unit_test(random_alias),
		cmocka_unit_test(across),
		cmocka_unit_test(across_views),
		cmocka_unit_test(vmfunc),
		cmocka_unit_test(parts),
		cmocka_unit_test(gap),
		cmocka_unit_test(gates),
		cmocka_unit_test(two_gates),
		cmocka_unit_test(needs),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(start),
	};

	return cmocka_run_group_tests_name("policy_lint", tests, NULL, NULL);
}
