/* SPDX-License-Identifier: GPL-2.0-only */
/* Every value of the state components that are known, on processors with any of them, against the rules of the
 * manual one by one (Intel SDM vol. 1, 13.3). */
#include "tests/unit/cmocka_prelude.h"

#include "xcr.h"

/* Bits of XCR0: x87, SSE, AVX, MPX (2), AVX-512 (3), AMX (2), APX. */
static const unsigned components[] = {0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 19};

static bool has(uint64_t value, unsigned bit)
{
	return value >> bit & 1;
}

static bool legal(uint64_t value, uint64_t supported)
{
	bool avx512 = has(value, 5) || has(value, 6) || has(value, 7);

	for (unsigned bit = 0; bit < 64; bit++)
		if (has(value, bit) && !has(supported, bit))
			return false;
	if (!has(value, 0))
		return false;
	if (has(value, 2) && !has(value, 1))
		return false;
	if (has(value, 3) != has(value, 4))
		return false;
	if (avx512 && !(has(value, 2) && has(value, 5) && has(value, 6) && has(value, 7)))
		return false;
	if (has(value, 17) != has(value, 18))
		return false;
	return !has(value, 19) || !(has(value, 3) || has(value, 4));
}

static uint64_t spread(unsigned run)
{
	uint64_t value = 0;

	for (size_t i = 0; i < ARRAY_SIZE(components); i++)
		value |= (uint64_t)(run >> i & 1) << components[i];
	return value;
}

static void every_value_on_every_processor(void **state)
{
	const unsigned runs = 1u << ARRAY_SIZE(components);

	(void)state;
	for (unsigned run = 0; run < runs; run++)
		for (unsigned there = 0; there < runs; there++)
			assert_int_equal(xcr_is_legal(0, spread(run), spread(there)),
					 legal(spread(run), spread(there)));
}

static void no_register_but_xcr0(void **state)
{
	(void)state;
	assert_true(xcr_is_legal(0, 7, 7));
	assert_false(xcr_is_legal(1, 7, 7));
	assert_false(xcr_is_legal(UINT32_MAX, 7, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_on_every_processor),
		cmocka_unit_test(no_register_but_xcr0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
