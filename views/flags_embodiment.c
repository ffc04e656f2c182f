/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/flags_embodiment.h"

#include <stddef.h>

#define WORD_FIRST 1u
#define WORD_SECOND 2u
#define PAIR_FLAGS UINT64_C(0xffffffff)
#define EVEN_BITS UINT64_C(0x5555555555555555)

/* Bits 0, 2, 4 … of a word, moved together. */
static uint64_t squeeze(uint64_t word)
{
	word &= EVEN_BITS;
	word = (word | word >> 1) & UINT64_C(0x3333333333333333);
	word = (word | word >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	word = (word | word >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word | word >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (word | word >> 16) & PAIR_FLAGS;
}

/* Bits 31:0 of a word, moved apart. */
static uint64_t spread(uint64_t word)
{
	word &= PAIR_FLAGS;
	word = (word | word << 16) & UINT64_C(0x0000ffff0000ffff);
	word = (word | word << 8) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word | word << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	word = (word | word << 2) & UINT64_C(0x3333333333333333);
	return (word | word << 1) & EVEN_BITS;
}

static struct flags_verdict verdict(enum flags_rule rule, uint64_t flags)
{
	return (struct flags_verdict){rule, flags};
}

static struct flags_verdict valid(void)
{
	return verdict(FLAGS_RULE_VALID, 0);
}

static struct flags_decision write_of(uint64_t owned, uint64_t kept, uint64_t set)
{
	return (struct flags_decision){
		.in_register = set & owned,
		.in_shadow = set & ~owned & kept,
		.ask = set & ~owned & ~kept,
		.first = set,
		.second = set,
	};
}

static struct flags_decision read_by_kept(uint64_t kept, uint64_t set)
{
	return (struct flags_decision){
		.in_register = set & ~kept,
		.in_shadow = set & kept,
		.second = set,
	};
}

static struct flags_decision read_by_owned(uint64_t owned, uint64_t set)
{
	return (struct flags_decision){
		.in_register = set & owned,
		.in_shadow = set & ~owned,
		.first = set,
	};
}

/* Nobody looks at a word for the sake of no flag. */
static struct flags_decision with_separate_words(struct flags_decision decision)
{
	decision.words = (decision.first ? WORD_FIRST : 0) | (decision.second ? WORD_SECOND : 0);
	return decision;
}

static struct flags_decision with_one_word(struct flags_decision decision)
{
	decision.words = decision.first | decision.second ? WORD_FIRST : 0;
	return decision;
}

static struct flags_verdict within(uint64_t named, uint64_t writable)
{
	return named & ~writable ? verdict(FLAGS_RULE_NOT_WRITABLE, named & ~writable) : valid();
}

static struct flags_verdict within_and_disjoint(uint64_t owned, uint64_t kept, uint64_t writable)
{
	struct flags_verdict result = within(owned | kept, writable);

	if (result.rule == FLAGS_RULE_VALID && owned & kept)
		result = verdict(FLAGS_RULE_BOTH, owned & kept);
	return result;
}

/* Two words: both are read, whatever the first says. */

static struct flags_decision two_words_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return with_separate_words(write_of(words[0], words[1], set));
}

static struct flags_decision two_words_read(const uint64_t words[FLAGS_WORDS], uint64_t set,
					    enum flags_reading reading)
{
	return with_separate_words(reading == FLAGS_READ_BY_KEPT ? read_by_kept(words[1], set)
								 : read_by_owned(words[0], set));
}

/* A write would go to the register, and a read would not find it there. */
static struct flags_verdict two_words_check(const uint64_t words[FLAGS_WORDS], uint64_t writable)
{
	return within_and_disjoint(words[0], words[1], writable);
}

static void two_words_encode(uint64_t owned, uint64_t kept, uint64_t ret_words[FLAGS_WORDS])
{
	ret_words[0] = owned;
	ret_words[1] = kept;
}

static struct flags_verdict two_words_can_encode(uint64_t owned, uint64_t kept, uint64_t writable)
{
	return within_and_disjoint(owned, kept, writable);
}

static void two_words_decode(const uint64_t words[FLAGS_WORDS], uint64_t writable,
			     uint64_t *ret_owned, uint64_t *ret_kept)
{
	*ret_owned = words[0] & writable;
	*ret_kept = words[1] & writable;
}

/* Pairs: flags above bit 31 are neither owned nor kept. */

static struct flags_decision pairs_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	return with_one_word(write_of(squeeze(words[0]), squeeze(words[0] >> 1), set));
}

