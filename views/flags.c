/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/flags.h"

#include <stddef.h>

#define EVEN_BITS UINT64_C(0x5555555555555555)

/* Bits 0, 2, 4 … of a word, moved together. */
static uint64_t squeeze(uint64_t word)
{
	word &= EVEN_BITS;
	word = (word | word >> 1) & UINT64_C(0x3333333333333333);
	word = (word | word >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	word = (word | word >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word | word >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (word | word >> 16) & FLAGS_ALL;
}

/* Bits 31:0 of a word, moved apart. */
static uint64_t spread(uint64_t word)
{
	word &= FLAGS_ALL;
	word = (word | word << 16) & UINT64_C(0x0000ffff0000ffff);
	word = (word | word << 8) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word | word << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	word = (word | word << 2) & UINT64_C(0x3333333333333333);
	return (word | word << 1) & EVEN_BITS;
}

/* No compiler reads a word before it is known that the decision depends on it. */
static uint64_t look_at(const uint64_t *word)
{
	return *(const volatile uint64_t *)word;
}

static struct flags_decision write_of(uint64_t owned, uint64_t kept, uint64_t set)
{
	return (struct flags_decision){
		.in_register = set & owned,
		.in_shadow = set & ~owned & kept,
		.ask = set & ~owned & ~kept,
	};
}

static struct flags_decision read_of(uint64_t kept, uint64_t set)
{
	return (struct flags_decision){.in_register = set & ~kept, .in_shadow = set & kept};
}

static struct flags_decision two_words_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return write_of(look_at(&words[0]), look_at(&words[1]), set);
}

static struct flags_decision two_words_read(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return read_of(look_at(&words[1]), set);
}

/* Flags above bit 31 are neither owned nor kept. */
static struct flags_decision one_word_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	const uint64_t pairs = look_at(&words[0]);

	return write_of(squeeze(pairs), squeeze(pairs >> 1), set);
}

static struct flags_decision one_word_read(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return read_of(squeeze(look_at(&words[0]) >> 1), set);
}

static struct flags_decision single_mask_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return write_of(look_at(&words[0]), UINT64_MAX, set);
}

static struct flags_decision single_mask_read(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return read_of(~look_at(&words[0]), set);
}

/* What the second word says of an owned flag is never seen, so it contradicts nothing. */
static struct flags_decision owned_first_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	const uint64_t owned = look_at(&words[0]);

	return write_of(owned, set & ~owned ? look_at(&words[1]) : 0, set);
}

static struct flags_decision owned_first_read(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	const uint64_t rest = set & ~look_at(&words[0]);

	return read_of(rest ? rest & look_at(&words[1]) : 0, set);
}

/* The other way round: what the first word says of a kept flag is never seen. */
static struct flags_decision shadow_first_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	const uint64_t kept = look_at(&words[1]);

	return write_of(set & ~kept ? look_at(&words[0]) & ~kept : 0, kept, set);
}

static struct flags_decision shadow_first_read(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return read_of(look_at(&words[1]), set);
}

static const struct flags_row rows[SS_EMBODIMENT_COUNT] = {
#define FLAGS_ROW(name, key, function, meaning) \
	[SS_EMBODIMENT_##name] = {key, meaning, function##_write, function##_read},
	SS_EMBODIMENTS(FLAGS_ROW)
#undef FLAGS_ROW
};

const struct flags_row *flags_row(uint64_t embodiment)
{
	return embodiment > SS_EMBODIMENT_INVALID && embodiment < SS_EMBODIMENT_COUNT
		       ? &rows[embodiment]
		       : NULL;
}

/* The bits of `flags` by `by`. */
static uint64_t replace(uint64_t value, uint64_t flags, uint64_t by)
{
	return (value & ~flags) | (by & flags);
}

uint64_t flags_read(const struct ss_flag_words *words)
{
	return replace(words->value, rows[words->embodiment].read(words->words, FLAGS_ALL).in_shadow,
		       words->shadow);
}

struct flags_change flags_write(const struct ss_flag_words *words, uint64_t value)
{
	const uint64_t changed = flags_read(words) ^ value;
	const struct flags_decision decision =
		rows[words->embodiment].write(words->words, changed & FLAGS_ALL);

	return (struct flags_change){
		.value = replace(words->value, decision.in_register | (changed & ~FLAGS_ALL), value),
		.shadow = replace(words->shadow, decision.in_shadow, value),
		.changed = changed,
		.ask = decision.ask,
	};
}

uint64_t flags_masked(const struct ss_flag_words *words)
{
	return FLAGS_ALL & ~rows[words->embodiment].write(words->words, FLAGS_ALL).in_register;
}

struct flags_verdict flags_encode(enum ss_embodiment embodiment, uint64_t owned, uint64_t kept,
				  uint64_t writable, uint64_t ret_words[FLAGS_WORDS])
{
	const bool in_turn =
		embodiment == SS_EMBODIMENT_OWNED_FIRST || embodiment == SS_EMBODIMENT_SHADOW_FIRST;
	const bool one = embodiment == SS_EMBODIMENT_ONE_WORD;
	const bool single = embodiment == SS_EMBODIMENT_SINGLE_MASK;
	const struct flags_verdict checks[] = {
		{FLAGS_RULE_NOT_WRITABLE, (owned | kept) & ~writable},
		{FLAGS_RULE_BOTH, in_turn ? 0 : owned & kept},
		{FLAGS_RULE_TOO_WIDE, one ? (owned | kept) & ~FLAGS_ALL : 0},
		{FLAGS_RULE_NEITHER, single ? writable & ~owned & ~kept : 0},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].flags)
			return checks[i];
	ret_words[0] = one ? spread(owned) | spread(kept) << 1 : owned;
	ret_words[1] = one || single ? 0 : kept;
	return (struct flags_verdict){FLAGS_RULE_VALID, 0};
}

static const struct {
	const char *key, *text;
} rules[FLAGS_RULE_COUNT] = {
#define FLAGS_RULE_ROW(name, key, text) [FLAGS_RULE_##name] = {key, text},
	FLAGS_RULES(FLAGS_RULE_ROW)
#undef FLAGS_RULE_ROW
};

const char *flags_rule_key(enum flags_rule rule)
{
	return (unsigned)rule < FLAGS_RULE_COUNT ? rules[rule].key : NULL;
}

const char *flags_rule_text(enum flags_rule rule)
{
	return (unsigned)rule < FLAGS_RULE_COUNT ? rules[rule].text : NULL;
}
