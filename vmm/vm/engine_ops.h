/* SPDX-License-Identifier: GPL-2.0-only */
/* What an engine does with a VM and its vCPUs. One constant row per engine, in engine/engines.c. */
#ifndef VMM_VM_ENGINE_OPS_H
#define VMM_VM_ENGINE_OPS_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "guestfw/abi.h"
#include "views/gpa.h"
#include "vmm/base/error.h"

struct monitor_exit;
struct record_code;
struct vm;
struct vcpu;

struct engine_ops {
	/* These return 0 or a negative errno with the reason in `error`. */

	/* Gives the VM its memory and its views, view 0 active. */
	int (*vm_init)(struct vm *vm, struct error *error);
	void (*vm_finish)(struct vm *vm);

	/* Puts a vCPU in front of the guest's first instruction. */
	int (*vcpu_init)(struct vcpu *vcpu, struct error *error);
	void (*vcpu_finish)(struct vcpu *vcpu); /* may be NULL */

	/* For a computer without KVM, NULL where there is no such: the same as far as it is memory, the monitor's code
	 * in it; and the control structure, as it starts and as an operation (NULL: none) has it. */
	int (*vm_prepare)(struct vm *vm, struct error *error);
	int (*vcpu_prepare)(struct vcpu *vcpu, struct error *error);
	void (*vcpu_plan)(struct vcpu *vcpu, const struct ss_operation *op);
	void *(*control)(const struct vcpu *vcpu); /* of 4096 bytes, as KVM has it */

	/* Has KVM forget how it maps this page, whose contents stay; NULL where no guest can ask for it. */
	void (*forget_page)(struct vm *vm, gpa_t gpa);

	/* Makes a view, which exists, active; NULL where the processor or the relay does that. */
	int (*view_switch)(struct vm *vm, unsigned view);

	/* Rights of a region in a view have changed in vm->policy: makes that so for every vCPU before
	 * it goes on. Returns 0 or a negative errno, with everything as it was. */
	int (*rights_changed)(struct vm *vm, uint32_t view, uint32_t region);

	/* Puts the masks, the list and the controls of an operation in place; NULL: those that a
	 * guest starts with. Returns 0 or a negative errno. */
	int (*setup)(struct vcpu *vcpu, const struct ss_operation *op);

	/* Which view is active, by what the control structure says, or the relay while it waits for an answer; -1:
	 * none of ours. */
	int (*view_current)(struct vcpu *vcpu);

	/* The guest's segments, control registers and EFER, whichever level runs now; nothing else in
	 * there counts. Returns 0 or a negative errno. */
	int (*guest_sregs)(struct vcpu *vcpu, struct kvm_sregs *ret_sregs);

	/* Answers an access to an MSR that the engine has made KVM hand over (run->msr); NULL where
	 * no engine does. */
	void (*msr)(struct vcpu *vcpu);

	/* The operations below are NULL in an engine without a monitor. */

	/* Moves what the relay has recorded to the summary and the ledger. */
	void (*drain)(struct vcpu *vcpu);

	/* The same but for the last record, if the relay will complete it when it has its answer. */
	void (*drain_finished)(struct vcpu *vcpu);

	/* To be called before an exit is handled: what the relay has done without the VMM holds for the VMM too. */
	void (*catch_up)(struct vcpu *vcpu);

	/* Says in the monitor's words what exit the relay has passed on. */
	void (*describe)(struct vcpu *vcpu, struct monitor_exit *ret_exit);

	/* Of VMs that share a vCPU, by their leader: the one whose guest has it. */
	struct vcpu *(*running)(struct vm *leader);

	/* The same: this guest has ended and shall not run again. */
	void (*retire)(struct vcpu *vcpu);

	/* Fills the record of code if record->rip is in the relay, and returns whether it is. */
	bool (*own_code)(const struct vcpu *vcpu, struct record_code *record);

	/* Has the relay load CR0 or CR4; what the guest reads there is a matter of its words. */
	void (*load_register)(struct vcpu *vcpu, unsigned number, uint64_t value);
};

#endif
