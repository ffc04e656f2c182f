/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM does with the exits that the relay passes on. */
#ifndef VMM_ENGINE_RELAY_EXIT_H
#define VMM_ENGINE_RELAY_EXIT_H

#include "vmm/emulate/page_walk.h"

struct monitor_exit;
struct relay_vcpu;

/* Claims the port by which the relay passes exits on. Returns 0 or a negative errno with the reason in `error`. */
int relay_exit_attach(struct vm *vm, struct error *error);

/* The answer that raises an exception, with the error code if it has one. */
void relay_exit_inject(struct relay_vcpu *relay, uint64_t vector, uint64_t error_code);

/* The address space that the guest was in. */
struct page_walk_space relay_exit_space(const struct vcpu *vcpu, const struct monitor_exit *exit);

/* An access that the view forbids. */
void relay_exit_violation(struct vcpu *vcpu, struct relay_vcpu *relay, const struct monitor_exit *exit);

/* The same for one that the VMM found when it made the access for the guest. Returns false if the guest
 * has to see the exception that the answer now holds. */
bool relay_exit_refused_operand(struct vcpu *vcpu, struct relay_vcpu *relay,
			    const struct page_walk_space *space, const struct page_walk_fault *fault,
			    unsigned access);

#endif
