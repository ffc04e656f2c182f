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

/*
 * Bits that no mask has, one of which a MOV may write inverted: most make a value illegal, NE where VMX fixes it. The
 * last ones depend on the engine. ET and bit 10 of CR0 are not loaded, and only without a monitor: KVM has a nested
 * guest of VMX read what it has written there (arch/x86/kvm/vmx/vmx.c, handle_set_cr0). VMXE of CR4 only with one:
 * otherwise KVM says whether the guest has it.
 */
static const uint8_t inverted[][8] = {
	{0 /* PE */, 5 /* NE */, 29 /* NW */, 31 /* PG */, 40, 63, 4 /* ET */, 10},
	{5 /* PAE */, 12 /* LA57 */, 15, 26, 31, 40, 63, 13 /* VMXE */},
};

static size_t inverted_count(uint32_t cr, bool monitor)
{
	return cr == 4 ? sizeof(inverted[1]) - !monitor : sizeof(inverted[0]) - 2 * monitor;
}

/* The last two only with yields, one step in four. Of CR4 there are the first two. */
static const uint8_t insns[] = {SS_INSN_MOV,  SS_INSN_LOAD,   SS_INSN_CLTS,   SS_INSN_LMSW,
				SS_INSN_SMSW, SS_INSN_FXSAVE, SS_INSN_VMCALL, SS_INSN_VMCALL};

static uint8_t choose_insn(uint32_t cr, bool yields, uint64_t choice)
{
	if (cr == 4)
		return yields && choice % 4 == 0 ? SS_INSN_VMCALL : insns[choice / 4 % 2];
	return insns[choice % (sizeof(insns) - (yields ? 0 : 2))];
}

/* One MOV in four, so that most values are what they were chosen to be. */
static uint8_t choose_inverted(uint32_t cr, enum program_masks masks, uint64_t choice)
{
	const size_t count = inverted_count(cr, masks != PROGRAM_MASKS_NONE);

	return choice % 4 == 0 ? (uint8_t)(inverted[cr == 4][choice / 4 % count] + 1) : 0;
}

void program_generate(uint64_t seed, uint64_t index, enum program_masks masks, bool yields,
		      uint32_t steps, struct ss_program *program)
{
	uint64_t state = seed, choice;
	uint32_t flags;

	state = next(&state) ^ index;
	choice = next(&state);
	*program = (struct ss_program){
		.count = steps < SS_PROGRAM_STEPS ? steps : SS_PROGRAM_STEPS,
		.cr = choice >> 63 ? 4 : 0,
	};
	flags = program_flags(program->cr);
	program->start = (uint32_t)choice & flags;
	if (masks != PROGRAM_MASKS_NONE) {
		program->masked = (uint32_t)(choice >> 10) & flags;
		program->kept = masks == PROGRAM_MASKS_KEPT
					? program->masked
					: (uint32_t)(choice >> 20) & program->masked;
		program->shadow = (uint32_t)(choice >> 30) & program->masked;
	}
	for (uint32_t i = 0; i < program->count; i++) {
		struct ss_step *step = &program->steps[i];

		choice = next(&state);
		step->insn = choose_insn(program->cr, yields, choice & 0xffff);
		step->operand = (uint16_t)(choice >> 32 & program_operands(program->cr));
		if (step->insn == SS_INSN_MOV)
			step->inverted = choose_inverted(program->cr, masks, choice >> 48);
	}
}

/* Returns what the step has seen: an exception's vector, else what it has read, else 0. */
static uint64_t predict_step(const struct expect_environment *environment, const struct ss_step *step,
			     struct cr0_state *state)
{
	uint64_t value = (state->cr4 ? SS_CR4_BASE : SS_CR0_BASE) | step->operand;

	switch (step->insn) {
	case SS_INSN_MOV:
		if (step->inverted)
			value ^= UINT64_C(1) << (step->inverted - 1);
		return cr0_write_step(environment, step->insn, state, value);
	case SS_INSN_CLTS:
	case SS_INSN_LMSW:
		return cr0_write_step(environment, step->insn, state, step->operand);
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
}

struct ss_operation program_masks(const struct ss_program *program)
{
	return (struct ss_operation){
		.kind = program->cr == 4 ? SS_KIND_CR4_WRITE : SS_KIND_CR0_WRITE,
		.masked = program->masked,
		.kept = program->kept,
		.shadow = program->shadow,
	};
}

void program_predict(const struct expect_environment *environment,
		     const struct ss_program *program, struct program_prediction *prediction)
{
	const struct ss_operation masks = program_masks(program);
	struct cr0_state state = cr0_start(environment, &masks);

	*prediction = (struct program_prediction){0};
	state.words.value |= program->start;
	for (uint32_t i = 0; i < program->count && i < SS_PROGRAM_STEPS; i++) {
		state.fault = CONTROL_LEGAL;
		prediction->seen[i] = predict_step(environment, &program->steps[i], &state);
		prediction->fault[i] = state.fault;
	}
	prediction->monitor = state.monitor;
	prediction->vmm = state.vmm;
}

void program_remove(struct ss_program *program, uint32_t first, uint32_t count)
{
	memmove(&program->steps[first], &program->steps[first + count],
		(program->count - first - count) * sizeof(program->steps[0]));
	program->count -= count;
}
