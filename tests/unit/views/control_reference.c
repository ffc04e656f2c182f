/* SPDX-License-Identifier: GPL-2.0-only */
#include "control_reference.h"

#include "tests/unit/cmocka_prelude.h"

uint64_t reference_writable(const struct control_state *state)
{
	return state->reg == CONTROL_CR0 ? CR0_WRITABLE
					 : CR4_WRITABLE & state->context.cr4_supported;
}

void reference_set_words(struct control_scenario *scenario)
{
	uint64_t *words = scenario->state.words;

	words[0] = words[1] = 0;
	if (scenario->state.embodiment == SS_EMBODIMENT_ONE_WORD) {
		for (unsigned n = 0; n < 32; n++)
			words[0] |= (scenario->owned >> n & 1) << (2 * n) |
				    (scenario->kept >> n & 1) << (2 * n + 1);
		return;
	}
	words[0] = scenario->owned;
	if (scenario->state.embodiment != SS_EMBODIMENT_SINGLE_MASK)
		words[1] = scenario->kept;
}

static void put(uint64_t *word, unsigned n, bool value)
{
	*word = (*word & ~BIT(n)) | (value ? BIT(n) : 0);
}

/* Kept in the shadow location: read from there. Else read from the register. */
uint64_t reference_seen(const struct control_scenario *scenario)
{
	const struct control_state *state = &scenario->state;
	uint64_t seen = 0, writable = reference_writable(state);

	for (unsigned n = 0; n < 64; n++) {
		bool owned = reference_has(scenario->owned, n), from_shadow = reference_has(scenario->kept, n);

		if (state->embodiment == SS_EMBODIMENT_OWNED_FIRST && owned)
			from_shadow = false;
		if (!reference_has(writable, n))
			from_shadow = false;
		put(&seen, n, reference_has(from_shadow ? state->shadow : state->value, n));
	}
	return seen;
}

/* What the manuals forbid, given which flags get into the register. */
static enum control_fault slow_fault(const struct control_state *state, uint64_t after,
				     uint64_t written)
{
	const struct control_context *context = &state->context;
	uint64_t before = state->value, other = context->other;
	uint64_t fixed0 = context->fixed0;
	bool cr0 = state->reg == CONTROL_CR0;

	if (cr0 && context->unrestricted_guest)
		fixed0 &= ~(PE | PG);
	if (cr0) {
		if (after >> 32)
			return CONTROL_FAULT_CR0_RESERVED;
		if (written & (PG | PE) && (after & (PG | PE)) == PG)
			return CONTROL_FAULT_PG_WITHOUT_PE;
		if (written & (NW | CD) && (after & (NW | CD)) == NW)
			return CONTROL_FAULT_NW_WITHOUT_CD;
		if (written & PG) {
			if (after & PG && context->lme && !(other & PAE))
				return CONTROL_FAULT_PG_WITHOUT_PAE;
			if (after & ~before & PG && context->lme && context->cs_l)
				return CONTROL_FAULT_PG_SET_IN_64_BIT_CS;
			if (before & ~after & PG && context->lma && context->cs_l)
				return CONTROL_FAULT_PG_CLEARED_IN_64_BIT_MODE;
			if (before & ~after & PG && other & PCIDE)
				return CONTROL_FAULT_PG_CLEARED_WITH_PCIDE;
		}
		if (written & WP && !(after & WP) && other & CET)
			return CONTROL_FAULT_WP_CLEAR_WITH_CET;
	} else {
		if (after & ~reference_writable(state))
			return CONTROL_FAULT_CR4_RESERVED;
		if (context->lma && written & PAE && before & ~after & PAE)
			return CONTROL_FAULT_PAE_CLEARED;
		if (context->lma && written & LA57 && (before ^ after) & LA57)
			return CONTROL_FAULT_LA57_CHANGED;
		if (written & PCIDE && after & ~before & PCIDE) {
			if (!context->lma)
				return CONTROL_FAULT_PCIDE_OUTSIDE_IA32E;
			if (context->cr3 & 0xfff)
				return CONTROL_FAULT_PCIDE_WITH_CR3;
		}
		if (written & CET && after & CET && !(other & WP))
			return CONTROL_FAULT_CET_WITHOUT_WP;
	}
	for (unsigned n = 0; n < 64; n++)
		if (reference_has(written, n) && reference_has(fixed0, n) && !reference_has(after, n))
			return cr0 ? CONTROL_FAULT_CR0_FIXED_TO_1 : CONTROL_FAULT_CR4_FIXED_TO_1;
	for (unsigned n = 0; n < 64; n++)
		if (reference_has(written, n) && !reference_has(context->fixed1, n) && reference_has(after, n))
			return cr0 ? CONTROL_FAULT_CR0_FIXED_TO_0 : CONTROL_FAULT_CR4_FIXED_TO_0;
	return CONTROL_LEGAL;
}

