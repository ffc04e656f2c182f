/* SPDX-License-Identifier: GPL-2.0-only */
/* Every embodiment of the decision against a reference that takes one flag at a time. */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>

#include "flags.h"
#include "flags_embodiment.h"

#define BIT(n) (UINT64_C(1) << (n))

/* Intel SDM volume 3A, 2.5: the flags of CR0 that a write can change, and those of CR4. */
static const unsigned cr0_bits[] = {0, 1, 2, 3, 5, 16, 18, 29, 30, 31};
static const unsigned cr4_bits[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
				    13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28};

static const struct {
	const unsigned *bits;
	size_t count;
} registers[] = {
	{cr0_bits, ARRAY_SIZE(cr0_bits)},
	{cr4_bits, ARRAY_SIZE(cr4_bits)},
};

enum place { REGISTER, SHADOW, ASK };

/* What was looked at to decide about one flag. */
struct trace {
	unsigned first, second;
	unsigned words;
};

static uint64_t look(const uint64_t *words, unsigned word, unsigned bit, struct trace *trace)
{
	trace->words |= 1u << word;
	return words[word] >> bit & 1;
}

static bool is_owned(enum flags_embodiment embodiment, const uint64_t *words, unsigned n,
		     struct trace *trace)
{
	trace->first++;
	if (embodiment == FLAGS_PAIRS)
		return look(words, 0, 2 * n, trace);
	return look(words, 0, n, trace);
}

static bool is_kept(enum flags_embodiment embodiment, const uint64_t *words, unsigned n,
		    struct trace *trace)
{
	trace->second++;
	if (embodiment == FLAGS_PAIRS)
		return look(words, 0, 2 * n + 1, trace);
	return look(words, 1, n, trace);
}

/* Owned: the register. Not owned, but kept: the shadow location. Neither: the VMM. */
static enum place slow_write(enum flags_embodiment embodiment, const uint64_t *words, unsigned n,
			     struct trace *trace)
{
	bool owned = is_owned(embodiment, words, n, trace), kept;

	if (embodiment == FLAGS_SINGLE)
		return owned ? REGISTER : SHADOW;
	if (embodiment == FLAGS_ON_DEMAND) {
		if (owned)
			return REGISTER;
		return is_kept(embodiment, words, n, trace) ? SHADOW : ASK;
	}
	kept = is_kept(embodiment, words, n, trace);
	if (owned)
		return REGISTER;
	if (kept)
		return SHADOW;
	return ASK;
}

/* Kept: from the shadow location, else from the register. A processor asks for owned instead. */
static enum place slow_read(enum flags_embodiment embodiment, enum flags_reading reading,
			    const uint64_t *words, unsigned n, struct trace *trace)
{
	if (reading == FLAGS_READ_BY_OWNED || embodiment == FLAGS_SINGLE)
		return is_owned(embodiment, words, n, trace) ? REGISTER : SHADOW;
	if (embodiment == FLAGS_ON_DEMAND && is_owned(embodiment, words, n, trace))
		return REGISTER;
	return is_kept(embodiment, words, n, trace) ? SHADOW : REGISTER;
}

static void set_place(struct flags_decision *decision, enum place place, unsigned n)
{
	if (place == REGISTER)
		decision->in_register |= BIT(n);
	else if (place == SHADOW)
		decision->in_shadow |= BIT(n);
	else
		decision->ask |= BIT(n);
}

/* A set of flags, one after the other. */
static struct flags_decision slow_set(enum flags_embodiment embodiment, bool write,
				      enum flags_reading reading, const uint64_t *words,
				      uint64_t set)
{
	struct flags_decision decision = {0};

	for (unsigned n = 0; n < 32; n++) {
		struct trace trace = {0};

		if (!(set >> n & 1))
			continue;
		set_place(&decision,
			  write ? slow_write(embodiment, words, n, &trace)
				: slow_read(embodiment, reading, words, n, &trace),
			  n);
		assert_true(trace.first <= 1 && trace.second <= 1);
		decision.first |= trace.first ? BIT(n) : 0;
		decision.second |= trace.second ? BIT(n) : 0;
		decision.words |= trace.words;
	}
	return decision;
}

static void expect_same(const struct flags_decision *got, const struct flags_decision *wanted)
{
	assert_int_equal(got->in_register, wanted->in_register);
	assert_int_equal(got->in_shadow, wanted->in_shadow);
	assert_int_equal(got->ask, wanted->ask);
	assert_int_equal(got->first, wanted->first);
	assert_int_equal(got->second, wanted->second);
	assert_int_equal(got->words, wanted->words);
}

