/* SPDX-License-Identifier: GPL-2.0-only */
#include "bare.h"

struct bare bare;

uint32_t bare_operation(const struct relay_vcpu *vcpu)
{
	const uint32_t operation = ((const volatile struct ss_marker *)vcpu->marker)->operation;

	return operation <= bare.plan->operation_count ? operation : 0;
}

void bare_inject(struct relay_vcpu *vcpu, uint64_t vector, uint64_t error_code)
{
	vcpu->action = RELAY_INJECT;
	vcpu->vector = vector;
	vcpu->error_code = error_code;
}
