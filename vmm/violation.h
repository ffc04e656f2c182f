/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses that a view forbids. */
#ifndef VMM_VIOLATION_H
#define VMM_VIOLATION_H

#include "linear.h"

struct violation {
	uint32_t view;
	uint64_t gpa, rip;
	uint32_t access; /* VIEW_READ, VIEW_WRITE or VIEW_EXECUTE */
	uint32_t size;   /* bytes; 0: not known */
};

/* Records it, and ends the VM if the plan says so. */
void report_violation(struct vcpu *vcpu, const struct violation *violation);

/*
 * Carries out a load or store that was refused, for engines where KVM does not: decodes the
 * instruction at linear address `rip`, sets the register that a load would have filled to all ones,
 * drops what a store would have written. `regs` are in the processor's numbering. Returns 0 and the
 * length of the instruction, or -EOPNOTSUPP for an instruction other than a plain MOV between a general
 * register and memory.
 */
int refuse_access(const struct linear_space *space, uint64_t rip, uint64_t regs[16],
		  unsigned *ret_length);

#endif
