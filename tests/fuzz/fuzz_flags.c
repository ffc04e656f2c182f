/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision about control flags, against the sentence of its specification bit by bit: owned, to
 * the register; kept, to the shadow; neither, the VMM is asked. Every embodiment decides the same.
 */
#include "fuzz.h"
#include "views/flags.h"

/* What is meant, and where the flags are. */
struct meaning {
	uint64_t owned, kept, shadow, value;
};

static uint64_t read_reference(const struct meaning *meaning)
{
	uint64_t seen = 0;

	for (int bit = 0; bit < 64; bit++) {
		uint64_t flag = UINT64_C(1) << bit;

		seen |= bit < 32 && meaning->kept & flag ? meaning->shadow & flag : meaning->value & flag;
	}
	return seen;
}

static uint64_t write_reference(struct meaning *meaning, uint64_t value)
{
	uint64_t ask = 0, seen = read_reference(meaning);

	for (int bit = 0; bit < 64; bit++) {
		uint64_t flag = UINT64_C(1) << bit;

		if ((seen & flag) == (value & flag))
			continue;
		if (bit > 31 || meaning->owned & flag)
			meaning->value ^= flag;
		else if (meaning->kept & flag)
			meaning->shadow ^= flag;
		else
			ask |= flag;
	}
	return ask;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct meaning slow = {.owned = fuzz_take(&input, 8) & FLAGS_ALL};
	struct ss_flag_words fast[SS_EMBODIMENT_COUNT] = {0};

	slow.kept = fuzz_take(&input, 8) & FLAGS_ALL & ~slow.owned;
	slow.shadow = fuzz_take(&input, 8);
	slow.value = fuzz_take(&input, 8);
	for (enum ss_embodiment e = SS_EMBODIMENT_INVALID + 1; e < SS_EMBODIMENT_COUNT; e++) {
		fast[e] = (struct ss_flag_words){.shadow = slow.shadow, .value = slow.value};
		if (flags_encode(e, slow.owned, slow.kept, FLAGS_ALL, fast[e].words).rule == FLAGS_RULE_VALID)
			fast[e].embodiment = e;
		else
			MUST(e == SS_EMBODIMENT_SINGLE_MASK && (slow.owned | slow.kept) != FLAGS_ALL);
	}
	while (input.size) {
		uint64_t value = fuzz_take(&input, 8), seen = read_reference(&slow);
		uint64_t ask = write_reference(&slow, value);

		for (int e = SS_EMBODIMENT_INVALID + 1; e < SS_EMBODIMENT_COUNT; e++) {
			struct flags_change change;

			if (!fast[e].embodiment)
				continue;
			change = flags_write(&fast[e], value);
			MUST(flags_read(&fast[e]) == seen);
			MUST(change.ask == ask && change.changed == (seen ^ value));
			MUST(change.value == slow.value && change.shadow == slow.shadow);
			MUST(flags_masked(&fast[e]) == (FLAGS_ALL & ~slow.owned));
			fast[e].value = change.value;
			fast[e].shadow = change.shadow;
		}
	}
	return 0;
}
