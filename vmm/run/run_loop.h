/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop of one vCPU. */
#ifndef VMM_RUN_RUN_LOOP_H
#define VMM_RUN_RUN_LOOP_H

#include "vmm/vm/vm.h"

/* The signal that makes a vCPU thread leave KVM_RUN. */
#define RUN_KICK_SIGNAL SIGUSR1

/* Installs the handler of the kick signal. Returns 0 or a negative errno. */
int run_install_kick(void);

/* Runs the vCPU on the calling thread until it or its VM has ended. Kicks are taken only here. */
void run_vcpu(struct vcpu *vcpu);

/* The instruction at an exit that KVM could not interpret, as far as KVM has fetched it. Returns true if
 * the VMM carried it out, or raised the exception that the guest's processor would (emulation_failure.c). */
bool emulation_failure_complete(struct vcpu *vcpu, const uint8_t *bytes, unsigned length);

/* The same for one that exists and that nobody can carry out: code at CPL 3 does not end the VM by it, but
 * gets #UD, as from a KVM that does not report what it cannot interpret. Returns false at other CPLs. */
bool emulation_failure_for_user(struct vcpu *vcpu);

#endif
