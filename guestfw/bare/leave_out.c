/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations that this computer cannot perform, which nobody could know when the image was made. */
#include "bare.h"
#include "memory.h"

#define RDI 7

/* Of an operation: as the plan has it for those that are not selected. */
static void tell_skipped(uint64_t number, const char *why)
{
	static const char prefix[] = "skipped.";
	char key[sizeof(prefix) + 3], digits[3];
	unsigned at = sizeof(prefix) - 1, count = 0;

	memcpy(key, prefix, sizeof(prefix));
	for (; number && count < sizeof(digits); number /= 10)
		digits[count++] = (char)('0' + number % 10);
	while (count)
		key[at++] = digits[--count];
	key[at] = '\0';
	log_meta(key, why);
}

void bare_leave_out_ve(const struct relay_vcpu *vcpu)
{
	struct ss_context *context = (void *)(bare_ram(vcpu) + vcpu->regs[RDI]);

	for (uint64_t n = 1; n <= bare.plan->operation_count; n++) {
		uint64_t *selected = &context->selected[(n - 1) / 64];

		if (!bare_setup_of(vcpu, n)->needs_ve || !(*selected >> (n - 1) % 64 & 1))
			continue;
		*selected &= ~(UINT64_C(1) << (n - 1) % 64);
		if (bare_guest_number(vcpu) == 0)
			tell_skipped(n, "needs: ve; host: a processor without");
	}
}
