/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual interrupts against a slow model: one small state machine for each vector. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "interrupts.h"

#define DELIVER SS_INTERRUPT_DELIVER
#define HOLD SS_INTERRUPT_HOLD
#define DROP SS_INTERRUPT_DROP

static enum interrupt_event raise_one(struct interrupts *interrupts, uint64_t vector)
{
	enum interrupt_event event = INTERRUPT_EVENT_COUNT;

	assert_int_equal(interrupts_raise(interrupts, vector, &event), 0);
	return event;
}

static enum interrupt_event set_one(struct interrupts *interrupts, uint64_t vector,
				    uint64_t disposition)
{
	enum interrupt_event event = INTERRUPT_EVENT_COUNT;

	assert_int_equal(interrupts_set(interrupts, vector, disposition, &event), 0);
	return event;
}

static void starts_with_all_delivered(void **state)
{
	(void)state;
	for (unsigned vector = 32; vector < 256; vector++) {
		struct interrupts interrupts;

		memset(&interrupts, 0xff, sizeof(interrupts));
		interrupts_init(&interrupts);
		assert_int_equal(interrupts_next(&interrupts), 0);
		assert_int_equal(raise_one(&interrupts, vector), INTERRUPT_EVENT_NONE);
		assert_int_equal(interrupts_next(&interrupts), vector);
		interrupts_take(&interrupts, vector);
		assert_int_equal(interrupts_next(&interrupts), 0);
	}
}

/* What is held is delivered once, however often it was raised. */
static void held_coalesce(void **state)
{
	struct interrupts interrupts;

	(void)state;
	interrupts_init(&interrupts);
	assert_int_equal(set_one(&interrupts, 0x40, HOLD), INTERRUPT_EVENT_NONE);
	assert_int_equal(raise_one(&interrupts, 0x40), INTERRUPT_HELD);
	assert_int_equal(raise_one(&interrupts, 0x40), INTERRUPT_COALESCED);
	assert_int_equal(interrupts_next(&interrupts), 0);
	assert_int_equal(set_one(&interrupts, 0x40, DELIVER), INTERRUPT_EVENT_NONE);
	assert_int_equal(interrupts_next(&interrupts), 0x40);
	interrupts_take(&interrupts, 0x40);
	assert_int_equal(interrupts_next(&interrupts), 0);
}

static void dropped_leave_nothing(void **state)
{
	struct interrupts interrupts;

	(void)state;
	interrupts_init(&interrupts);
	raise_one(&interrupts, 0x40);
	assert_int_equal(set_one(&interrupts, 0x40, HOLD), INTERRUPT_HELD);
	assert_int_equal(set_one(&interrupts, 0x40, DROP), INTERRUPT_DROPPED);
	assert_int_equal(raise_one(&interrupts, 0x40), INTERRUPT_DROPPED);
	assert_int_equal(set_one(&interrupts, 0x40, DELIVER), INTERRUPT_EVENT_NONE);
	assert_int_equal(interrupts_next(&interrupts), 0);
}

/* A vector that is held does not stand in the way of lower ones. */
static void highest_first(void **state)
{
	struct interrupts interrupts;

	(void)state;
	interrupts_init(&interrupts);
	set_one(&interrupts, 0xff, HOLD);
	for (unsigned vector = 32; vector < 256; vector++)
		raise_one(&interrupts, vector);
	for (unsigned vector = 254; vector >= 32; vector--) {
		assert_int_equal(interrupts_next(&interrupts), vector);
		interrupts_take(&interrupts, vector);
	}
	assert_int_equal(interrupts_next(&interrupts), 0);
}