static bool is_written(enum control_insn insn, uint64_t writable, uint64_t operand, unsigned n)
{
	switch (insn) {
	case CONTROL_MOV_TO:
		return reference_has(writable, n);
	case CONTROL_CLTS:
		return n == 3;
	case CONTROL_LMSW:
		return (n == 0 && reference_has(operand, 0)) || (n >= 1 && n <= 3);
	default:
		return false;
	}
}

/* Owned: the register. Not owned, but kept: the shadow location. Neither: the VMM. */
static struct control_result slow_write(const struct control_scenario *scenario,
					const struct control_operation *operation)
{
	const struct control_state *state = &scenario->state;
	struct control_result result = {.seen = reference_seen(scenario), .value = state->value,
					.shadow = state->shadow, .fault = CONTROL_LEGAL};
	uint64_t operand = operation->insn == CONTROL_CLTS ? 0 : operation->operand;
	uint64_t to_register = 0, after;

	if (operation->width == 32)
		operand &= UINT32_MAX;
	for (unsigned n = 0; n < 64; n++) {
		/* Whoever looks at the second flag first finds a kept flag before it can be owned. */
		bool kept_first = state->embodiment == SS_EMBODIMENT_SHADOW_FIRST &&
				  reference_has(scenario->kept, n);

		if (!is_written(operation->insn, reference_writable(state), operand, n))
			continue;

		if (reference_has(scenario->owned, n) && !kept_first) {
			put(&result.value, n, reference_has(operand, n));
			to_register |= BIT(n);
		} else if (reference_has(scenario->kept, n)) {
			put(&result.shadow, n, reference_has(operand, n));
		} else if (reference_has(operand, n) != reference_has(result.seen, n)) {
			result.ask |= BIT(n);
		}
	}
	if (result.ask)
		return result;
	after = result.value;
	/* Bits that nobody can own go to the register, which refuses them. */
	if (operation->insn == CONTROL_MOV_TO)
		after |= operand & (state->reg == CONTROL_CR0 ? UINT64_MAX << 32
							       : ~reference_writable(state));
	result.fault = slow_fault(state, after, to_register);
	if (result.fault != CONTROL_LEGAL) {
		result.value = state->value;
		result.shadow = state->shadow;
	}
	return result;
}

static struct control_result slow_read(const struct control_scenario *scenario,
				       const struct control_operation *operation)
{
	struct control_result result = {.seen = reference_seen(scenario),
					.value = scenario->state.value,
					.shadow = scenario->state.shadow, .fault = CONTROL_LEGAL};

	result.destination = operation->operand;
	for (unsigned n = 0; n < 64; n++)
		if (n < operation->width)
			put(&result.destination, n, reference_has(result.seen, n));
		else if (operation->width == 32)
			put(&result.destination, n, false);
	return result;
}

struct control_result reference_compare(const struct control_scenario *scenario,
					const struct control_operation *operation)
{
	struct control_result got = control_execute(&scenario->state, operation), wanted;
	bool read = operation->insn == CONTROL_MOV_FROM || operation->insn == CONTROL_SMSW;

	wanted = read ? slow_read(scenario, operation) : slow_write(scenario, operation);
	assert_int_equal(got.seen, wanted.seen);
	assert_int_equal(got.destination, wanted.destination);
	assert_int_equal(got.value, wanted.value);
	assert_int_equal(got.shadow, wanted.shadow);
	assert_int_equal(got.ask, wanted.ask);
	assert_int_equal(got.fault, wanted.fault);
	return got;
}

uint64_t reference_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

const struct control_context reference_legacy = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX};

struct control_context reference_long_mode(enum control_register reg)
{
	struct control_context context = {
		.cr4_supported = 0x3ffffff, .fixed1 = 0x3ffffff, .cr3 = 0x1000,
		.fixed0 = VMXE, .other = PE | PG | NE, .lme = true, .lma = true, .cs_l = true};

	if (reg == CONTROL_CR0) {
		context.fixed0 = PE | NE | PG;
		context.fixed1 = UINT32_MAX;
		context.other = PAE | VMXE | PCIDE;
	}
	return context;
}

struct control_scenario reference_cr0(uint64_t owned, uint64_t kept, uint64_t shadow, uint64_t value)
{
	struct control_scenario scenario = {
		.state = {.reg = CONTROL_CR0, .embodiment = SS_EMBODIMENT_TWO_WORDS, .shadow = shadow, .value = value,
			  .context = reference_legacy},
		.owned = owned, .kept = kept};

	reference_set_words(&scenario);
	return scenario;
}

struct control_result reference_run(const struct control_scenario *scenario, enum control_insn insn,
				    uint64_t operand)
{
	const struct control_operation operation = {insn, 64, operand};

	return reference_compare(scenario, &operation);
}
