/* SPDX-License-Identifier: GPL-2.0-only */
/* What is alike in the answers of the VMM and of the bare monitor to what the relay passes on. Freestanding. */
#ifndef SIDESTEP_RELAY_ANSWER_H
#define SIDESTEP_RELAY_ANSWER_H

#include "guestfw/relay/relay.h"

/*
 * A write of CR0 or CR4 that the VMM carries out: flags that are in no place go to the register, or the write is refused
 * if `refuse` is set. Flags that it keeps in the shadow are kept by the words. Returns 0 if the guest gets a #GP; else
 * the words say what it reads, and the register is to be loaded with *ret_value. The relay has judged what the guest
 * wants; in CR4 there is nothing beyond that.
 */
static inline int relay_answer_write(struct relay_vcpu *relay, unsigned number, int refuse, uint64_t *ret_value)
{
	struct ss_flag_words *words = number == 4 ? &relay->cr4.words : &relay->cr0.words;
	struct flags_change change = flags_write(words, relay->wanted);

	change.value = (change.value & ~change.ask) | (relay->wanted & change.ask);
	if ((change.ask && refuse) || (number == 0 && !is_legal_cr0(relay, relay->wanted, change.value)))
		return 0;
	words->shadow = change.shadow;
	*ret_value = change.value;
	return 1;
}

#endif
