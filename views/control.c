/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/control.h"

#include <assert.h>
#include <stddef.h>

#define CR0_HIGH (UINT64_MAX << 32)
#define CR3_LOW UINT64_C(0xfff)
#define LMSW_LOADED (CONTROL_FLAG(CR0, MP) | CONTROL_FLAG(CR0, EM) | CONTROL_FLAG(CR0, TS))

const struct control_flag control_flags[] = {
#define CONTROL_FLAG_ROW(reg, name, bit, fixed) {#name, CONTROL_##reg, bit, fixed},
	CONTROL_FLAGS(CONTROL_FLAG_ROW)
#undef CONTROL_FLAG_ROW
	{"ET", CONTROL_CR0, 4, "no load changes it"},
};
const size_t control_flag_count = sizeof(control_flags) / sizeof(control_flags[0]);

static uint64_t all_flags(enum control_register wanted)
{
	uint64_t flags = 0;

#define CONTROL_FLAG_OF(reg, name, bit, fixed) \
	flags |= wanted == CONTROL_##reg ? CONTROL_FLAG(reg, name) : 0;
	CONTROL_FLAGS(CONTROL_FLAG_OF)
#undef CONTROL_FLAG_OF
	return flags;
}

uint64_t control_writable(const struct control_state *state)
{
	uint64_t flags = all_flags(state->reg);

	return state->reg == CONTROL_CR4 ? flags & state->context.cr4_supported : flags;
}

/* Bits that must not be set. The reserved bits of CR0 below bit 32 are not among them: attempts to
 * set them have no effect (Intel SDM volume 2B, MOV to control registers). */
static uint64_t reserved(const struct control_state *state)
{
	return state->reg == CONTROL_CR4 ? ~control_writable(state) : CR0_HIGH;
}

/* A write of the register under judgement: bits that are set, cleared and changed by it. */
struct change {
	const struct control_context *context;
	uint64_t after, written;
	uint64_t set, cleared;
	uint64_t reserved;
	uint64_t fixed; /* flags that must stay 1 */
};

static bool sets_reserved(const struct change *change)
{
	return change->after & change->reserved;
}

static bool pg_without_pe(const struct change *change)
{
	return change->after & CONTROL_FLAG(CR0, PG) && !(change->after & CONTROL_FLAG(CR0, PE));
}

static bool nw_without_cd(const struct change *change)
{
	return change->after & CONTROL_FLAG(CR0, NW) && !(change->after & CONTROL_FLAG(CR0, CD));
}

static bool pg_without_pae(const struct change *change)
{
	return change->after & CONTROL_FLAG(CR0, PG) && change->context->lme &&
	       !(change->context->other & CONTROL_FLAG(CR4, PAE));
}

static bool pg_set_in_64_bit_cs(const struct change *change)
{
	return change->set & CONTROL_FLAG(CR0, PG) && change->context->lme && change->context->cs_l;
}

static bool pg_cleared_in_64_bit_mode(const struct change *change)
{
	return change->cleared & CONTROL_FLAG(CR0, PG) && change->context->lma && change->context->cs_l;
}

static bool pg_cleared_with_pcide(const struct change *change)
{
	return change->cleared & CONTROL_FLAG(CR0, PG) && change->context->other & CONTROL_FLAG(CR4, PCIDE);
}

static bool wp_clear_with_cet(const struct change *change)
{
	return !(change->after & CONTROL_FLAG(CR0, WP)) && change->context->other & CONTROL_FLAG(CR4, CET);
}

static bool clears_fixed(const struct change *change)
{
	return ~change->after & change->fixed & change->written;
}

static bool sets_fixed(const struct change *change)
{
	return change->after & ~change->context->fixed1 & change->written;
}

static bool pae_cleared(const struct change *change)
{
	return change->cleared & CONTROL_FLAG(CR4, PAE) && change->context->lma;
}

static bool la57_changed(const struct change *change)
{
	return (change->set | change->cleared) & CONTROL_FLAG(CR4, LA57) && change->context->lma;
}

static bool pcide_outside_ia32e(const struct change *change)
{
	return change->set & CONTROL_FLAG(CR4, PCIDE) && !change->context->lma;
}

static bool pcide_with_cr3(const struct change *change)
{
	return change->set & CONTROL_FLAG(CR4, PCIDE) && change->context->cr3 & CR3_LOW;
}

static bool cet_without_wp(const struct change *change)
{
	return change->after & CONTROL_FLAG(CR4, CET) && !(change->context->other & CONTROL_FLAG(CR0, WP));
}