static struct flags_decision pairs_read(const uint64_t words[FLAGS_WORDS], uint64_t set,
					enum flags_reading reading)
{
	return with_one_word(reading == FLAGS_READ_BY_KEPT
				     ? read_by_kept(squeeze(words[0] >> 1), set)
				     : read_by_owned(squeeze(words[0]), set));
}

static struct flags_verdict pairs_check(const uint64_t words[FLAGS_WORDS], uint64_t writable)
{
	if (words[1] != 0)
		return verdict(FLAGS_RULE_SECOND_WORD, 0);
	return within_and_disjoint(squeeze(words[0]), squeeze(words[0] >> 1), writable);
}

static void pairs_encode(uint64_t owned, uint64_t kept, uint64_t ret_words[FLAGS_WORDS])
{
	ret_words[0] = spread(owned) | spread(kept) << 1;
	ret_words[1] = 0;
}

static struct flags_verdict pairs_can_encode(uint64_t owned, uint64_t kept, uint64_t writable)
{
	struct flags_verdict result = within_and_disjoint(owned, kept, writable);

	if (result.rule == FLAGS_RULE_VALID && (owned | kept) & ~PAIR_FLAGS)
		result = verdict(FLAGS_RULE_TOO_WIDE, (owned | kept) & ~PAIR_FLAGS);
	return result;
}

static void pairs_decode(const uint64_t words[FLAGS_WORDS], uint64_t writable, uint64_t *ret_owned,
			 uint64_t *ret_kept)
{
	*ret_owned = squeeze(words[0]) & writable;
	*ret_kept = squeeze(words[0] >> 1) & writable;
}

/* A single word: the two readings are one. */

static struct flags_decision single_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	struct flags_decision decision = write_of(words[0], ~words[0], set);

	decision.second = 0;
	return with_one_word(decision);
}

static struct flags_decision single_read(const uint64_t words[FLAGS_WORDS], uint64_t set,
					 enum flags_reading reading)
{
	(void)reading;
	return with_one_word(read_by_owned(words[0], set));
}

static struct flags_verdict single_check(const uint64_t words[FLAGS_WORDS], uint64_t writable)
{
	if (words[1] != 0)
		return verdict(FLAGS_RULE_SECOND_WORD, 0);
	return within(words[0], writable);
}

static void single_encode(uint64_t owned, uint64_t kept, uint64_t ret_words[FLAGS_WORDS])
{
	(void)kept;
	ret_words[0] = owned;
	ret_words[1] = 0;
}

static struct flags_verdict single_can_encode(uint64_t owned, uint64_t kept, uint64_t writable)
{
	struct flags_verdict result = within_and_disjoint(owned, kept, writable);

	if (result.rule == FLAGS_RULE_VALID && writable & ~owned & ~kept)
		result = verdict(FLAGS_RULE_NEITHER, writable & ~owned & ~kept);
	return result;
}

static void single_decode(const uint64_t words[FLAGS_WORDS], uint64_t writable, uint64_t *ret_owned,
			  uint64_t *ret_kept)
{
	*ret_owned = words[0] & writable;
	*ret_kept = ~words[0] & writable;
}

/* On demand: what the second word says of an owned flag is never seen, so it contradicts nothing. */

static struct flags_decision on_demand_write(const uint64_t words[FLAGS_WORDS], uint64_t set)
{
	uint64_t rest = set & ~words[0];
	struct flags_decision decision = write_of(words[0], rest ? words[1] : 0, set);

	decision.second = rest;
	return with_separate_words(decision);
}

