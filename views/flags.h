/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision about control-register flags with an owner and a shadow location. Freestanding: the
 * relay and the VMM use the same code as the reference model.
 *
 * For each flag of the register: the guest owns it (bit of the first mask word) and a write goes to
 * the register; or it is kept in the shadow location (bit of the second) and a write goes there; or
 * neither, and the VMM must be asked. A read gives the shadow for flags that the guest does not own,
 * else the register: this is what a processor with guest/host mask and read shadow does too (Intel
 * SDM vol. 3C, 25.6.6).
 */
#ifndef VIEWS_FLAGS_H
#define VIEWS_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

struct flag_words {
	uint64_t owned;  /* first mask word */
	uint64_t kept;   /* second mask word */
	uint64_t shadow; /* shadow location */
	uint64_t value;  /* the register itself */
};

static inline uint64_t flags_read(const struct flag_words *words)
{
	return (words->value & words->owned) | (words->shadow & ~words->owned);
}

/*
 * Writes `value` as the guest sees the register. Changes register and shadow as far as that is
 * decided by the words alone, and returns the flags whose change only the VMM can decide: none of
 * them has been changed.
 */
static inline uint64_t flags_write(struct flag_words *words, uint64_t value)
{
	uint64_t changed = flags_read(words) ^ value;
	uint64_t to_shadow = changed & ~words->owned & words->kept;

	words->value ^= changed & words->owned;
	words->shadow ^= to_shadow;
	return changed & ~words->owned & ~words->kept;
}

/* What LMSW makes of a CR0 that the guest sees: it loads bits 3:1 and can set, but not clear, bit 0
 * (Intel SDM vol. 2A, LMSW). */
static inline uint64_t flags_lmsw(uint64_t seen, uint64_t operand)
{
	return (seen & ~UINT64_C(0xe)) | (operand & 0xf);
}

#endif
