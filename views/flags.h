/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision about control-register flags with an owner and a shadow location. Freestanding: the
 * relays, the VMM and the reference model run the same code.
 *
 * For each flag of the register: the guest owns it (first flag) and a write goes to the register; or it
 * is kept in the shadow location (second flag) and a write goes there; or neither, and the VMM is asked.
 * A read gives the shadow for kept flags, else the register. How the two flags are written down, and in
 * which order they are looked at, is an embodiment (SS_EMBODIMENTS in abi.h).
 */
#ifndef VIEWS_FLAGS_H
#define VIEWS_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "guestfw/abi.h"

#define FLAGS_WORDS 2

/* The flags that reads and writes of a whole register decide about: the pairs have no place for more. What
 * is above is the register's alone. */
#define FLAGS_ALL UINT64_C(0xffffffff)

/* What the VMM does about flags that are neither owned nor kept: X(NAME, "key", "meaning"). */
#define FLAGS_ON_ASKS(X) \
	X(REGISTER, "register", "the VMM writes the register") \
	X(SHADOW, "shadow", "the VMM keeps such flags in the shadow location, which makes them kept") \
	X(REFUSE, "refuse", "the write is #GP(0), and nothing of it happens")

enum flags_on_ask {
#define FLAGS_ON_ASK_ENUM(name, key, meaning) FLAGS_ON_ASK_##name,
	FLAGS_ON_ASKS(FLAGS_ON_ASK_ENUM)
#undef FLAGS_ON_ASK_ENUM
	FLAGS_ON_ASK_COUNT
};

/* What can be wrong with owned and kept flags: name, key, text. */
#define FLAGS_RULES(X) \
	X(VALID, "valid", "the words are valid") \
	X(NOT_WRITABLE, "not-writable", "a bit is named that is reserved or that no write changes") \
	X(BOTH, "both", "a flag is both owned by the guest and kept in the shadow location") \
	X(NEITHER, "neither", \
	  "a flag is neither owned nor kept, and a single word cannot leave it to the VMM") \
	X(TOO_WIDE, "too-wide", "a flag above bit 31 has no pair in a word of 64 bits")

enum flags_rule {
	FLAGS_RULE_INVALID,
#define FLAGS_RULE_ENUM(name, key, text) FLAGS_RULE_##name,
	FLAGS_RULES(FLAGS_RULE_ENUM)
#undef FLAGS_RULE_ENUM
	FLAGS_RULE_COUNT
};

/* A verdict about words, and the flags that it is about: 0 if valid. */
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
};

/* What a write of the whole register comes to, as far as the words decide. */
struct flags_change {
	uint64_t value, shadow; /* register and shadow location afterwards */
	uint64_t changed;       /* flags that change as the guest sees them */
	uint64_t ask;           /* of these, those that only the VMM can decide: they are as they were */
};

struct flags_row {
	const char *key, *meaning;
	/* Of the words only those that the decision depends on are read. */
	struct flags_decision (*write)(const uint64_t words[FLAGS_WORDS], uint64_t set);
	struct flags_decision (*read)(const uint64_t words[FLAGS_WORDS], uint64_t set);
};

/* The row of an embodiment, NULL for INVALID and what is out of range. */
const struct flags_row *flags_row(uint64_t embodiment);

/* The register as the guest sees it; the embodiment has a row. */
uint64_t flags_read(const struct ss_flag_words *words);

/* The guest writes `value`, as it sees the register. */
struct flags_change flags_write(const struct ss_flag_words *words, uint64_t value);

/* The flags of which the processor must not let a write pass: all whose writes do not go to the register. */
uint64_t flags_masked(const struct ss_flag_words *words);

/*
 * Words of an embodiment from owned and kept flags. They are stored if the verdict is VALID, and all
 * embodiments decide the same then, if no flag is both owned and kept. Those that look at one of the two
 * flags first take such flags, which are what that one says.
 */
struct flags_verdict flags_encode(enum ss_embodiment embodiment, uint64_t owned, uint64_t kept,
				  uint64_t writable, uint64_t ret_words[FLAGS_WORDS]);

/* Names; NULL for no row of the table. */
const char *flags_rule_key(enum flags_rule rule);
const char *flags_rule_text(enum flags_rule rule);

/* What LMSW makes of a CR0 that the guest sees: it loads bits 3:1 and can set, but not clear, bit 0
 * (Intel SDM vol. 2A, LMSW). */
static inline uint64_t flags_lmsw(uint64_t seen, uint64_t operand)
{
	return (seen & ~UINT64_C(0xe)) | (operand & 0xf);
}

#endif