static struct flags_decision on_demand_read(const uint64_t words[FLAGS_WORDS], uint64_t set,
					    enum flags_reading reading)
{
	uint64_t rest = set & ~words[0];
	struct flags_decision decision = read_by_owned(words[0], set);

	if (reading == FLAGS_READ_BY_KEPT && rest != 0) {
		decision.in_register |= rest & ~words[1];
		decision.in_shadow = rest & words[1];
		decision.second = rest;
	}
	return with_separate_words(decision);
}

static struct flags_verdict on_demand_check(const uint64_t words[FLAGS_WORDS], uint64_t writable)
{
	return within(words[0] | words[1], writable);
}

static void on_demand_encode(uint64_t owned, uint64_t kept, uint64_t ret_words[FLAGS_WORDS])
{
	two_words_encode(owned, kept, ret_words);
}

static struct flags_verdict on_demand_can_encode(uint64_t owned, uint64_t kept, uint64_t writable)
{
	return within(owned | kept, writable);
}

static void on_demand_decode(const uint64_t words[FLAGS_WORDS], uint64_t writable,
			     uint64_t *ret_owned, uint64_t *ret_kept)
{
	*ret_owned = words[0] & writable;
	*ret_kept = words[1] & ~words[0] & writable;
}

static const struct flags_row rows[FLAGS_EMBODIMENT_COUNT] = {
#define FLAGS_EMBODIMENT_ROW(name, key, function, meaning) \
	[FLAGS_##name] = {key, meaning, function##_write, function##_read, function##_check, \
			  function##_encode, function##_can_encode, function##_decode},
	FLAGS_EMBODIMENTS(FLAGS_EMBODIMENT_ROW)
#undef FLAGS_EMBODIMENT_ROW
};

const struct flags_row *flags_row(enum flags_embodiment embodiment)
{
	if ((unsigned)embodiment >= FLAGS_EMBODIMENT_COUNT ||
	    embodiment == FLAGS_EMBODIMENT_INVALID)
		return NULL;
	return &rows[embodiment];
}

struct flags_verdict flags_encode(enum flags_embodiment embodiment, uint64_t owned, uint64_t kept,
				  uint64_t writable, uint64_t ret_words[FLAGS_WORDS])
{
	const struct flags_row *row = &rows[embodiment];
	struct flags_verdict result = row->can_encode(owned, kept, writable);

	if (result.rule == FLAGS_RULE_VALID)
		row->encode(owned, kept, ret_words);
	return result;
}

struct flags_verdict flags_decode(enum flags_embodiment embodiment,
				  const uint64_t words[FLAGS_WORDS], uint64_t writable,
				  uint64_t *ret_owned, uint64_t *ret_kept)
{
	const struct flags_row *row = &rows[embodiment];
	struct flags_verdict result = row->check(words, writable);

	if (result.rule == FLAGS_RULE_VALID)
		row->decode(words, writable, ret_owned, ret_kept);
	return result;
}

static const struct {
	const char *key, *text;
} readings[FLAGS_READING_COUNT] = {
#define FLAGS_READING_ROW(name, key, meaning) [FLAGS_READ_##name] = {key, meaning},
	FLAGS_READINGS(FLAGS_READING_ROW)
#undef FLAGS_READING_ROW
}, rules[FLAGS_RULE_COUNT] = {
#define FLAGS_RULE_ROW(name, key, text) [FLAGS_RULE_##name] = {key, text},
	FLAGS_RULES(FLAGS_RULE_ROW)
#undef FLAGS_RULE_ROW
};

const char *flags_reading_key(enum flags_reading reading)
{
	return (unsigned)reading < FLAGS_READING_COUNT ? readings[reading].key : NULL;
}

const char *flags_reading_meaning(enum flags_reading reading)
{
	return (unsigned)reading < FLAGS_READING_COUNT ? readings[reading].text : NULL;
}

const char *flags_rule_key(enum flags_rule rule)
{
	return (unsigned)rule < FLAGS_RULE_COUNT ? rules[rule].key : NULL;
}

const char *flags_rule_text(enum flags_rule rule)
{
	return (unsigned)rule < FLAGS_RULE_COUNT ? rules[rule].text : NULL;
}
