/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be there before the first entry of a VM with a monitor, and goes with the VM. */
#ifndef VMM_ENGINE_MONITOR_CREATE_H
#define VMM_ENGINE_MONITOR_CREATE_H

#include "vmm/engine/monitor.h"

/*
 * What of the next needs no KVM: everything but memory slots and the port. Arguments and results as there.
 */
int monitor_prepare(struct vm *vm, const uint8_t *relay, const uint8_t *relay_end, struct error *error);

/*
 * engine_ops.vm_init as far as no vendor differs. Reserves the monitor's memory, puts tables, descriptors and the
 * relay's code into it, builds the hierarchies of the plan's views in the engine's format and fills the view
 * list, in the format of EPTPs whatever that of the hierarchies, so that one set of rules decides about its
 * entries. Gives the VM all its memory slots, VM function 0 and the port of the relay. Returns 0 or a negative
 * errno with the reason in `error`.
 */
int monitor_create(struct vm *vm, const uint8_t *relay, const uint8_t *relay_end, struct error *error);

/* engine_ops.vm_finish. */
void monitor_destroy(struct vm *vm);

/* The same for a vCPU that starts with these special registers; what CR4 may have is left to the caller. */
int monitor_prepare_vcpu(struct vcpu *vcpu, size_t size, const struct kvm_sregs *sregs, struct error *error);

/* The same for a vCPU: data of `size` bytes, zeroed, which begin with its union nested_state; the state of
 * vcpu_start(), whose special registers go to *ret_sregs; and what the relay finds in the memory
 * that it shares. */
int monitor_create_vcpu(struct vcpu *vcpu, size_t size, struct kvm_sregs *ret_sregs,
			struct error *error);

/* engine_ops.vcpu_finish. */
void monitor_destroy_vcpu(struct vcpu *vcpu);

/* The members of engine_ops in which no vendor differs. */
#define MONITOR_OPS                                                                                \
	.vm_finish = monitor_destroy, .vcpu_finish = monitor_destroy_vcpu,                         \
	.rights_changed = monitor_rights_changed, .drain = monitor_drain,                          \
	.drain_finished = monitor_drain_finished, .catch_up = monitor_catch_up,                    \
	.running = monitor_running, .retire = monitor_retire, .own_code = monitor_code

#endif
