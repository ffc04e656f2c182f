/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/expect_cr0.h"

#define VECTOR_NM 7
#define VECTOR_GP 13

/* SVM's selective CR0-write intercept ignores changes of TS and MP (AMD APM vol. 2, table 15-7). */
#define SVM_IGNORED ((uint64_t)(SS_CR0_TS | SS_CR0_MP))

/* KVM owns every CR0 flag of a VMX guest but TS and WP, with an engine of ours in between or not
 * (arch/x86/kvm/vmx/vmx.h, KVM_POSSIBLE_CR0_GUEST_BITS). */
#define VMX_L0_OWNED (~(uint64_t)(SS_CR0_TS | UINT64_C(1) << 16))

/* The same of CR4 (KVM_POSSIBLE_CR4_GUEST_BITS): all but PVI, TSD, DE, PGE, PCE, OSFXSR, OSXMMEXCPT, FSGSBASE. Of
 * an SVM guest KVM takes every access of CR4. */
#define VMX_L0_OWNED_CR4 (~UINT64_C(0x1078e))

/* KVM has the selective intercept on for every SVM guest. It never takes CLTS, and every LMSW. */
static bool svm_selective_takes(const struct expect_environment *environment, uint32_t insn,
				uint64_t from, uint64_t to)
{
	if (insn == SS_INSN_CLTS)
		return false;
	if (insn == SS_INSN_LMSW && !(environment->traits >> TRAIT_LMSW_SELECTIVE & 1))
		return true;
	return (from ^ to) & ~SVM_IGNORED;
}

struct cr0_state cr0_start(const struct expect_environment *environment, const struct ss_operation *op)
{
	/* What the VMM keeps in the shadow is kept, and every write of it goes to the VMM. */
	const uint64_t asked =
		environment->on_ask == FLAGS_ON_ASK_SHADOW ? op->masked & ~(uint64_t)op->kept : 0;
	const bool cr4 = op->kind == SS_KIND_CR4_WRITE || op->kind == SS_KIND_CR4_READ;
	const uint64_t base = cr4 ? SS_CR4_BASE : SS_CR0_BASE;
	struct cr0_state state = {
		.cr4 = cr4,
		.words = {
			.embodiment = environment->embodiment,
			.shadow = (base & ~(uint64_t)op->masked) | (op->shadow & op->masked),
			.value = base | (cr4 ? 0 : op->cr0),
		},
		.passed = op->flags & SS_OP_TRAP ? op->masked : asked,
	};

	flags_encode(environment->embodiment, FLAGS_ALL & ~(uint64_t)op->masked, op->kept | asked,
		     FLAGS_ALL, state.words.words);
	return state;
}

/*
 * Whether a write exits to the monitor. VMX compares with the read shadow, under the mask (Intel SDM vol. 3C,
 * 26.1.3). That of CR0 has MP and EM, to keep LMSW from KVM, as soon as it has a flag that LMSW loads; that of
 * CR4 has VMXE, which the guest must not see. SVM has neither mask nor shadow, so the engine takes every write if
 * anything is masked (AMD APM vol. 2, 15.9).
 */
static bool monitor_takes(const struct expect_environment *environment,
			  const struct cr0_state *state, uint64_t value)
{
	const struct ss_flag_words *words = &state->words;
	uint64_t masked = flags_masked(words);

	if (environment->engine == ENGINE_SVM)
		return masked != 0;
	if (state->cr4)
		masked |= CONTROL_FLAG(CR4, VMXE);
	else if (masked & (SS_CR0_MP | SS_CR0_EM | SS_CR0_TS))
		masked |= SS_CR0_MP | SS_CR0_EM;
	return (flags_read(words) ^ value) & masked;
}

static uint32_t raise(struct cr0_state *state, uint32_t vector)
{
	state->faults++;
	state->vector = vector;
	return vector;
}

/* The register as the instructions that write it find it: those of 64-bit code. VMX fixes NE in a guest's register
 * (Intel SDM vol. 3D, A.7), and VMXE is not the guest's to set. */
static struct control_state control_of(const struct expect_environment *environment, const struct cr0_state *state)
{
	const bool fixes_ne = environment->engine == ENGINE_VMX && !state->cr4;