static const struct rule {
	enum control_register reg;
	uint64_t flags;
	bool (*test)(const struct change *change);
	const char *text;
} rules[CONTROL_FAULT_COUNT] = {
	[CONTROL_LEGAL] = {CONTROL_REGISTER_INVALID, 0, NULL, "the value is legal"},
#define CONTROL_FAULT_ROW(name, reg, test, flags, text) \
	[CONTROL_FAULT_##name] = {CONTROL_##reg, flags, test, text},
	CONTROL_FAULTS(CONTROL_FAULT_ROW)
#undef CONTROL_FAULT_ROW
};

enum control_fault control_check(const struct control_state *state, uint64_t value,
				 uint64_t written)
{
	const struct control_context *context = &state->context;
	bool exempt = state->reg == CONTROL_CR0 && context->unrestricted_guest;
	struct change change = {
		.context = context,
		.after = value,
		.written = written,
		.set = value & ~state->value,
		.cleared = ~value & state->value,
		.reserved = reserved(state),
		.fixed = context->fixed0 &
			 ~(exempt ? CONTROL_FLAG(CR0, PE) | CONTROL_FLAG(CR0, PG) : 0),
	};

	for (int i = CONTROL_LEGAL + 1; i < CONTROL_FAULT_COUNT; i++) {
		const struct rule *rule = &rules[i];

		if (rule->reg == state->reg && (rule->flags == 0 || rule->flags & written) &&
		    rule->test(&change))
			return (enum control_fault)i;
	}
	return CONTROL_LEGAL;
}

static uint64_t low_bits(uint64_t value, unsigned width)
{
	return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

/* Flags that an instruction writes, and the value that it gives them. Clearing PE is no write of
 * LMSW: it is ignored without a fault (Intel SDM volume 3C, 26.3). */
static uint64_t written_flags(const struct control_state *state,
			      const struct control_operation *operation, uint64_t *ret_value)
{
	switch (operation->insn) {
	case CONTROL_CLTS:
		*ret_value = 0;
		return CONTROL_FLAG(CR0, TS);
	case CONTROL_LMSW:
		*ret_value = operation->operand & (LMSW_LOADED | CONTROL_FLAG(CR0, PE));
		return LMSW_LOADED | (*ret_value & CONTROL_FLAG(CR0, PE));
	default:
		*ret_value = low_bits(operation->operand, operation->width);
		return control_writable(state);
	}
}

/* What is no writable flag reads from the register. */
static uint64_t seen_value(const struct control_state *state, const struct flags_decision *read)
{
	return (state->value & ~read->in_shadow) | (state->shadow & read->in_shadow);
}

/* Ends a write: either everything happens or nothing. */
static void finish(const struct control_state *state, uint64_t written,
		   struct control_result *result)
{
	uint64_t value = result->value | (result->wanted & reserved(state));

	result->fault = control_check(state, value, written);
	if (result->fault != CONTROL_LEGAL) {
		result->value = state->value;
		result->shadow = state->shadow;
	}
}

static uint64_t replace(uint64_t value, uint64_t flags, uint64_t by)
{
	return (value & ~flags) | (by & flags);
}

static void execute_write(const struct control_state *state,
			  const struct control_operation *operation,
			  struct control_result *result)
{
	uint64_t set = written_flags(state, operation, &result->wanted);

	result->decision = flags_row(state->embodiment)->write(state->words, set);
	result->value = replace(state->value, result->decision.in_register, result->wanted);
	result->shadow = replace(state->shadow, result->decision.in_shadow, result->wanted);
	result->ask = (result->seen ^ result->wanted) & result->decision.ask;
	if (result->ask == 0)
		finish(state, result->decision.in_register, result);
}

static void execute_read(const struct control_operation *operation,
			 const struct flags_decision *read, struct control_result *result)
{
	result->decision = *read;
	/* A 16-bit destination keeps its upper bits, a 32-bit one loses them. */
	result->destination =
		operation->width == 16
			? replace(operation->operand, low_bits(UINT64_MAX, 16), result->seen)
			: low_bits(result->seen, operation->width);
}

static bool width_exists(const struct control_operation *operation)
{
	switch (operation->insn) {
	case CONTROL_MOV_TO:
	case CONTROL_MOV_FROM:
		return operation->width == 32 || operation->width == 64;
	case CONTROL_SMSW:
		return operation->width == 16 || operation->width == 32 || operation->width == 64;
	default:
		return true;
	}
}

struct control_result control_execute(const struct control_state *state,
				      const struct control_operation *operation)
{
	const struct flags_row *row = flags_row(state->embodiment);
	struct flags_decision read;
	struct control_result result;

	assert(row != NULL && width_exists(operation));
	assert(state->reg == CONTROL_CR0 || operation->insn == CONTROL_MOV_TO ||
	       operation->insn == CONTROL_MOV_FROM);
	read = row->read(state->words, control_writable(state));
	result = (struct control_result){
		.seen = seen_value(state, &read),
		.value = state->value,
		.shadow = state->shadow,
		.fault = CONTROL_LEGAL,
	};
	if (operation->insn == CONTROL_MOV_FROM || operation->insn == CONTROL_SMSW)
		execute_read(operation, &read, &result);
	else
		execute_write(state, operation, &result);
	return result;
}

struct control_result control_answer(const struct control_state *state,
				     const struct control_result *asked, uint64_t to_register)
{
	struct control_result result = *asked;
	uint64_t loaded = asked->ask & to_register;

	result.value = replace(asked->value, loaded, asked->wanted);
	result.shadow = replace(asked->shadow, asked->ask & ~to_register, asked->wanted);
	result.ask = 0;
	finish(state, asked->decision.in_register | loaded, &result);
	return result;
}

const char *control_fault_text(enum control_fault fault)
{
	return (unsigned)fault < CONTROL_FAULT_COUNT ? rules[fault].text : NULL;
}
