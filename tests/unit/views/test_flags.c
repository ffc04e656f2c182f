/* SPDX-License-Identifier: GPL-2.0-only */
/* Every embodiment of the decision against a reference that takes one flag at a time. */
#include "tests/unit/cmocka_prelude.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flags.h"

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

/* Owned: the register. Not owned, but kept: the shadow location. Neither: the VMM. With a single mask, what is
 * not owned is kept; if the second flag is looked at first, it decides first. */
static enum place slow_write(enum ss_embodiment embodiment, bool owned, bool kept)
{
	switch (embodiment) {
	case SS_EMBODIMENT_SINGLE_MASK:
		return owned ? REGISTER : SHADOW;
	case SS_EMBODIMENT_SHADOW_FIRST:
		return kept ? SHADOW : owned ? REGISTER : ASK;
	default:
		return owned ? REGISTER : kept ? SHADOW : ASK;
	}
}

/* Kept: from the shadow location, else from the register. If the first flag is looked at first, an owned flag
 * is read from the register. */
static enum place slow_read(enum ss_embodiment embodiment, bool owned, bool kept)
{
	switch (embodiment) {
	case SS_EMBODIMENT_SINGLE_MASK:
		return owned ? REGISTER : SHADOW;
	case SS_EMBODIMENT_OWNED_FIRST:
		return owned ? REGISTER : kept ? SHADOW : REGISTER;
	default:
		return kept ? SHADOW : REGISTER;
	}
}

/* A set of flags, one after the other. */
static struct flags_decision slow_set(enum ss_embodiment embodiment, bool write, uint64_t owned,
				      uint64_t kept, uint64_t set)
{
	struct flags_decision decision = {0};

	for (unsigned n = 0; n < 64; n++) {
		bool o = owned >> n & 1, k = kept >> n & 1;
		enum place place = write ? slow_write(embodiment, o, k) : slow_read(embodiment, o, k);

		if (!(set >> n & 1))
			continue;
		if (place == REGISTER)
			decision.in_register |= BIT(n);
		else if (place == SHADOW)
			decision.in_shadow |= BIT(n);
		else
			decision.ask |= BIT(n);
	}
	return decision;
}

static void compare(enum ss_embodiment embodiment, const uint64_t *words, uint64_t owned,
		    uint64_t kept, uint64_t set)
{
	const struct flags_row *row = flags_row(embodiment);

	for (int write = 0; write < 2; write++) {
		struct flags_decision got = write ? row->write(words, set) : row->read(words, set);
		struct flags_decision wanted = slow_set(embodiment, write, owned, kept, set);

		assert_int_equal(got.in_register, wanted.in_register);
		assert_int_equal(got.in_shadow, wanted.in_shadow);
		assert_int_equal(got.ask, wanted.ask);
	}
}

/* Words that say what is meant, contradictory or not, bit by bit. */
static void make_words(enum ss_embodiment embodiment, uint64_t owned, uint64_t kept,
		       uint64_t *words)
{
	words[0] = words[1] = 0;
	for (unsigned n = 0; n < 32; n++) {
		uint64_t o = owned >> n & 1, k = kept >> n & 1;

		if (embodiment == SS_EMBODIMENT_ONE_WORD) {
			words[0] |= o << (2 * n) | k << (2 * n + 1);
			continue;
		}
		words[0] |= o << n;
		if (embodiment != SS_EMBODIMENT_SINGLE_MASK)
			words[1] |= k << n;
	}
}

static void compare_all(uint64_t owned, uint64_t kept, uint64_t set)
{
	for (int e = SS_EMBODIMENT_TWO_WORDS; e < SS_EMBODIMENT_COUNT; e++) {
		uint64_t words[FLAGS_WORDS];

		make_words((enum ss_embodiment)e, owned, kept, words);
		compare((enum ss_embodiment)e, words, owned, kept, set);
	}
}

