/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes of the guest's code, which has been fetched already: what it may not read is not asked for. */
#ifndef SIDESTEP_BARE_CODE_H
#define SIDESTEP_BARE_CODE_H

#include "bare.h"
#include "guestfw/relay/insn.h"
#include "guestfw/relay/walk.h"

/* Copies so many from a linear address on; fewer at the end of what is mapped. Returns how many. */
static inline unsigned bare_fetch(const struct relay_vcpu *vcpu, uint64_t linear, uint8_t *code, unsigned count)
{
	const struct walk walk = {
		.nested_cr3 = vendor_view(vcpu) & WALK_ADDRESS,
		.cr3 = vendor_register(vcpu, 3),
		.paging = guest_paging_of(vendor_register(vcpu, 0), vendor_register(vcpu, 4), vendor_efer(vcpu)),
	};

	return walk_fetch(&walk, linear, code, count);
}

#endif
