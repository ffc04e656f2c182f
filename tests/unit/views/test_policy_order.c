/* SPDX-License-Identifier: GPL-2.0-only */
/* What lets large policies be looked over: pieces in order, rules found, an end when enough was said. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "policy_lint.h"
#include "scenario.h"
#include "view_map.h"

#define PAGE UINT64_C(0x1000)
#define PAGES 64
#define REGIONS 12
#define ROUNDS 300

static const struct gpa_range range = { { 0 }, PAGES * PAGE };
static const struct guest_memory memory = { &range, 1 };

/* A view of regions of one page, three pages apart, some of which show others. */
static void random_policy(struct view_policy *policy, uint64_t *seed)
{
	assert_int_equal(policy_add_view(policy, "view", VIEW_READ, NULL), 0);
	for (uint32_t r = 0; r < REGIONS; r++) {
		const char name[] = { (char)('a' + r), '\0' };

		assert_int_equal(policy_add_region(policy, name,
						   gpa_at(r * 3 * PAGE), PAGE, NULL),
				 0);
		if (random_below(seed, 3) == 0)
			continue;
		assert_int_equal(policy_set_rights(policy, 0, r, VIEW_RIGHTS_ALL), 0);
		if (random_below(seed, 2) == 0)
			assert_int_equal(policy_set_remap(policy, 0, r,
							  gpa_at(random_below(seed, 8) *
								 PAGE)),
					 0);
	}
}

static bool before(const struct view_piece *a, const struct view_piece *b)
{
	return a->shown != b->shown ? a->shown < b->shown : a->start < b->start;
}

static void pieces_by_what_they_show(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct view_policy policy = { 0 };
		size_t moved = 0;
		struct view_map map;

		random_policy(&policy, &seed);
		assert_int_equal(view_map_init(&map, &policy, &memory), 0);
		view_map_fill(&map, 0);
		for (size_t i = 0; i < map.count; i++) {
			const struct view_piece *piece = &map.by_shown[i];

			assert_ptr_not_equal(view_map_at(&map, piece->start), NULL);
			assert_memory_equal(view_map_at(&map, piece->start), piece,
					    sizeof(*piece));
			if (i > 0)
				assert_true(before(piece - 1, piece));
			if (piece->shown != piece->start)
				assert_memory_equal(&map.moved[moved++], piece,
						    sizeof(*piece));
		}
		assert_int_equal(map.moved_count, moved);
		view_map_finish(&map);
		policy_finish(&policy);
	}
}

static void rules(void **state)
{
	struct view_policy policy = { 0 };
	uint64_t seed = 9;

	(void)state;
	random_policy(&policy, &seed);
	for (uint32_t r = 0; r < REGIONS; r++) {
		const struct view_rule *wanted = NULL;

		for (size_t i = 0; i < policy.views[0].rule_count; i++)
			if (policy.views[0].rules[i].region == r)
				wanted = &policy.views[0].rules[i];
		assert_ptr_equal(policy_rule(&policy, 0, r), wanted);
	}
	policy_finish(&policy);
}

struct visitor {
	size_t calls, stop_at;
};

static bool visit(void *data, const struct lint_warning *warning)
{
	struct visitor *visitor = data;

	(void)warning;
	return ++visitor->calls != visitor->stop_at;
}

static size_t calls(const struct lint_subject *subject, size_t stop_at)
{
	struct visitor visitor = { .stop_at = stop_at };

	assert_int_equal(policy_lint(subject, visit, &visitor), 0);
	return visitor.calls;
}