/* Reads and writes of the whole register, flag by flag: what is seen, what changes, what is asked. */
static void compare_register(uint64_t owned, uint64_t kept, uint64_t shadow, uint64_t value,
			     uint64_t written)
{
	for (int e = SS_EMBODIMENT_TWO_WORDS; e < SS_EMBODIMENT_COUNT; e++) {
		struct ss_flag_words words = {.embodiment = e, .shadow = shadow, .value = value};
		uint64_t seen = 0, to_value = value, to_shadow = shadow, ask = 0, masked = 0;
		struct flags_change got;

		make_words((enum ss_embodiment)e, owned, kept, words.words);
		for (unsigned n = 0; n < 64; n++) {
			bool o = n > 31 || owned >> n & 1, k = n < 32 && kept >> n & 1;
			enum place from = slow_read((enum ss_embodiment)e, o, k);
			enum place to = slow_write((enum ss_embodiment)e, o, k);
			uint64_t is = (from == SHADOW ? shadow : value) & BIT(n);

			seen |= is;
			masked |= to == REGISTER ? 0 : BIT(n);
			if (is == (written & BIT(n)))
				continue;
			if (to == REGISTER)
				to_value = (to_value & ~BIT(n)) | (written & BIT(n));
			else if (to == SHADOW)
				to_shadow = (to_shadow & ~BIT(n)) | (written & BIT(n));
			else
				ask |= BIT(n);
		}
		got = flags_write(&words, written);
		assert_int_equal(flags_read(&words), seen);
		assert_int_equal(got.value, to_value);
		assert_int_equal(got.shadow, to_shadow);
		assert_int_equal(got.changed, seen ^ written);
		assert_int_equal(got.ask, ask);
		assert_int_equal(flags_masked(&words), masked);
	}
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
				compare_register(o, k, at(rest, a, b), at(rest >> 2, a, b),
						 at(rest >> 4, a, b));
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
		compare_register(owned, kept, next(&seed), next(&seed), next(&seed));
	}
	compare_all(UINT32_MAX, UINT32_MAX, 0);
	compare_all(0, 0, UINT32_MAX);
}