static void compare(enum flags_embodiment embodiment, const uint64_t *words, uint64_t set)
{
	const struct flags_row *row = flags_row(embodiment);
	struct flags_decision got = row->write(words, set), wanted;

	wanted = slow_set(embodiment, true, FLAGS_READING_INVALID, words, set);
	expect_same(&got, &wanted);
	for (int r = FLAGS_READ_BY_KEPT; r < FLAGS_READING_COUNT; r++) {
		enum flags_reading reading = (enum flags_reading)r;

		got = row->read(words, set, reading);
		wanted = slow_set(embodiment, false, reading, words, set);
		expect_same(&got, &wanted);
	}
}

/* Words that say what is meant, contradictory or not, bit by bit. */
static void make_words(enum flags_embodiment embodiment, uint64_t owned, uint64_t kept,
		       uint64_t *words)
{
	words[0] = words[1] = 0;
	for (unsigned n = 0; n < 32; n++) {
		uint64_t o = owned >> n & 1, k = kept >> n & 1;

		if (embodiment == FLAGS_PAIRS) {
			words[0] |= o << (2 * n) | k << (2 * n + 1);
			continue;
		}
		words[0] |= o << n;
		if (embodiment != FLAGS_SINGLE)
			words[1] |= k << n;
	}
}

static void compare_all(uint64_t owned, uint64_t kept, uint64_t set)
{
	for (int e = FLAGS_TWO_WORDS; e < FLAGS_EMBODIMENT_COUNT; e++) {
		uint64_t words[FLAGS_WORDS];

		make_words((enum flags_embodiment)e, owned, kept, words);
		compare((enum flags_embodiment)e, words, set);
	}
}

/* flags.h is two words read as a processor does: the values of one flag or two, both truth tables. */
static void compare_header(uint64_t owned, uint64_t kept, uint64_t shadow, uint64_t value,
			   uint64_t written, uint64_t set)
{
	const uint64_t two[FLAGS_WORDS] = {owned, kept};
	const struct flags_row *row = flags_row(FLAGS_TWO_WORDS);
	struct flags_decision from = row->read(two, set, FLAGS_READ_BY_OWNED);
	struct flags_decision to = row->write(two, set);
	struct flag_words words = {owned, kept, shadow, value};
	uint64_t seen = flags_read(&words) & set;

	assert_int_equal(seen, (value & from.in_register) | (shadow & from.in_shadow));
	assert_int_equal(flags_write(&words, written) & set, (seen ^ written) & to.ask);
	assert_int_equal(words.value & set,
			 (value & set & ~to.in_register) | (written & to.in_register));
	assert_int_equal(words.shadow & set,
			 (shadow & set & ~to.in_shadow) | (written & to.in_shadow));
}

/* The bits of `number` at two flags. */
static uint64_t at(unsigned number, unsigned a, unsigned b)
{
	return (number & 1 ? BIT(a) : 0) | (number & 2 ? BIT(b) : 0);
}

static void pair(unsigned a, unsigned b)
{
	uint64_t set = BIT(a) | BIT(b);

	for (unsigned owned = 0; owned < 4; owned++)
		for (unsigned kept = 0; kept < 4; kept++) {
			uint64_t o = at(owned, a, b), k = at(kept, a, b);

			compare_all(o, k, BIT(a));
			compare_all(o, k, BIT(b));
			compare_all(o, k, set);
			for (unsigned rest = 0; rest < 64; rest++)
				compare_header(o, k, at(rest, a, b), at(rest >> 2, a, b),
					       at(rest >> 4, a, b), set);
		}
}

static void pairs_of_flags(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(registers); r++)
		for (size_t a = 0; a < registers[r].count; a++)
			for (size_t b = 0; b <= a; b++)
				pair(registers[r].bits[a], registers[r].bits[b]);
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_words(void **state)
{
	uint64_t seed = 0x5eed;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t owned = (uint32_t)next(&seed), kept = (uint32_t)next(&seed);

		compare_all(owned, kept, (uint32_t)next(&seed) & (uint32_t)next(&seed));
		compare_header(owned, kept, next(&seed), next(&seed), next(&seed), next(&seed));
	}
	compare_all(UINT32_MAX, UINT32_MAX, 0);
	compare_all(0, 0, UINT32_MAX);
}

/* Flags that a pair has no place for belong to nobody. */
static void above_a_pair(void **state)
{
	const uint64_t words[FLAGS_WORDS] = {UINT64_MAX, 0};
	struct flags_decision got = flags_row(FLAGS_PAIRS)->write(words, BIT(32) | BIT(31));

	(void)state;
	assert_int_equal(got.in_register, BIT(31));
	assert_int_equal(got.ask, BIT(32));
	assert_int_equal(got.in_shadow, 0);
}

