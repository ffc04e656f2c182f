/* SPDX-License-Identifier: MIT */
/* Runs programs of CR0 accesses. They are data: nothing is generated, and no step exits but by what is
 * under test. */
#include "programs.h"

static uint64_t run_step(const struct ss_step *step)
{
	uint64_t value = 0;

	switch (step->insn) {
	case SS_INSN_MOV:
		write_cr0((SS_CR0_BASE & ~0xeull) | (step->operand & 0xe));
		break;
	case SS_INSN_CLTS:
		__asm__ volatile("clts" : : : "memory");
		break;
	case SS_INSN_LMSW:
		__asm__ volatile("lmsw %0" : : "r"((uint16_t)step->operand) : "memory");
		break;
	case SS_INSN_LOAD:
		value = read_cr0();
		break;
	case SS_INSN_SMSW:
		__asm__ volatile("smsw %w0" : "+r"(value));
		break;
	}
	return value;
}

void run_programs(struct cpu *cpu)
{
	struct ss_program *program = &cpu->page->program;

	while (monitor_request(cpu, SS_REQUEST_PROGRAM) == 0 && cpu->page->request.ret[0] == 1) {
		/* A monitor has loaded the register itself. */
		if (!(cpu->context->flags & SS_CONTEXT_MONITOR))
			write_cr0(SS_CR0_BASE | program->start);
		for (uint32_t i = 0; i < program->count && i < SS_PROGRAM_STEPS; i++)
			program->seen[i] = run_step(&program->steps[i]);
	}
}
