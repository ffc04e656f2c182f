/* SPDX-License-Identifier: MIT */
#ifndef SIDESTEP_GUESTFW_PROGRAMS_H
#define SIDESTEP_GUESTFW_PROGRAMS_H

#include "cpu.h"

/* Asks for programs and runs them until there are no more. */
void run_programs(struct cpu *cpu);

#endif
