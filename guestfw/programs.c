/* SPDX-License-Identifier: MIT */
/* Runs programs of CR0 or CR4 accesses. They are data: nothing is generated, and no step exits but by what is
 * under test. */
#include "programs.h"

/* A row of the fix-up table, as MAY_FAULT of fixup.inc makes it. */
#define MAY_FAULT(insn) "1: " insn "\n2:\n.pushsection .fixup, \"a\"\n.quad 1b, 2b, 0\n.popsection"

static void move(uint32_t cr, uint64_t value)
{
	if (cr == 4)
		__asm__ volatile(MAY_FAULT("mov %0, %%cr4") : : "r"(value) : "memory");
	else
		__asm__ volatile(MAY_FAULT("mov %0, %%cr0") : : "r"(value) : "memory");
}

static uint64_t run_step(struct cpu *cpu, uint32_t cr, const struct ss_step *step)
{
	const uint64_t base = cr == 4 ? SS_CR4_BASE : SS_CR0_BASE;
	uint64_t value = 0;

	cpu->vector = 0;
	switch (step->insn) {
	case SS_INSN_MOV:
		if (step->inverted)
			value = 1ull << (step->inverted - 1);
		move(cr, (base | step->operand) ^ value);
		return cpu->vector;
	case SS_INSN_CLTS:
		__asm__ volatile(MAY_FAULT("clts") : : : "memory");
		break;
	case SS_INSN_LMSW:
		__asm__ volatile(MAY_FAULT("lmsw %0") : : "r"((uint16_t)step->operand) : "memory");
		break;
	case SS_INSN_VMCALL:
		value = hypercall(SS_HYPERCALL_YIELD, 0, cpu->context->flags & SS_CONTEXT_VMMCALL);
		break;
	case SS_INSN_FXSAVE:
		__asm__ volatile(MAY_FAULT("fxsave %0") : "=m"(cpu->fxsave_area) : : "memory");
		break;
	case SS_INSN_LOAD:
		value = cr == 4 ? read_cr4() : read_cr0();
		break;
	case SS_INSN_SMSW:
		__asm__ volatile("smsw %w0" : "+r"(value));
		break;
	}
	return cpu->vector ? cpu->vector : value;
}

void run_programs(struct cpu *cpu)
{
	struct ss_program *program = &cpu->page->program;

	while (monitor_request(cpu, SS_REQUEST_PROGRAM) == 0 && cpu->page->request.ret[0] == 1) {
		/* A monitor has loaded the registers itself. */
		if (!(cpu->context->flags & SS_CONTEXT_MONITOR)) {
			write_cr0(SS_CR0_BASE | (program->cr == 4 ? 0 : program->start));
			write_cr4(SS_CR4_BASE | (program->cr == 4 ? program->start : 0));
		}
		for (uint32_t i = 0; i < program->count && i < SS_PROGRAM_STEPS; i++)
			program->seen[i] = run_step(cpu, program->cr, &program->steps[i]);
	}
}
