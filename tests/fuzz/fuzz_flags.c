/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision about control flags, against the sentence of its specification bit by bit: owned, to
 * the register; kept, to the shadow; neither, the VMM is asked. Every embodiment decides the same.
 */
#include "fuzz.h"
#include "views/flags.h"
#include "views/flags_embodiment.h"

static uint64_t read_reference(const struct flag_words *words)
{
	uint64_t seen = 0;

	for (int bit = 0; bit < 64; bit++) {
		uint64_t flag = UINT64_C(1) << bit;

		seen |= words->owned & flag ? words->value & flag : words->shadow & flag;
	}
	return seen;
}

static uint64_t write_reference(struct flag_words *words, uint64_t value)
{
	uint64_t ask = 0;

	for (int bit = 0; bit < 64; bit++) {
		uint64_t flag = UINT64_C(1) << bit, seen = read_reference(words) & flag;

		if (seen == (value & flag))
			continue;
		if (words->owned & flag)
			words->value ^= flag;
		else if (words->kept & flag)
			words->shadow ^= flag;
		else
			ask |= flag;
	}
	return ask;
}

static void check_embodiments(const struct flag_words *words, uint64_t set)
{
	uint64_t writable = words->owned | words->kept;

	for (enum flags_embodiment e = FLAGS_EMBODIMENT_INVALID + 1; e < FLAGS_EMBODIMENT_COUNT; e++) {
		uint64_t encoded[FLAGS_WORDS] = {0};
		struct flags_decision decision;

		if (flags_encode(e, words->owned & ~words->kept, words->kept, writable, encoded).rule !=
		    FLAGS_RULE_VALID)
			continue;
		decision = flags_row(e)->write(encoded, set & writable);
		MUST(decision.in_register == (set & words->owned & ~words->kept));
		MUST(decision.in_shadow == (set & words->kept));
		MUST(decision.ask == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct flag_words fast = {.owned = fuzz_take(&input, 8)}, slow;

	fast.kept = fuzz_take(&input, 8);
	fast.shadow = fuzz_take(&input, 8);
	fast.value = fuzz_take(&input, 8);
	slow = fast;
	check_embodiments(&fast, fuzz_take(&input, 8));
	while (input.size) {
		uint64_t value = fuzz_take(&input, 8);

		MUST(flags_read(&fast) == read_reference(&slow));
		MUST(flags_write(&fast, value) == write_reference(&slow, value));
		MUST(memcmp(&fast, &slow, sizeof(fast)) == 0);
	}
	return 0;
}
