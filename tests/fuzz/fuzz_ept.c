/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy of any shape: refused, or built so that an independent walker finds what it says. */
#include "fuzz.h"
#include "tests/unit/views/scenario.h"

#define EDGES_MAX 64
#define PAGE UINT64_C(4096)

static unsigned rights_of(const struct walk *walk)
{
	return (walk->read ? 1u : 0) | (walk->write ? 2u : 0) | (walk->execute ? 4u : 0);
}

static void check(const struct scenario *scenario, const struct ept_views *views)
{
	uint64_t edges[EDGES_MAX];
	size_t count = scenario_edges(scenario, edges, EDGES_MAX);

	for (size_t view = 0; view < views->count; view++)
		for (size_t i = 0; i < 2 * count; i++) {
			uint64_t address = edges[i / 2] - (i % 2 ? PAGE : 0);
			struct expectation expected;
			struct walk walk;

			if (address >> 48)
				continue;
			expected = scenario_expect(scenario, view, address);
			walk = scenario_walk(scenario, views, view, address);
			MUST(walk.status != WALK_BAD);
			MUST((walk.status == WALK_MAPPED) == expected.mapped);
			if (expected.mapped)
				MUST(rights_of(&walk) == expected.rights &&
				     walk.address == expected.address);
		}
}

/* Addresses and sizes in pages, with a few bits to spoil them. */
static uint64_t take_address(struct fuzz_input *input)
{
	uint64_t pages = fuzz_take(input, 3) & 0x3ffff;

	return pages * PAGE + (fuzz_take(input, 1) == 0xff ? 1 : 0);
}

static void take_policy(struct fuzz_input *input, struct scenario *scenario)
{
	uint32_t regions = (uint32_t)fuzz_take(input, 1) % 8, views = (uint32_t)fuzz_take(input, 1) % 6;
	char name[2] = "a";

	for (uint32_t i = 0; i < regions; i++, name[0]++) {
		uint64_t start = take_address(input);

		policy_add_region(&scenario->policy, name, gpa_at(start), take_address(input), NULL);
	}
	for (uint32_t i = 0; i < views; i++, name[0]++)
		policy_add_view(&scenario->policy, name, (unsigned)fuzz_take(input, 1) & 0xf, NULL);
	while (input->size >= 3) {
		uint8_t what = (uint8_t)fuzz_take(input, 1);

		if (what & 0x80)
			policy_set_remap(&scenario->policy, what & 7, what >> 3 & 7,
					 gpa_at(take_address(input)));
		else
			policy_set_rights(&scenario->policy, what & 7, what >> 3 & 7,
					  (unsigned)fuzz_take(input, 1) & 0xf);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t how = (uint8_t)fuzz_take(&input, 1);
	struct paging_caps caps = {
		.has_2m = how & 1,
		.has_1g = how & 2,
		.exec_only = how & 4,
		.ad_bits = how & 8,
		.maxphyaddr = 46,
	};
	struct policy_error why = {0};
	static struct ept_views views;
	struct scenario scenario;
	int rc;

	scenario_init(&scenario, how & 16 ? PAGING_NPT : PAGING_EPT, caps);
	scenario_add_memory(&scenario, 0, UINT64_C(1) << 29);
	scenario_add_memory(&scenario, UINT64_C(1) << 32, (fuzz_take(&input, 2) + 1) * PAGE);
	take_policy(&input, &scenario);
	rc = ept_build(&scenario.policy, &scenario.target, &scenario.arena, &views, &why);
	MUST(rc == 0 || why.kind != POLICY_ERROR_INVALID);
	if (rc == 0)
		check(&scenario, &views);
	scenario_finish(&scenario);
	return 0;
}
