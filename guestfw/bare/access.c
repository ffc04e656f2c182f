/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory as the active view shows it: its tables are walked, so that nobody reads for a guest what it may not. */
#include "bare.h"
#include "views/paging.h"

#define PAGE 4096u

void *bare_guest(const struct relay_vcpu *vcpu, uint64_t gpa, uint64_t size, unsigned rights)
{
	uint64_t entry = vendor_view(vcpu), low;

	if (gpa >= bare.plan->guest_size || (gpa & (PAGE - 1)) + size > PAGE)
		return NULL;
	for (unsigned level = PAGING_LEVELS; level-- > 0;) {
		const unsigned shift = 12 + 9 * level;

		entry = ((const uint64_t *)(entry & PAGING_ADDRESS))[gpa >> shift & 511];
		if (!vendor_grants(entry, rights))
			return NULL;
		if (level == 0 || entry & PAGING_LARGE) {
			low = (UINT64_C(1) << shift) - 1;
			return (void *)((entry & PAGING_ADDRESS & ~low) | (gpa & low));
		}
	}
	return NULL;
}

uint32_t bare_view(const struct relay_vcpu *vcpu)
{
	const uint64_t *list = bare_list(vcpu);
	const uint64_t active = vendor_view(vcpu);

	for (uint32_t i = 0; i < bare.plan->view_count; i++)
		if (list[i] == active)
			return i;
	return UINT32_MAX;
}
