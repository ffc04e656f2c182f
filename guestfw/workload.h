/* SPDX-License-Identifier: MIT */
#ifndef SIDESTEP_GUESTFW_WORKLOAD_H
#define SIDESTEP_GUESTFW_WORKLOAD_H

#include "cpu.h"

/* Performs an operation as many times as wanted; `first`: this vCPU has not performed it before. */
typedef void perform_fn(struct cpu *cpu, uint32_t number, uint32_t wanted, int first);

/* Performs the selected operations at the pace that the context area gives, until the VMM ends it. */
_Noreturn void run_workload(struct cpu *cpu, perform_fn *perform);

#endif
