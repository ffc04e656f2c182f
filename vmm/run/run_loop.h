/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop of one vCPU. */
#ifndef VMM_RUN_RUN_LOOP_H
#define VMM_RUN_RUN_LOOP_H

#include "vmm/jail/jail_filter.h"
#include "vmm/vm/vm.h"

/* Installs the handler of KICK_SIGNAL. Returns 0 or a negative errno. */
int run_install_kick(void);

/* Runs the vCPU on the calling thread until it or its VM has ended. Kicks are taken only here. */
void run_vcpu(struct vcpu *vcpu);

#endif
