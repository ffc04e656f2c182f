/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested state of a vCPU, as KVM_SET_NESTED_STATE takes it and KVM_GET_NESTED_STATE gives it: a header and the
 * vendor's control structure. And what the control structures of both vendors have alike.
 */
#ifndef VMM_ENGINE_NESTED_STATE_H
#define VMM_ENGINE_NESTED_STATE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/error.h"

#define CONTROL_SIZE 4096

struct vcpu;

/* The data of a vCPU of an engine with a monitor begins with it. Behind the control structure is room for
 * a shadow VMCS. */
union nested_state {
	struct kvm_nested_state header;
	uint8_t bytes[sizeof(struct kvm_nested_state) + 2 * CONTROL_SIZE];
};

union nested_state *nested_state(const struct vcpu *vcpu);

/* Its control structure. */
void *nested_control(const struct vcpu *vcpu);

/* A consistency check of a control structure that did not hold. */
struct control_fault {
	const char *field; /* its name */
	const char *rule;  /* what should hold */
	uint64_t value;
};

/* Gives KVM the nested state, with `fault` for the case that it refuses: KVM says only "invalid". NULL: every
 * check that sidestep knows holds. Returns 0 or a negative errno with the reason in `error`. */
int nested_state_set(struct vcpu *vcpu, const struct control_fault *fault, struct error *error);

/* Has KVM fill it. Returns 0, -ENODATA if there is no control structure, as for SVM while L1 runs, or another
 * negative errno. */
int nested_state_get(struct vcpu *vcpu);

/* Access rights of a segment, in the order of VMX (Intel SDM vol. 3C, 25.4.1), in KVM's words. */
#define RIGHTS_UNUSABLE 0x10000
void segment_set_rights(struct kvm_segment *segment, uint64_t rights);

static inline bool control_is_page(uint64_t value, uint8_t maxphyaddr)
{
	return (value & 0xfff) == 0 && value >> maxphyaddr == 0;
}

#endif
