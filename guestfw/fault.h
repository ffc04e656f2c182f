/* SPDX-License-Identifier: MIT */
#ifndef SIDESTEP_GUESTFW_FAULT_H
#define SIDESTEP_GUESTFW_FAULT_H

#include "cpu.h"

/* Has the vCPU take exceptions and interrupts by the firmware's table. Ends the VM at a fault that nothing
 * provides for. */
void fault_install(const struct cpu *cpu);

#endif
