/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses that a view forbids: what becomes of them, and how they are recorded. */
#ifndef VMM_EMULATE_VIOLATION_H
#define VMM_EMULATE_VIOLATION_H

#include "vmm/ledger/record.h"
#include "vmm/vm/vm.h"

#define VIOLATION_INSTRUCTION_SIZE 96

struct violation {
	uint32_t view;
	uint32_t access; /* VIEW_READ, VIEW_WRITE or VIEW_EXECUTE */
	uint32_t size;   /* bytes; 0: not known */
	uint64_t gpa, rip;
	uint64_t gva;
	uint16_t flags; /* enum violation_flag */
	bool user;      /* made at CPL 3 */
	/* What violation_look() knows of the instruction. */
	char instruction[VIOLATION_INSTRUCTION_SIZE]; /* in Intel's syntax, if the VM is to stop; empty: not known */
	uint8_t code[RECORD_INSN_SIZE], code_size;    /* its bytes, how many; 0: not known */
	uint16_t width;				      /* of the code, enum cpu_width */
	uint8_t value_size; /* of what was to be written, in bytes; 0: not known, or nothing was to be */
	uint64_t value;
};

/*
 * What is to become of it. `completed` says that the instruction can do without the access: it has been,
 * or will be, carried out with all ones for what it reads, and without what it writes. A fetch cannot.
 */
enum violation_answer violation_answer(const struct vcpu *vcpu, const struct violation *violation,
				       bool completed);

/* Error code of the page fault that stands for it. */
uint32_t violation_error_code(const struct violation *violation);

/*
 * Records it. VIOLATION_STOPPED ends the VM; VIOLATION_FAULTED tells the guest about it in the vCPU page,
 * and leaves raising the exception to the caller.
 */
void violation_record(struct vcpu *vcpu, const struct violation *violation,
		      enum violation_answer answer);

#endif