	return (struct control_state){
		.reg = state->cr4 ? CONTROL_CR4 : CONTROL_CR0,
		.embodiment = (enum ss_embodiment)state->words.embodiment,
		.words = {state->words.words[0], state->words.words[1]},
		.shadow = state->words.shadow,
		.value = state->words.value,
		.context = {
			.other = state->cr4 ? SS_CR0_BASE : SS_CR4_BASE,
			.cr4_supported = ~CONTROL_FLAG(CR4, VMXE),
			.fixed0 = fixes_ne ? CONTROL_FLAG(CR0, NE) : 0,
			.fixed1 = UINT64_MAX,
			.lme = true,
			.lma = true,
			.cs_l = true,
		},
	};
}

/* CR4 has MOV alone, whatever an operation says. */
static struct control_operation write_of(const struct cr0_state *state, uint32_t insn, uint64_t operand)
{
	const enum control_insn meant = state->cr4	       ? CONTROL_MOV_TO
					: insn == SS_INSN_CLTS ? CONTROL_CLTS
					: insn == SS_INSN_LMSW ? CONTROL_LMSW
							       : CONTROL_MOV_TO;

	return (struct control_operation){meant, 64, operand};
}

/* What the guest wants to see afterwards, bits that do not exist included. */
static uint64_t wanted_value(enum control_insn insn, const struct control_result *result)
{
	const struct flags_decision *decision = &result->decision;
	const uint64_t written = decision->in_register | decision->in_shadow | decision->ask;

	return insn == CONTROL_MOV_TO ? result->wanted
				      : (result->seen & ~written) | (result->wanted & written);
}

static void count_write(const struct expect_environment *environment, uint32_t insn, struct cr0_state *state,
			uint64_t value)
{
	const uint64_t changed = flags_read(&state->words) ^ value;

	if (monitor_takes(environment, state, value)) {
		state->monitor++;
	} else if (state->cr4) {
		state->vmx += (changed & VMX_L0_OWNED_CR4) != 0;
		state->svm++;
	} else {
		state->vmx += (changed & VMX_L0_OWNED) != 0;
		state->svm += svm_selective_takes(environment, insn, state->words.value, value);
	}
}

/* Whether L0 interprets MOV to a control register, which loses the upper half of the value (views/levels.h). */
static bool is_interpreted(const struct expect_environment *environment)
{
	return environment->backend == HOST_BACKEND_PVM ||
	       (environment->backend == HOST_BACKEND_SVM && !(environment->traits >> TRAIT_DECODE_ASSISTS & 1));
}

/* A value that the processor refuses is nothing that the VMM is asked about. */
uint32_t cr0_write_step(const struct expect_environment *environment, uint32_t insn,
			struct cr0_state *state, uint64_t operand)
{
	const bool halved = !monitor_takes(environment, state, operand) && is_interpreted(environment);
	const struct control_state before = control_of(environment, state);
	const struct control_operation operation = write_of(state, insn, halved ? (uint32_t)operand : operand);
	struct control_result result = control_execute(&before, &operation);
	const uint64_t value = wanted_value(operation.insn, &result), asked = result.ask;

	count_write(environment, insn, state, value);
	if (asked)
		result = control_answer(&before, &result,
					environment->on_ask == FLAGS_ON_ASK_REGISTER ? asked : 0);
	state->fault = result.fault;
	if (result.fault != CONTROL_LEGAL)
		return raise(state, VECTOR_GP);
	state->vmm += (asked | ((result.seen ^ value) & state->passed)) != 0;
	if (asked && environment->on_ask == FLAGS_ON_ASK_REFUSE)
		return raise(state, VECTOR_GP);
	state->words.value = result.value;
	state->words.shadow = result.shadow;
	return 0;
}

/* SVM has no read shadow, so what is masked is read from the relay. */
uint64_t cr0_read_step(const struct expect_environment *environment, struct cr0_state *state)
{
	if (environment->engine == ENGINE_SVM && flags_masked(&state->words))
		state->monitor++;
	else if (state->cr4)
		state->svm++;
	return flags_read(&state->words);
}

/* Intel SDM vol. 3A, table 2-2: an FPU instruction obeys EM and TS, WAIT obeys TS if MP is set. */
uint32_t cr0_fpu_step(uint32_t insn, struct cr0_state *state)
{
	const uint64_t both = SS_CR0_TS | SS_CR0_MP, value = state->words.value;

	if (insn == SS_INSN_WAIT ? (value & both) == both : (value & (SS_CR0_TS | SS_CR0_EM)) != 0)
		return raise(state, VECTOR_NM);
	return 0;
}
