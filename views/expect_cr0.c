/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/expect_cr0.h"

/* SVM's selective CR0-write intercept ignores changes of TS and MP (AMD APM vol. 2, table 15-7). */
#define SVM_IGNORED ((uint64_t)(SS_CR0_TS | SS_CR0_MP))

/* KVM owns every CR0 flag of a VMX guest but TS and WP, with an engine of ours in between or not
 * (arch/x86/kvm/vmx/vmx.h, KVM_POSSIBLE_CR0_GUEST_BITS). */
#define VMX_L0_OWNED (~(uint64_t)(SS_CR0_TS | UINT64_C(1) << 16))

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

/*
 * Whether a write of CR0 exits to the monitor. VMX compares with the read shadow, under the mask (Intel
 * SDM vol. 3C, 26.1.3). SVM has neither, so the engine takes every write if anything is masked (AMD APM
 * vol. 2, 15.9).
 */
static bool monitor_takes(const struct expect_environment *environment,
			  const struct flag_words *words, uint64_t value)
{
	uint64_t masked = ~words->owned;

	if (environment->engine == ENGINE_SVM)
		return masked != 0;
	return (flags_read(words) ^ value) & masked;
}

/* One write of CR0 as the guest sees it: who has to step in, and what becomes of the words. */
void cr0_write_step(const struct expect_environment *environment, uint32_t insn,
		    struct flag_words *words, uint64_t value, struct cr0_steps *steps)
{
	uint64_t changed = flags_read(words) ^ value, asked;

	if (monitor_takes(environment, words, value)) {
		steps->monitor++;
	} else {
		steps->vmx += (changed & VMX_L0_OWNED) != 0;
		steps->svm += svm_selective_takes(environment, insn, words->value, value);
	}
	asked = flags_write(words, value);
	if (asked == 0)
		return;
	/* The VMM keeps such flags in the shadow too. */
	steps->vmm++;
	words->shadow ^= asked;
}

/* SVM has no read shadow, so what is masked is read from the relay. */
unsigned cr0_read_exits(const struct expect_environment *environment,
			const struct flag_words *words)
{
	return environment->engine == ENGINE_SVM && ~words->owned ? 1 : 0;
}
