/* SPDX-License-Identifier: GPL-2.0-only */
/* Services that a guest invokes by VMFUNC (guestfw/abi.h, SS_SERVICES), as far as the VMM has a part. */
#ifndef VMM_SERVICE_VM_FUNCTION_H
#define VMM_SERVICE_VM_FUNCTION_H

#include <stdint.h>

#include "views/service.h"
#include "vmm/vm/vm.h"

struct invocation {
	uint32_t number; /* EAX */
	uint32_t index;  /* ECX */
	uint64_t arg[2]; /* RDX, RBX */
	unsigned cpl;    /* of the caller */
	enum service_mode mode;
};

/*
 * Carries VMFUNC out where neither processor nor relay does: decides, then switches the view or performs
 * the service. On return *ret_vector is the exception that the guest must see, or 0; then *ret_rax is
 * RAX after the instruction. Returns 0, or a negative errno if the host failed or the engine has
 * somebody else for it.
 */
int vm_function_execute(struct vcpu *vcpu, const struct invocation *invocation, unsigned *ret_vector,
			uint64_t *ret_rax);

/* What the relay has decided and leaves to the VMM: performs a service that the caller may invoke, or takes
 * note of a call that the table lets exit. Parameters in memory are copied once. Returns what RAX becomes:
 * a negative errno if it failed. */
int64_t vm_function_finish(struct vcpu *vcpu, const struct invocation *invocation,
			   enum service_verdict verdict);

#endif