/* Flags that a pair has no place for belong to nobody. */
static void above_a_pair(void **state)
{
	const uint64_t words[FLAGS_WORDS] = {UINT64_MAX, 0};
	struct flags_decision got = flags_row(SS_EMBODIMENT_ONE_WORD)->write(words, BIT(32) | BIT(31));

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
static struct flags_verdict slow_verdict(enum ss_embodiment embodiment, uint64_t owned,
					 uint64_t kept, uint64_t writable)
{
	struct flags_verdict foreign = {FLAGS_RULE_NOT_WRITABLE, 0}, both = {FLAGS_RULE_BOTH, 0};
	struct flags_verdict wide = {FLAGS_RULE_TOO_WIDE, 0}, neither = {FLAGS_RULE_NEITHER, 0};

	for (unsigned n = 0; n < 64; n++) {
		bool o = owned >> n & 1, k = kept >> n & 1, w = writable >> n & 1;

		if ((o || k) && !w)
			foreign.flags |= BIT(n);
		if (o && k && embodiment != SS_EMBODIMENT_OWNED_FIRST &&
		    embodiment != SS_EMBODIMENT_SHADOW_FIRST)
			both.flags |= BIT(n);
		if ((o || k) && n > 31 && embodiment == SS_EMBODIMENT_ONE_WORD)
			wide.flags |= BIT(n);
		if (!o && !k && w && embodiment == SS_EMBODIMENT_SINGLE_MASK)
			neither.flags |= BIT(n);
	}
	return foreign.flags ? foreign
	       : both.flags  ? both
	       : wide.flags  ? wide
	       : neither.flags
		       ? neither
		       : (struct flags_verdict){FLAGS_RULE_VALID, 0};
}

static void convert(enum ss_embodiment embodiment, uint64_t owned, uint64_t kept,
		    uint64_t writable)
{
	const uint64_t two[FLAGS_WORDS] = {owned, kept};
	struct flags_verdict wanted = slow_verdict(embodiment, owned, kept, writable), got;
	uint64_t words[FLAGS_WORDS] = {0xee, 0xee}, by_hand[FLAGS_WORDS];

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
	compare(embodiment, words, owned, kept, writable);
	if (owned & kept)
		return;
	/* However it says so, it decides as two words do. */
	compare(SS_EMBODIMENT_TWO_WORDS, two, owned, kept, writable);
	for (int write = 0; write < 2; write++) {
		const struct flags_row *row = flags_row(embodiment);
		const struct flags_row *plain = flags_row(SS_EMBODIMENT_TWO_WORDS);
		struct flags_decision a = write ? row->write(words, writable) : row->read(words, writable);
		struct flags_decision b = write ? plain->write(two, writable) : plain->read(two, writable);

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

		for (int e = SS_EMBODIMENT_TWO_WORDS; e < SS_EMBODIMENT_COUNT; e++) {
			enum ss_embodiment embodiment = (enum ss_embodiment)e;

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

/* What is asked for, for CR0: TS is bit 3, bit 4 is no writable flag. */
static void contradictions(void **state)
{
	static const struct {
		enum ss_embodiment embodiment;
		uint64_t owned, kept;
		enum flags_rule rule;
		uint64_t flags;
	} rows[] = {
		{SS_EMBODIMENT_TWO_WORDS, 8, 2, FLAGS_RULE_VALID, 0},
		{SS_EMBODIMENT_TWO_WORDS, 8, 10, FLAGS_RULE_BOTH, 8},
		{SS_EMBODIMENT_TWO_WORDS, 16, 0, FLAGS_RULE_NOT_WRITABLE, 16},
		{SS_EMBODIMENT_TWO_WORDS, 0, BIT(40), FLAGS_RULE_NOT_WRITABLE, BIT(40)},
		{SS_EMBODIMENT_ONE_WORD, 8, 2, FLAGS_RULE_VALID, 0},
		{SS_EMBODIMENT_ONE_WORD, 8, 8, FLAGS_RULE_BOTH, 8},
		{SS_EMBODIMENT_ONE_WORD, 16, 0, FLAGS_RULE_NOT_WRITABLE, 16},
		{SS_EMBODIMENT_ONE_WORD, 0, 16, FLAGS_RULE_NOT_WRITABLE, 16},
		{SS_EMBODIMENT_SINGLE_MASK, 8, 2, FLAGS_RULE_NEITHER, 0xe0050025},
		{SS_EMBODIMENT_SINGLE_MASK, 24, 0, FLAGS_RULE_NOT_WRITABLE, 16},
		{SS_EMBODIMENT_SINGLE_MASK, 0xe0050025, 10, FLAGS_RULE_VALID, 0},
		{SS_EMBODIMENT_OWNED_FIRST, 8, 10, FLAGS_RULE_VALID, 0},
		{SS_EMBODIMENT_OWNED_FIRST, 0, 16, FLAGS_RULE_NOT_WRITABLE, 16},
		{SS_EMBODIMENT_SHADOW_FIRST, 8, 10, FLAGS_RULE_VALID, 0},
		{SS_EMBODIMENT_SHADOW_FIRST, 16, 0, FLAGS_RULE_NOT_WRITABLE, 16},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t words[FLAGS_WORDS];
		struct flags_verdict got = flags_encode(rows[i].embodiment, rows[i].owned,
							rows[i].kept, writable_of(0), words);

		assert_int_equal(got.rule, rows[i].rule);
		assert_int_equal(got.flags, rows[i].flags);
	}
}

static sigjmp_buf faulted;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(faulted, 1);
}

/* Whether a decision reads the word that lies on this page, by taking the page away. */
static bool reads(uint8_t *page, enum ss_embodiment embodiment, bool write, const uint64_t *words,
		  uint64_t set)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	const struct flags_row *row = flags_row(embodiment);
	volatile bool read = true;

	assert_int_equal(mprotect(page, size, PROT_NONE), 0);
	if (sigsetjmp(faulted, 1) == 0) {
		if (write)
			row->write(words, set);
		else
			row->read(words, set);
		read = false;
	}
	assert_int_equal(mprotect(page, size, PROT_READ | PROT_WRITE), 0);
	return read;
}

/* Of the two words on both sides of a page's end only those are read that the decision depends on. */
static void words_that_are_not_read(void **state)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *words = (uint64_t *)(void *)(pages + size) - 1;
	const uint64_t sets[] = {BIT(1), BIT(3), BIT(1) | BIT(3)};

	(void)state;
	assert_true(pages != MAP_FAILED);
	signal(SIGSEGV, on_fault);
	for (int e = SS_EMBODIMENT_TWO_WORDS; e < SS_EMBODIMENT_COUNT; e++)
		for (unsigned combination = 0; combination < 16 * ARRAY_SIZE(sets) * 2; combination++) {
			const uint64_t owned = at(combination, 1, 3), kept = at(combination >> 2, 1, 3);
			const uint64_t set = sets[combination / 16 % ARRAY_SIZE(sets)];
			const bool write = combination / 16 / ARRAY_SIZE(sets);
			bool first = true, second = false;

			make_words((enum ss_embodiment)e, owned, kept, words);
			if (e == SS_EMBODIMENT_TWO_WORDS) {
				first = write;
				second = true;
			} else if (e == SS_EMBODIMENT_OWNED_FIRST) {
				second = set & ~owned;
			} else if (e == SS_EMBODIMENT_SHADOW_FIRST) {
				first = write && set & ~kept;
				second = true;
			}
			assert_int_equal(reads(pages, (enum ss_embodiment)e, write, words, set), first);
			assert_int_equal(reads(pages + size, (enum ss_embodiment)e, write, words, set),
					 second);
		}
	signal(SIGSEGV, SIG_DFL);
	munmap(pages, 2 * size);
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
	const struct flags_row *row = flags_row((uint64_t)(int64_t)i);

	return row ? row->key : NULL;
}

static const char *embodiment_meaning(int i)
{
	const struct flags_row *row = flags_row((uint64_t)(int64_t)i);

	return row ? row->meaning : NULL;
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
	expect_names(embodiment_key, embodiment_meaning, SS_EMBODIMENT_COUNT);
	expect_names(rule_key, rule_text, FLAGS_RULE_COUNT);
	for (int i = SS_EMBODIMENT_TWO_WORDS; i < SS_EMBODIMENT_COUNT; i++) {
		const struct flags_row *row = flags_row((uint64_t)(int64_t)i);

		assert_true(row->write && row->read);
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
		cmocka_unit_test(words_that_are_not_read),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
