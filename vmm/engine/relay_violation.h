/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of the violations that reach the relay. */
#ifndef VMM_ENGINE_RELAY_VIOLATION_H
#define VMM_ENGINE_RELAY_VIOLATION_H

#include "vmm/engine/monitor.h"

/* An access that the view forbids: answers it. */
void relay_violation(struct vcpu *vcpu, struct relay_vcpu *relay, const struct monitor_exit *exit);

/* The same for one that the VMM found when it made the access for the guest. Returns false if the guest
 * has to see the exception that the answer now holds. */
bool relay_violation_of_operand(struct vcpu *vcpu, struct relay_vcpu *relay,
				const struct page_walk_space *space, const struct page_walk_fault *fault,
				unsigned access);

#endif
