/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways to write down who owns the flags of a control register and which of them are kept in the
 * shadow location. All decide the same; they differ in what they can express and in which words a
 * decision has to look at. flags.h is the first of them with the reading
 * BY_OWNED, for code without a choice.
 */
#ifndef VIEWS_FLAGS_EMBODIMENT_H
#define VIEWS_FLAGS_EMBODIMENT_H

#include <stdint.h>

#define FLAGS_WORDS 2

/*
 * name, key, function prefix, layout of the words.
 *
 * A word of pairs has two bits for each of 32 flags: bit 2n says that the guest owns flag n, bit
 * 2n + 1 that flag n is kept in the shadow location.
 */
#define FLAGS_EMBODIMENTS(X) \
	X(TWO_WORDS, "two-words", two_words, "owned flags in one word, kept flags in another") \
	X(PAIRS, "pairs", pairs, "one word with two bits for each flag: owned, and above it kept") \
	X(SINGLE, "single", single, "one word of owned flags; all others are kept") \
	X(ON_DEMAND, "on-demand", on_demand, \
	  "two words, the second looked at only for flags that are not owned")

enum flags_embodiment {
	FLAGS_EMBODIMENT_INVALID,
#define FLAGS_EMBODIMENT_ENUM(name, key, function, meaning) FLAGS_##name,
	FLAGS_EMBODIMENTS(FLAGS_EMBODIMENT_ENUM)
#undef FLAGS_EMBODIMENT_ENUM
	FLAGS_EMBODIMENT_COUNT
};

/* Where a read takes flags from: name, key, meaning. The two agree about every flag that is either
 * owned or kept. */
#define FLAGS_READINGS(X) \
	X(BY_KEPT, "kept", "kept flags from the shadow location, others from the register") \
	X(BY_OWNED, "owned", \
	  "owned flags from the register, others from the shadow location, as a processor with " \
	  "guest/host mask and read shadow does")

enum flags_reading {
	FLAGS_READING_INVALID,
#define FLAGS_READING_ENUM(name, key, meaning) FLAGS_READ_##name,
	FLAGS_READINGS(FLAGS_READING_ENUM)
#undef FLAGS_READING_ENUM
	FLAGS_READING_COUNT
};

/* What can be wrong with words: name, key, text. */
#define FLAGS_RULES(X) \
	X(VALID, "valid", "the words are valid") \
	X(NOT_WRITABLE, "not-writable", "a bit is named that is reserved or that no write changes") \
	X(BOTH, "both", "a flag is both owned by the guest and kept in the shadow location") \
	X(NEITHER, "neither", \
	  "a flag is neither owned nor kept, and a single word cannot leave it to the VMM") \
	X(TOO_WIDE, "too-wide", "a flag above bit 31 has no pair in a word of 64 bits") \
	X(SECOND_WORD, "second-word", "the second word is not zero, and only one is used")

enum flags_rule {
	FLAGS_RULE_INVALID,
#define FLAGS_RULE_ENUM(name, key, text) FLAGS_RULE_##name,
	FLAGS_RULES(FLAGS_RULE_ENUM)
#undef FLAGS_RULE_ENUM
	FLAGS_RULE_COUNT
};

/* A verdict about words, and the flags that it is about: 0 if valid or not about single flags. */
struct flags_verdict {
	enum flags_rule rule;
	uint64_t flags;
};

/*
 * For a set of flags: which of them a write puts where, or a read takes from where. The three sets
 * are disjoint and together the set that was asked about; a read asks nobody.
 */
struct flags_decision {
	uint64_t in_register;
	uint64_t in_shadow;
	uint64_t ask; /* the VMM decides */
	/* What the decision was made of. */
	uint64_t first, second; /* flags whose owned, whose kept flag was consulted */
	unsigned words;         /* words read: bit n for word n */
};

struct flags_row {
	const char *key;
	const char *meaning;
	struct flags_decision (*write)(const uint64_t words[FLAGS_WORDS], uint64_t set);
	struct flags_decision (*read)(const uint64_t words[FLAGS_WORDS], uint64_t set,
				      enum flags_reading reading);
	/* Whether the words mean something; `writable` are the flags that a write can change. */
	struct flags_verdict (*check)(const uint64_t words[FLAGS_WORDS], uint64_t writable);
	/* From owned and kept flags, both within `writable`. */
	void (*encode)(uint64_t owned, uint64_t kept, uint64_t ret_words[FLAGS_WORDS]);
	/* What `encode` would lose or the words could not say. */
	struct flags_verdict (*can_encode)(uint64_t owned, uint64_t kept, uint64_t writable);
	void (*decode)(const uint64_t words[FLAGS_WORDS], uint64_t writable, uint64_t *ret_owned,
		       uint64_t *ret_kept);
};

/* The row of an embodiment, NULL for INVALID and what is out of range. */
const struct flags_row *flags_row(enum flags_embodiment embodiment);

/*
 * Words of an embodiment from owned and kept flags. They are stored if the verdict is VALID, and
 * then decide as the two words do if no flag is both owned and kept. Only ON_DEMAND takes such
 * flags, which are owned there.
 */
struct flags_verdict flags_encode(enum flags_embodiment embodiment, uint64_t owned, uint64_t kept,
				  uint64_t writable, uint64_t ret_words[FLAGS_WORDS]);

/* The way back, for words that are valid. A flag that the embodiment on demand both owns and keeps
 * comes back as owned: what it keeps is never looked at. */
struct flags_verdict flags_decode(enum flags_embodiment embodiment,
				  const uint64_t words[FLAGS_WORDS], uint64_t writable,
				  uint64_t *ret_owned, uint64_t *ret_kept);

/* Names; NULL for no row of the tables. */
const char *flags_reading_key(enum flags_reading reading);
const char *flags_reading_meaning(enum flags_reading reading);
const char *flags_rule_key(enum flags_rule rule);
const char *flags_rule_text(enum flags_rule rule);

#endif