static uint64_t writable_of(size_t r)
{
	uint64_t writable = 0;

	for (size_t i = 0; i < registers[r].count; i++)
		writable |= BIT(registers[r].bits[i]);
	return writable;
}

/* What an embodiment cannot say, in the order of the checks. */
static struct flags_verdict slow_verdict(enum flags_embodiment embodiment, uint64_t owned,
					 uint64_t kept, uint64_t writable)
{
	struct flags_verdict foreign = {FLAGS_RULE_NOT_WRITABLE, 0}, both = {FLAGS_RULE_BOTH, 0};
	struct flags_verdict wide = {FLAGS_RULE_TOO_WIDE, 0}, neither = {FLAGS_RULE_NEITHER, 0};

	for (unsigned n = 0; n < 64; n++) {
		bool o = owned >> n & 1, k = kept >> n & 1, w = writable >> n & 1;

		if ((o || k) && !w)
			foreign.flags |= BIT(n);
		if (o && k && embodiment != FLAGS_ON_DEMAND)
			both.flags |= BIT(n);
		if ((o || k) && n > 31 && embodiment == FLAGS_PAIRS)
			wide.flags |= BIT(n);
		if (!o && !k && w && embodiment == FLAGS_SINGLE)
			neither.flags |= BIT(n);
	}
	return foreign.flags ? foreign
	       : both.flags  ? both
	       : wide.flags  ? wide
	       : neither.flags
		       ? neither
		       : (struct flags_verdict){FLAGS_RULE_VALID, 0};
}

static void convert(enum flags_embodiment embodiment, uint64_t owned, uint64_t kept,
		    uint64_t writable)
{
	const uint64_t two[FLAGS_WORDS] = {owned, kept};
	struct flags_verdict wanted = slow_verdict(embodiment, owned, kept, writable), got;
	uint64_t words[FLAGS_WORDS] = {0xee, 0xee}, by_hand[FLAGS_WORDS], o = 0xee, k = 0xee;

	got = flags_encode(embodiment, owned, kept, writable, words);
	assert_int_equal(got.rule, wanted.rule);
	assert_int_equal(got.flags, wanted.flags);
	if (wanted.rule != FLAGS_RULE_VALID) {
		assert_int_equal(words[0], 0xee);
		assert_int_equal(words[1], 0xee);
		return;
	}
	if (writable >> 32 == 0) {
		make_words(embodiment, owned, kept, by_hand);
		assert_memory_equal(words, by_hand, sizeof(words));
	}
	got = flags_decode(embodiment, words, writable, &o, &k);
	assert_int_equal(got.rule, FLAGS_RULE_VALID);
	assert_int_equal(o, owned);
	assert_int_equal(k, kept & ~owned);
	if (owned & kept)
		return;
	/* Whatever the embodiment looked at, it decides as two words do. */
	for (int r = 0; r < FLAGS_READING_COUNT; r++) {
		const struct flags_row *row = flags_row(embodiment);
		const struct flags_row *plain = flags_row(FLAGS_TWO_WORDS);
		struct flags_decision a, b;

		a = r ? row->read(words, writable, (enum flags_reading)r)
		      : row->write(words, writable);
		b = r ? plain->read(two, writable, (enum flags_reading)r)
		      : plain->write(two, writable);
		assert_int_equal(a.in_register, b.in_register);
		assert_int_equal(a.in_shadow, b.in_shadow);
		assert_int_equal(a.ask, b.ask);
		assert_int_equal(a.in_register | a.in_shadow | a.ask, writable);
	}
}

static void conversions(void **state)
{
	uint64_t seed = 0xc0de;

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(registers); r++) {
		uint64_t writable = writable_of(r);

		for (int e = FLAGS_TWO_WORDS; e < FLAGS_EMBODIMENT_COUNT; e++) {
			enum flags_embodiment embodiment = (enum flags_embodiment)e;

			/* Every bit alone: as owned, as kept, as both, with and without company. */
			for (unsigned n = 0; n < 64; n++) {
				convert(embodiment, BIT(n), 0, writable);
				convert(embodiment, 0, BIT(n), writable);
				convert(embodiment, BIT(n), BIT(n), writable);
				convert(embodiment, BIT(n), writable & ~BIT(n), writable);
				convert(embodiment, writable & ~BIT(n), BIT(n), writable);
				convert(embodiment, BIT(n), writable, writable);
				/* A register with writable flags above bit 31. */
				convert(embodiment, BIT(n), 0, writable | BIT(32));
				convert(embodiment, 0, BIT(n), writable | BIT(32));
			}
			for (unsigned i = 0; i < 2000; i++) {
				uint64_t owned = next(&seed) & writable, kept = next(&seed) & writable;

				convert(embodiment, owned, kept, writable);
				convert(embodiment, owned, kept & ~owned, writable);
				convert(embodiment, owned, writable & ~owned, writable);
			}
		}
	}
}