/* Refused without any effect: *ret_event and the state stay as they were. */
static void refuses_what_there_is_not(void **state)
{
	static const uint64_t bad_vectors[] = {0, 31, 256, 0x100000040, UINT64_MAX};
	static const uint64_t bad_dispositions[] = {0, 4, 0x100000001, UINT64_MAX};
	enum interrupt_event event = INTERRUPT_EVENT_COUNT;
	struct interrupts interrupts, before;

	(void)state;
	interrupts_init(&interrupts);
	raise_one(&interrupts, 0x40);
	before = interrupts;
	for (size_t i = 0; i < ARRAY_SIZE(bad_vectors); i++) {
		assert_int_equal(interrupts_raise(&interrupts, bad_vectors[i], &event), -EINVAL);
		assert_int_equal(interrupts_set(&interrupts, bad_vectors[i], DROP, &event), -EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_dispositions); i++)
		assert_int_equal(interrupts_set(&interrupts, 0x40, bad_dispositions[i], &event),
				 -EINVAL);
	assert_int_equal(event, INTERRUPT_EVENT_COUNT);
	assert_memory_equal(&interrupts, &before, sizeof(before));
}

/* The model: two facts about a vector, every rule written out. */
struct slow {
	unsigned disposition;
	bool pending;
};

static enum interrupt_event slow_raise(struct slow *vector)
{
	bool found = vector->pending;

	if (vector->disposition == DROP)
		return INTERRUPT_DROPPED;
	vector->pending = true;
	if (found)
		return INTERRUPT_COALESCED;
	return vector->disposition == HOLD ? INTERRUPT_HELD : INTERRUPT_EVENT_NONE;
}

static enum interrupt_event slow_set(struct slow *vector, unsigned disposition)
{
	bool was_held = vector->disposition == HOLD, pending = vector->pending;

	vector->disposition = disposition;
	if (disposition == DROP)
		vector->pending = false;
	if (!pending || disposition == DELIVER)
		return INTERRUPT_EVENT_NONE;
	if (disposition == DROP)
		return INTERRUPT_DROPPED;
	return was_held ? INTERRUPT_EVENT_NONE : INTERRUPT_HELD;
}

static unsigned slow_next(const struct slow model[256])
{
	for (unsigned vector = 255; vector >= 32; vector--)
		if (model[vector].pending && model[vector].disposition == DELIVER)
			return vector;
	return 0;
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*state >> 33);
}

/* Random histories of a few vectors, so that they meet; nothing is lost and nothing is made up. */
static void agrees_with_the_model(void **state)
{
	static const uint8_t vectors[] = {32, 63, 64, 127, 128, 191, 192, 254, 255};
	struct slow model[256] = {0};
	struct interrupts interrupts;
	uint64_t random = 1, raised = 0, ended[INTERRUPT_EVENT_COUNT] = {0}, left = 0;

	(void)state;
	interrupts_init(&interrupts);
	for (unsigned vector = 0; vector < 256; vector++)
		model[vector].disposition = DELIVER;
	for (int step = 0; step < 200000; step++) {
		unsigned vector = vectors[next_random(&random) % ARRAY_SIZE(vectors)];
		unsigned action = next_random(&random) % 8, due = slow_next(model);

		assert_int_equal(interrupts_next(&interrupts), due);
		if (action < 4) {
			enum interrupt_event event = slow_raise(&model[vector]);

			raised++;
			ended[event]++;
			assert_int_equal(raise_one(&interrupts, vector), event);
		} else if (action < 6) {
			unsigned disposition = DELIVER + next_random(&random) % 3;
			enum interrupt_event event = slow_set(&model[vector], disposition);

			ended[event]++;
			assert_int_equal(set_one(&interrupts, vector, disposition), event);
		} else if (due != 0) {
			model[due].pending = false;
			ended[INTERRUPT_DELIVERED]++;
			interrupts_take(&interrupts, due);
		}
	}
	for (unsigned vector = 0; vector < 256; vector++)
		left += model[vector].pending;
	assert_int_equal(raised, ended[INTERRUPT_DELIVERED] + ended[INTERRUPT_COALESCED] +
					 ended[INTERRUPT_DROPPED] + left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_all_delivered),
		cmocka_unit_test(held_coalesce),
		cmocka_unit_test(dropped_leave_nothing),
		cmocka_unit_test(highest_first),
		cmocka_unit_test(refuses_what_there_is_not),
		cmocka_unit_test(agrees_with_the_model),
	};

	return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
