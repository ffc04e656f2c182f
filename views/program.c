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

void program_generate(uint64_t seed, uint64_t index, bool masks, uint32_t steps,
		      struct ss_program *program)
{
	static const uint8_t insns[] = {SS_INSN_MOV, SS_INSN_CLTS, SS_INSN_LMSW, SS_INSN_LOAD,
					SS_INSN_SMSW};
	uint64_t state = seed, choice;

	state = next(&state) ^ index;
	choice = next(&state);
	*program = (struct ss_program){
		.count = steps < SS_PROGRAM_STEPS ? steps : SS_PROGRAM_STEPS,
		.start = (uint32_t)choice & PROGRAM_FLAGS,
	};
	if (masks) {
		program->masked = (uint32_t)(choice >> 8) & PROGRAM_FLAGS;
		program->kept = (uint32_t)(choice >> 16) & program->masked;
		program->shadow = (uint32_t)(choice >> 24) & program->masked;
	}
	for (uint32_t i = 0; i < program->count; i++) {
		choice = next(&state);
		program->steps[i].insn = insns[choice % sizeof(insns)];
		program->steps[i].operand = choice >> 32 & 0xf;
	}
}

static void predict_step(const struct expect_environment *environment, const struct ss_step *step,
			 struct flag_words *words, struct cr0_steps *steps, uint64_t *ret_seen)
{
	uint64_t seen = flags_read(words);

	*ret_seen = 0;
	switch (step->insn) {
	case SS_INSN_MOV:
		cr0_write_step(environment, SS_INSN_MOV, words,
			       (SS_CR0_BASE & ~(uint64_t)PROGRAM_FLAGS) |
				       (step->operand & PROGRAM_FLAGS),
			       steps);
		break;
	case SS_INSN_CLTS:
		cr0_write_step(environment, SS_INSN_CLTS, words, seen & ~(uint64_t)SS_CR0_TS, steps);
		break;
	case SS_INSN_LMSW:
		cr0_write_step(environment, SS_INSN_LMSW, words, flags_lmsw(seen, step->operand),
			       steps);
		break;
	default:
		steps->monitor += cr0_read_exits(environment, words);
		*ret_seen = step->insn == SS_INSN_SMSW ? seen & 0xffff : seen;
	}
}

void program_predict(const struct expect_environment *environment,
		     const struct ss_program *program, struct program_prediction *prediction)
{
	struct cr0_steps steps = {0};
	struct flag_words words = {
		.owned = ~(uint64_t)program->masked,
		.kept = program->kept,
		.shadow = (SS_CR0_BASE & ~(uint64_t)program->masked) |
			  (program->shadow & program->masked),
		.value = SS_CR0_BASE | program->start,
	};

	*prediction = (struct program_prediction){0};
	for (uint32_t i = 0; i < program->count && i < SS_PROGRAM_STEPS; i++)
		predict_step(environment, &program->steps[i], &words, &steps, &prediction->seen[i]);
	prediction->monitor = steps.monitor;
	prediction->vmm = steps.vmm;
}

void program_remove(struct ss_program *program, uint32_t first, uint32_t count)
{
	memmove(&program->steps[first], &program->steps[first + count],
		(program->count - first - count) * sizeof(program->steps[0]));
	program->count -= count;
}