static void expect_verdict(enum flags_embodiment embodiment, uint64_t first, uint64_t second,
			   enum flags_rule rule, uint64_t flags)
{
	const uint64_t words[FLAGS_WORDS] = {first, second};
	uint64_t o = 0xee, k = 0xee;
	struct flags_verdict got = flags_row(embodiment)->check(words, writable_of(0));

	assert_int_equal(got.rule, rule);
	assert_int_equal(got.flags, flags);
	got = flags_decode(embodiment, words, writable_of(0), &o, &k);
	assert_int_equal(got.rule, rule);
	assert_true((o == 0xee && k == 0xee) == (rule != FLAGS_RULE_VALID));
}

/* Words that come from elsewhere, for CR0: TS is bit 3, bit 4 is no writable flag. */
static void contradictions(void **state)
{
	(void)state;
	expect_verdict(FLAGS_TWO_WORDS, 8, 2, FLAGS_RULE_VALID, 0);
	expect_verdict(FLAGS_TWO_WORDS, 8, 10, FLAGS_RULE_BOTH, 8);
	expect_verdict(FLAGS_TWO_WORDS, 16, 0, FLAGS_RULE_NOT_WRITABLE, 16);
	expect_verdict(FLAGS_TWO_WORDS, 0, BIT(40), FLAGS_RULE_NOT_WRITABLE, BIT(40));
	expect_verdict(FLAGS_PAIRS, 1u << 6 | 2u << 2, 0, FLAGS_RULE_VALID, 0);
	expect_verdict(FLAGS_PAIRS, 3u << 6, 0, FLAGS_RULE_BOTH, 8);
	expect_verdict(FLAGS_PAIRS, 1u << 8, 0, FLAGS_RULE_NOT_WRITABLE, 16);
	expect_verdict(FLAGS_PAIRS, 2u << 8, 0, FLAGS_RULE_NOT_WRITABLE, 16);
	expect_verdict(FLAGS_PAIRS, 2u << 6, 1, FLAGS_RULE_SECOND_WORD, 0);
	expect_verdict(FLAGS_SINGLE, 8, 0, FLAGS_RULE_VALID, 0);
	expect_verdict(FLAGS_SINGLE, 8, 2, FLAGS_RULE_SECOND_WORD, 0);
	expect_verdict(FLAGS_SINGLE, 24, 0, FLAGS_RULE_NOT_WRITABLE, 16);
	expect_verdict(FLAGS_ON_DEMAND, 8, 10, FLAGS_RULE_VALID, 0);
	expect_verdict(FLAGS_ON_DEMAND, 0, 16, FLAGS_RULE_NOT_WRITABLE, 16);
}

static void expect_names(const char *(*key)(int), const char *(*text)(int), int count)
{
	for (int i = 1; i < count; i++) {
		assert_true(strlen(key(i)) > 0);
		assert_true(strlen(text(i)) > 0);
		for (int j = 1; j < i; j++) {
			assert_string_not_equal(key(i), key(j));
			assert_string_not_equal(text(i), text(j));
		}
	}
	assert_null(key(0));
	assert_null(text(0));
	assert_null(key(count));
	assert_null(text(count));
	assert_null(key(-1));
}

static const char *embodiment_key(int i)
{
	const struct flags_row *row = flags_row((enum flags_embodiment)i);

	return row ? row->key : NULL;
}

static const char *embodiment_meaning(int i)
{
	const struct flags_row *row = flags_row((enum flags_embodiment)i);

	return row ? row->meaning : NULL;
}

static const char *reading_key(int i)
{
	return flags_reading_key((enum flags_reading)i);
}

static const char *reading_meaning(int i)
{
	return flags_reading_meaning((enum flags_reading)i);
}

static const char *rule_key(int i)
{
	return flags_rule_key((enum flags_rule)i);
}

static const char *rule_text(int i)
{
	return flags_rule_text((enum flags_rule)i);
}

static void tables(void **state)
{
	(void)state;
	expect_names(embodiment_key, embodiment_meaning, FLAGS_EMBODIMENT_COUNT);
	expect_names(reading_key, reading_meaning, FLAGS_READING_COUNT);
	expect_names(rule_key, rule_text, FLAGS_RULE_COUNT);
	for (int i = FLAGS_TWO_WORDS; i < FLAGS_EMBODIMENT_COUNT; i++) {
		const struct flags_row *row = flags_row((enum flags_embodiment)i);

		assert_true(row->write && row->read && row->check && row->encode &&
			    row->can_encode && row->decode);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_flags),
		cmocka_unit_test(random_words),
		cmocka_unit_test(above_a_pair),
		cmocka_unit_test(conversions),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
