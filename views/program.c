/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/program.h"

#include <string.h>

#include "views/expect_cr0.h"

/* splitmix64: a state may be any number, so seed and index can simply be combined. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void program_generate(uint64_t seed, uint64_t index, enum program_masks masks, bool yields,
		      uint32_t steps, struct ss_program *program)
{
	/* The last two only with yields, one step in four. */
	static const uint8_t insns[] = {SS_INSN_MOV,  SS_INSN_CLTS,   SS_INSN_LMSW,   SS_INSN_LOAD,
					SS_INSN_SMSW, SS_INSN_FXSAVE, SS_INSN_VMCALL, SS_INSN_VMCALL};
	const size_t kinds = sizeof(insns) - (yields ? 0 : 2);
	uint64_t state = seed, choice;

	state = next(&state) ^ index;
	choice = next(&state);
	*program = (struct ss_program){
		.count = steps < SS_PROGRAM_STEPS ? steps : SS_PROGRAM_STEPS,
		.start = (uint32_t)choice & PROGRAM_FLAGS,
	};
	if (masks != PROGRAM_MASKS_NONE) {
		program->masked = (uint32_t)(choice >> 8) & PROGRAM_FLAGS;
		program->kept = masks == PROGRAM_MASKS_KEPT
					? program->masked
					: (uint32_t)(choice >> 16) & program->masked;
		program->shadow = (uint32_t)(choice >> 24) & program->masked;
	}
	for (uint32_t i = 0; i < program->count; i++) {
		choice = next(&state);
		program->steps[i].insn = insns[choice % kinds];
		program->steps[i].operand = choice >> 32 & 0xf;
	}
}

/* Returns what the step has seen: an exception's vector, else what it has read, else 0. */
static uint64_t predict_step(const struct expect_environment *environment, const struct ss_step *step,
			     struct cr0_state *state)
{
	const uint64_t seen = flags_read(&state->words);
	uint64_t value;

	switch (step->insn) {
	case SS_INSN_MOV:
		value = (SS_CR0_BASE & ~(uint64_t)PROGRAM_FLAGS) | (step->operand & PROGRAM_FLAGS);
		break;
	case SS_INSN_CLTS:
		value = seen & ~(uint64_t)SS_CR0_TS;
		break;
	case SS_INSN_LMSW:
		value = flags_lmsw(seen, step->operand);
		break;
	case SS_INSN_FXSAVE:
		return cr0_fpu_step(SS_INSN_FXSAVE, state);
	case SS_INSN_VMCALL:
		/* Whatever the others do meanwhile, this guest finds everything as it was. */
		state->monitor++;
		return 0;
	default:
		value = cr0_read_step(environment, state);
		return step->insn == SS_INSN_SMSW ? value & 0xffff : value;
	}
	return cr0_write_step(environment, step->insn, state, value);
}

void program_predict(const struct expect_environment *environment,
		     const struct ss_program *program, struct program_prediction *prediction)
{
	const struct ss_operation op = {
		.masked = program->masked,
		.kept = program->kept,
		.shadow = program->shadow,
		.cr0 = program->start,
	};
	struct cr0_state state = cr0_start(environment, &op);

	*prediction = (struct program_prediction){0};
	for (uint32_t i = 0; i < program->count && i < SS_PROGRAM_STEPS; i++)
		prediction->seen[i] = predict_step(environment, &program->steps[i], &state);
	prediction->monitor = state.monitor;
	prediction->vmm = state.vmm;
}

void program_remove(struct ss_program *program, uint32_t first, uint32_t count)
{
	memmove(&program->steps[first], &program->steps[first + count],
		(program->count - first - count) * sizeof(program->steps[0]));
	program->count -= count;
}