/* Whoever has seen enough is told no more, whatever is being looked for. */
static void stops(void **state)
{
	static const uint32_t gate = 0;
	static const struct lint_view views[] = { { &gate, 1, false }, { &gate, 1, false } };
	static uint8_t code[PAGES * PAGE];
	const struct lint_bytes bytes = { gpa_at(0), sizeof(code), code };
	struct view_policy policy = { 0 };
	const struct lint_subject subject = { .policy = &policy, .memory = &memory, .views = views,
					      .bytes = &bytes, .bytes_count = 1 };
	size_t all;

	(void)state;
	/* A VMFUNC in every page, Intel SDM volume 2, VMFUNC. */
	for (size_t page = 0; page < PAGES; page++)
		memcpy(code + page * PAGE, (const uint8_t[]){ 0x0f, 0x01, 0xd4 }, 3);
	assert_int_equal(policy_add_region(&policy, "gate", gpa_at(PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "data", gpa_at(3 * PAGE), PAGE, NULL), 0);
	for (uint32_t v = 0; v < 2; v++) {
		assert_int_equal(policy_add_view(&policy, v ? "b" : "a", VIEW_RIGHTS_ALL, NULL), 0);
		assert_int_equal(policy_set_rights(&policy, v, 0, VIEW_RIGHTS_ALL), 0);
	}
	assert_int_equal(policy_set_remap(&policy, 1, 0, gpa_at(5 * PAGE)), 0);
	all = calls(&subject, 0);
	assert_true(all > PAGES);
	for (size_t n = 1; n <= all; n++)
		assert_int_equal(calls(&subject, n), n);
	policy_finish(&policy);
}

struct last {
	size_t count[LINT_COUNT];
	struct lint_warning of[LINT_COUNT];
};

static bool keep_last(void *data, const struct lint_warning *warning)
{
	struct last *last = data;

	last->count[warning->kind]++;
	last->of[warning->kind] = *warning;
	return true;
}

static void add_region(struct view_policy *policy, const char *name, uint64_t page)
{
	assert_int_equal(policy_add_region(policy, name, gpa_at(page * PAGE), PAGE, NULL), 0);
}

static void add_view(struct view_policy *policy, const char *name, unsigned rights)
{
	assert_int_equal(policy_add_view(policy, name, rights, NULL), 0);
}

/* A gate in the last page of memory, which one view shows by default, one not at all, and one elsewhere, and a view
 * that writes other memory under another address. */
static void last_gate(void **state)
{
	static const uint32_t gate = 0;
	static const struct lint_view views[] = { { &gate, 1, true }, { 0 }, { &gate, 1, true } };
	struct view_policy policy = { 0 };
	const struct lint_subject subject = { .policy = &policy, .memory = &memory, .views = views };
	struct last last = { 0 };

	(void)state;
	add_region(&policy, "gate", PAGES - 1);
	add_region(&policy, "moved", 20);
	add_view(&policy, "default", VIEW_READ | VIEW_EXECUTE);
	add_view(&policy, "none", 0);
	add_view(&policy, "elsewhere", VIEW_READ);
	assert_int_equal(policy_set_rights(&policy, 2, 0, VIEW_READ | VIEW_EXECUTE), 0);
	assert_int_equal(policy_set_remap(&policy, 2, 0, gpa_at(40 * PAGE)), 0);
	assert_int_equal(policy_set_rights(&policy, 2, 1, VIEW_READ | VIEW_WRITE), 0);
	assert_int_equal(policy_set_remap(&policy, 2, 1, gpa_at(10 * PAGE)), 0);
	assert_int_equal(policy_lint(&subject, keep_last, &last), 0);
	assert_int_equal(last.count[LINT_GATE_DIFFERS], 2);
	assert_int_equal(last.of[LINT_GATE_DIFFERS].view, 2);
	assert_int_equal(last.of[LINT_GATE_DIFFERS].other_view, 0);
	assert_int_equal(last.count[LINT_GATE_WRITABLE], 0);
	assert_int_equal(last.count[LINT_GATE_ALONE], 0);
	policy_finish(&policy);
}

/* What a view writes in front of the memory that others share is no part of it. */
static void written_before(void **state)
{
	static const struct lint_view views[3] = { 0 };
	struct view_policy policy = { 0 };
	const struct lint_subject subject = { .policy = &policy, .memory = &memory, .views = views };
	struct last last = { 0 };

	(void)state;
	add_region(&policy, "own", 2);
	add_region(&policy, "shared", 5);
	for (uint32_t v = 0; v < 3; v++)
		add_view(&policy, (const char *[]){ "a", "b", "c" }[v], 0);
	assert_int_equal(policy_set_rights(&policy, 0, 0, VIEW_READ | VIEW_WRITE), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 1, VIEW_READ | VIEW_WRITE), 0);
	assert_int_equal(policy_set_rights(&policy, 2, 1, VIEW_READ | VIEW_EXECUTE), 0);
	assert_int_equal(policy_lint(&subject, keep_last, &last), 0);
	assert_int_equal(last.count[LINT_WRITE_EXECUTE_ACROSS], 1);
	assert_int_equal(last.of[LINT_WRITE_EXECUTE_ACROSS].view, 1);
	assert_int_equal(last.of[LINT_WRITE_EXECUTE_ACROSS].other_view, 2);
	policy_finish(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_by_what_they_show),
		cmocka_unit_test(rules),
		cmocka_unit_test(stops),
		cmocka_unit_test(last_gate),
		cmocka_unit_test(written_before),
	};

	return cmocka_run_group_tests_name("order of a policy", tests, NULL, NULL);
}
