/* SPDX-License-Identifier: GPL-2.0-only */
/* The processors of the computer: each has a vCPU of the guest, or one has all guests in turn. */
#ifndef SIDESTEP_BARE_PROCESSOR_H
#define SIDESTEP_BARE_PROCESSOR_H

#include "multiboot.h"
#include "guestfw/relay/relay.h"

/* Has the guests begin, on this processor and on as many others as there are vCPUs. A computer with fewer says so, and
 * that is all. */
__attribute__((noreturn)) void processors_begin(const struct multiboot *told);

/* Answers are given by one processor at a time. */
void processor_lock(struct relay_vcpu *vcpu);
void processor_unlock(void);

/* Forgets what it knows of tables that others have changed; stops there if that is asked for. */
void processor_hear(struct relay_vcpu *vcpu);

/* Tables have changed: returns once no other processor goes by what they were. */
void processors_tell(const struct relay_vcpu *vcpu);

/* Whoever has the lock ends the run: returns once no other vCPU exits any more. */
void processors_stop(const struct relay_vcpu *vcpu);

/* The vCPU has halted for good: its processor has nothing to do any more. */
__attribute__((noreturn)) void processor_park(struct relay_vcpu *vcpu);

#endif
