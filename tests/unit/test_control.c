/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions on control registers against a reference that takes one flag at a time. */
#include "cmocka_prelude.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "flags.h"

#define BIT(n) (UINT64_C(1) << (n))

/* Typed from the manual a second time. */
#define PE BIT(0)
#define MP BIT(1)
#define EM BIT(2)
#define TS BIT(3)
#define ET BIT(4)
#define NE BIT(5)
#define WP BIT(16)
#define NW BIT(29)
#define CD BIT(30)
#define PG BIT(31)
#define PAE BIT(5)
#define LA57 BIT(12)
#define VMXE BIT(13)
#define PCIDE BIT(17)
#define CET BIT(23)

#define CR0_WRITABLE UINT64_C(0xe005002f)
#define CR4_WRITABLE UINT64_C(0x113ff7fff)

/* A state, with owned and kept flags as they are meant. */
struct scenario {
	struct control_state state;
	uint64_t owned, kept;
};

static uint64_t writable_of(const struct control_state *state)
{
	return state->reg == CONTROL_CR0 ? CR0_WRITABLE
					 : CR4_WRITABLE & state->context.cr4_supported;
}

/* Says in words what is meant, contradictory or not. */
static void set_words(struct scenario *scenario)
{
	uint64_t *words = scenario->state.words;

	words[0] = words[1] = 0;
	if (scenario->state.embodiment == FLAGS_PAIRS) {
		for (unsigned n = 0; n < 32; n++)
			words[0] |= (scenario->owned >> n & 1) << (2 * n) |
				    (scenario->kept >> n & 1) << (2 * n + 1);
		return;
	}
	words[0] = scenario->owned;
	if (scenario->state.embodiment != FLAGS_SINGLE)
		words[1] = scenario->kept;
}

static bool is(uint64_t word, unsigned n)
{
	return word >> n & 1;
}

static void put(uint64_t *word, unsigned n, bool value)
{
	*word = (*word & ~BIT(n)) | (value ? BIT(n) : 0);
}

/* Kept in the shadow location: read from there. Else read from the register. */
static uint64_t slow_seen(const struct scenario *scenario)
{
	const struct control_state *state = &scenario->state;
	uint64_t seen = 0, writable = writable_of(state);

	for (unsigned n = 0; n < 64; n++) {
		bool owned = is(scenario->owned, n), from_shadow = is(scenario->kept, n);

		if (state->reading == FLAGS_READ_BY_OWNED ||
		    (state->embodiment == FLAGS_ON_DEMAND && owned))
			from_shadow = !owned;
		if (!is(writable, n))
			from_shadow = false;
		put(&seen, n, is(from_shadow ? state->shadow : state->value, n));
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
		if (after & ~writable_of(state))
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
		if (is(written, n) && is(fixed0, n) && !is(after, n))
			return cr0 ? CONTROL_FAULT_CR0_FIXED_TO_1 : CONTROL_FAULT_CR4_FIXED_TO_1;
	for (unsigned n = 0; n < 64; n++)
		if (is(written, n) && !is(context->fixed1, n) && is(after, n))
			return cr0 ? CONTROL_FAULT_CR0_FIXED_TO_0 : CONTROL_FAULT_CR4_FIXED_TO_0;
	return CONTROL_LEGAL;
}

static bool is_written(enum control_insn insn, uint64_t writable, uint64_t operand, unsigned n)
{
	switch (insn) {
	case CONTROL_MOV_TO:
		return is(writable, n);
	case CONTROL_CLTS:
		return n == 3;
	case CONTROL_LMSW:
		return (n == 0 && is(operand, 0)) || (n >= 1 && n <= 3);
	default:
		return false;
	}
}

/* Owned: the register. Not owned, but kept: the shadow location. Neither: the VMM. */
static struct control_result slow_write(const struct scenario *scenario,
					const struct control_operation *operation)
{
	const struct control_state *state = &scenario->state;
	struct control_result result = {.seen = slow_seen(scenario), .value = state->value,
					.shadow = state->shadow, .fault = CONTROL_LEGAL};
	uint64_t operand = operation->insn == CONTROL_CLTS ? 0 : operation->operand;
	uint64_t to_register = 0, after;

	if (operation->width == 32)
		operand &= UINT32_MAX;
	for (unsigned n = 0; n < 64; n++) {
		if (!is_written(operation->insn, writable_of(state), operand, n))
			continue;
		if (is(scenario->owned, n)) {
			put(&result.value, n, is(operand, n));
			to_register |= BIT(n);
		} else if (is(scenario->kept, n)) {
			put(&result.shadow, n, is(operand, n));
		} else if (is(operand, n) != is(result.seen, n)) {
			result.ask |= BIT(n);
		}
	}
	if (result.ask)
		return result;
	after = result.value;
	/* Bits that nobody can own go to the register, which refuses them. */
	if (operation->insn == CONTROL_MOV_TO)
		after |= operand & (state->reg == CONTROL_CR0 ? UINT64_MAX << 32
							       : ~writable_of(state));
	result.fault = slow_fault(state, after, to_register);
	if (result.fault != CONTROL_LEGAL) {
		result.value = state->value;
		result.shadow = state->shadow;
	}
	return result;
}

static struct control_result slow_read(const struct scenario *scenario,
				       const struct control_operation *operation)
{
	struct control_result result = {.seen = slow_seen(scenario),
					.value = scenario->state.value,
					.shadow = scenario->state.shadow, .fault = CONTROL_LEGAL};

	result.destination = operation->operand;
	for (unsigned n = 0; n < 64; n++)
		if (n < operation->width)
			put(&result.destination, n, is(result.seen, n));
		else if (operation->width == 32)
			put(&result.destination, n, false);
	return result;
}

static struct control_result compare(const struct scenario *scenario,
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

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const struct control_context legacy = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX};

/* 64-bit code in VMX operation, on a processor without LAM and FRED. */
static struct control_context long_mode(enum control_register reg)
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

static void every_insn(const struct scenario *scenario, uint64_t operand)
{
	static const struct {
		enum control_insn insn;
		unsigned width;
		bool cr4;
	} rows[] = {
		{CONTROL_MOV_TO, 64, true},  {CONTROL_MOV_FROM, 64, true}, {CONTROL_CLTS, 0, false},
		{CONTROL_LMSW, 0, false},    {CONTROL_SMSW, 64, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct control_operation operation = {rows[i].insn, rows[i].width, operand};

		if (scenario->state.reg == CONTROL_CR0 || rows[i].cr4)
			compare(scenario, &operation);
	}
}

static uint64_t at(unsigned number, unsigned a, unsigned b)
{
	return (number & 1 ? BIT(a) : 0) | (number & 2 ? BIT(b) : 0);
}

/* One entry of the truth table of two flags: owned, kept, shadow, register and written value of each.
 * The other flags are written as they are. */
static void entry(struct scenario *scenario, unsigned combination, unsigned a, unsigned b,
		  uint64_t base)
{
	uint64_t set = BIT(a) | BIT(b), kept = at(combination >> 2, a, b);
	uint64_t rest = writable_of(&scenario->state) & ~set;
	enum flags_embodiment embodiment = scenario->state.embodiment;

	scenario->owned = at(combination, a, b) | rest;
	scenario->kept = kept;
	/* A pair has no place for bit 32. */
	if (embodiment == FLAGS_PAIRS) {
		scenario->owned &= UINT32_MAX;
		scenario->kept &= UINT32_MAX;
	}
	if (embodiment == FLAGS_SINGLE) {
		if (kept != (set & ~scenario->owned))
			return;
	}
	scenario->state.shadow = at(combination >> 4, a, b);
	scenario->state.value = (base & ~set) | at(combination >> 6, a, b);
	set_words(scenario);
	every_insn(scenario, (base & ~set) | at(combination >> 8, a, b));
}

static void truth_table(enum control_register reg, unsigned a, unsigned b)
{
	for (int e = FLAGS_TWO_WORDS; e < FLAGS_EMBODIMENT_COUNT; e++)
		for (int r = FLAGS_READ_BY_KEPT; r < FLAGS_READING_COUNT; r++)
			for (unsigned combination = 0; combination < 1024; combination++) {
				struct scenario scenario = {
					.state = {.reg = reg, .embodiment = (enum flags_embodiment)e,
						  .reading = (enum flags_reading)r,
						  .context = legacy}};
				bool cr0 = reg == CONTROL_CR0;

				entry(&scenario, combination, a, b, cr0 ? PE | ET : 0);
				scenario.state.context = long_mode(reg);
				entry(&scenario, combination, a, b,
				      cr0 ? PE | ET | NE | WP | PG : PAE | VMXE);
			}
}

static void every_pair(enum control_register reg)
{
	uint64_t writable = reg == CONTROL_CR0 ? CR0_WRITABLE : CR4_WRITABLE;

	for (unsigned a = 0; a < 64; a++)
		for (unsigned b = 0; b <= a; b++)
			if (is(writable, a) && is(writable, b))
				truth_table(reg, a, b);
}

static void pairs_of_cr0(void **state)
{
	(void)state;
	every_pair(CONTROL_CR0);
}

static void pairs_of_cr4(void **state)
{
	(void)state;
	every_pair(CONTROL_CR4);
}

/* All words at once, random; half of the writes change few flags. */
static void random_scenarios(void **state)
{
	static const unsigned mov[] = {32, 64}, smsw[] = {16, 32, 64};
	uint64_t seed = 0xcafe;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct scenario scenario = {
			.state = {.reg = i & 1 ? CONTROL_CR4 : CONTROL_CR0,
				  .embodiment = (enum flags_embodiment)(FLAGS_TWO_WORDS + (i >> 1) % 4),
				  .reading = i >> 3 & 1 ? FLAGS_READ_BY_KEPT : FLAGS_READ_BY_OWNED,
				  .shadow = next(&seed)}};
		uint64_t writable, operand, rest = next(&seed);
		struct control_operation operation;

		scenario.state.context = legacy;
		if (rest & 1)
			scenario.state.context = long_mode(scenario.state.reg);
		scenario.state.context.unrestricted_guest = rest & 2;
		scenario.state.context.other ^= rest & 4 ? WP | CET | PCIDE | PAE : 0;
		scenario.state.context.cr3 |= rest >> 3 & 1;
		writable = writable_of(&scenario.state);
		scenario.owned = next(&seed) & writable;
		scenario.kept = next(&seed) & writable;
		if (rest & 16)
			scenario.kept |= writable & ~scenario.owned;
		if (scenario.state.embodiment == FLAGS_PAIRS) {
			scenario.owned &= UINT32_MAX;
			scenario.kept &= UINT32_MAX;
		}
		if (scenario.state.embodiment == FLAGS_SINGLE)
			scenario.kept = writable & ~scenario.owned;
		set_words(&scenario);
		scenario.state.value = next(&seed) & writable;
		if (scenario.state.reg == CONTROL_CR0)
			scenario.state.value |= ET;
		operand = rest & 32 ? next(&seed) : slow_seen(&scenario) ^ BIT(next(&seed) % 34);
		for (size_t w = 0; w < ARRAY_SIZE(mov); w++) {
			operation = (struct control_operation){CONTROL_MOV_TO, mov[w], operand};
			compare(&scenario, &operation);
			operation.insn = CONTROL_MOV_FROM;
			compare(&scenario, &operation);
		}
		if (scenario.state.reg == CONTROL_CR4)
			continue;
		for (size_t w = 0; w < ARRAY_SIZE(smsw); w++) {
			operation = (struct control_operation){CONTROL_SMSW, smsw[w], operand};
			compare(&scenario, &operation);
		}
		operation = (struct control_operation){CONTROL_LMSW, 0, operand};
		compare(&scenario, &operation);
		operation.insn = CONTROL_CLTS;
		compare(&scenario, &operation);
	}
}

/* A scenario of two words for CR0 in legacy mode. */
static struct scenario cr0_scenario(uint64_t owned, uint64_t kept, uint64_t shadow, uint64_t value)
{
	struct scenario scenario = {
		.state = {.reg = CONTROL_CR0, .embodiment = FLAGS_TWO_WORDS,
			  .reading = FLAGS_READ_BY_OWNED, .shadow = shadow, .value = value,
			  .context = legacy},
		.owned = owned, .kept = kept};

	set_words(&scenario);
	return scenario;
}

static struct control_result run(const struct scenario *scenario, enum control_insn insn,
				 uint64_t operand)
{
	const struct control_operation operation = {insn, 64, operand};

	return compare(scenario, &operation);
}

/* Whoever has PE, and whatever bits the source has: what was set stays set. */
static void lmsw_keeps_pe(void **state)
{
	(void)state;
	for (unsigned place = 0; place < 3; place++)
		for (unsigned before = 0; before < 4; before++)
			for (uint64_t operand = 0; operand < 0x10000; operand++) {
				uint64_t rest = CR0_WRITABLE & ~PE;
				struct scenario scenario = cr0_scenario(
					place == 0 ? CR0_WRITABLE : rest, place == 1 ? PE : 0,
					before & 1 ? PE : 0, (before & 2 ? PE : 0) | ET | TS | NE);
				struct control_operation operation = {CONTROL_LMSW, 0, operand};
				struct control_result got =
					control_execute(&scenario.state, &operation);
				bool sets = operand & 1 && !(got.seen & PE);

				assert_int_equal(got.fault, CONTROL_LEGAL);
				assert_int_equal(got.value & PE,
						 place == 0 ? (before >> 1 & 1) | (operand & 1)
							    : before >> 1 & 1);
				assert_int_equal(got.shadow & PE,
						 place == 1 ? (before & 1) | (operand & 1)
							    : before & 1);
				assert_int_equal(got.ask, place == 2 && sets ? PE : 0);
				/* Bits 15:4 of the source do nothing, bits 3:1 are loaded. */
				assert_int_equal(got.value & ~PE,
						 (operand & 0xe) | ET | NE);
			}
}

static void clts_touches_ts(void **state)
{
	uint64_t seed = 0xc175;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t owned = next(&seed) & CR0_WRITABLE;
		uint64_t kept = next(&seed) & CR0_WRITABLE & ~owned;
		struct scenario scenario =
			cr0_scenario(owned, kept, next(&seed), next(&seed) & CR0_WRITABLE);
		struct control_result got = run(&scenario, CONTROL_CLTS, next(&seed));
		const struct control_state *before = &scenario.state;

		assert_int_equal(got.fault, CONTROL_LEGAL);
		assert_int_equal(got.value, before->value & ~(owned & TS));
		assert_int_equal(got.shadow, before->shadow & ~(kept & TS));
		assert_int_equal(got.ask, before->shadow & TS & ~owned & ~kept);
	}
}

/* Only two readings tell a flag apart that is neither owned nor kept. */
static void readings(void **state)
{
	struct scenario scenario = cr0_scenario(PE, MP, MP | TS, PE | ET | EM);

	(void)state;
	assert_int_equal(run(&scenario, CONTROL_MOV_FROM, 0).destination, PE | MP | TS | ET);
	scenario.state.reading = FLAGS_READ_BY_KEPT;
	assert_int_equal(run(&scenario, CONTROL_MOV_FROM, 0).destination, PE | MP | EM | ET);
	/* Who is asked follows what the guest has seen. */
	assert_int_equal(run(&scenario, CONTROL_MOV_TO, PE | MP | TS).ask, EM | TS);
	scenario.state.reading = FLAGS_READ_BY_OWNED;
	assert_int_equal(run(&scenario, CONTROL_MOV_TO, PE | MP | TS).ask, 0);
}

static void widths(void **state)
{
	struct scenario scenario = cr0_scenario(CR0_WRITABLE, 0, 0, PG | WP | NE | ET | PE);
	const uint64_t old = UINT64_C(0x1122334455667788);
	static const struct {
		enum control_insn insn;
		unsigned width;
		uint64_t destination;
	} rows[] = {
		{CONTROL_MOV_FROM, 32, 0x80010031},
		{CONTROL_MOV_FROM, 64, 0x80010031},
		{CONTROL_SMSW, 16, 0x1122334455660031},
		{CONTROL_SMSW, 32, 0x80010031},
		{CONTROL_SMSW, 64, 0x80010031},
	};
	struct control_operation operation;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		operation = (struct control_operation){rows[i].insn, rows[i].width, old};
		assert_int_equal(compare(&scenario, &operation).destination, rows[i].destination);
	}
	/* A 32-bit source has no bits 63:32 to refuse. */
	operation = (struct control_operation){CONTROL_MOV_TO, 32, BIT(40) | PE | ET};
	assert_int_equal(compare(&scenario, &operation).value, PE | ET);
	operation.width = 64;
	assert_int_equal(compare(&scenario, &operation).fault, CONTROL_FAULT_CR0_RESERVED);
	/* The upper half of CR4 is seen by wide reads only. */
	scenario.state.reg = CONTROL_CR4;
	scenario.owned = scenario.state.words[0] = CR4_WRITABLE;
	scenario.state.value = BIT(32) | PAE;
	operation = (struct control_operation){CONTROL_MOV_FROM, 64, old};
	assert_int_equal(compare(&scenario, &operation).destination, BIT(32) | PAE);
	operation.width = 32;
	assert_int_equal(compare(&scenario, &operation).destination, PAE);
}

/* Attempts to set reserved bits of CR0 below bit 32, or to clear ET, have no impact. */
static void cr0_without_effect(void **state)
{
	struct scenario scenario = cr0_scenario(CR0_WRITABLE, 0, 0, PE | ET);

	(void)state;
	for (unsigned n = 0; n < 64; n++) {
		struct control_result got;

		if (CR0_WRITABLE & BIT(n))
			continue;
		got = run(&scenario, CONTROL_MOV_TO, PE | BIT(n));
		assert_int_equal(got.fault, n < 32 ? CONTROL_LEGAL : CONTROL_FAULT_CR0_RESERVED);
		assert_int_equal(got.value, PE | ET);
		assert_int_equal(got.ask, 0);
	}
}

/* Each rule, just broken and just kept, in a guest that owns every flag. */
static void illegal_values(void **state)
{
	static const struct control_context
		lme = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true},
		lme_cs_l = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true,
			    .cs_l = true, .other = PAE},
		lme_pae = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true,
			   .other = PAE},
		in_64 = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true, .lma = true,
			 .cs_l = true, .other = PAE},
		in_32e = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true,
			  .lma = true, .other = PAE},
		pcide = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lme = true, .lma = true,
			 .other = PAE | PCIDE},
		cet = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .other = CET},
		vmx = {.cr4_supported = UINT64_MAX, .fixed0 = PE | NE | PG, .fixed1 = UINT32_MAX},
		vmx_no_am = {.cr4_supported = UINT64_MAX, .fixed1 = ~BIT(18)},
		unrestricted = {.cr4_supported = UINT64_MAX, .fixed0 = PE | NE | PG,
				.fixed1 = UINT32_MAX, .unrestricted_guest = true},
		old_cpu = {.cr4_supported = 0x7ff, .fixed1 = UINT64_MAX},
		with_wp = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .other = WP},
		cr3 = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lma = true, .cr3 = 0x1001},
		lma = {.cr4_supported = UINT64_MAX, .fixed1 = UINT64_MAX, .lma = true, .cr3 = 0x1000},
		cr4_vmx = {.cr4_supported = UINT64_MAX, .fixed0 = VMXE, .fixed1 = VMXE | PAE},
		cr4_unrestricted = {.cr4_supported = UINT64_MAX, .fixed0 = PE, .fixed1 = UINT64_MAX,
				    .unrestricted_guest = true};
	static const struct {
		enum control_register reg;
		const struct control_context *context;
		uint64_t before, operand;
		enum control_fault fault;
	} rows[] = {
		{CONTROL_CR0, &legacy, PE, BIT(63) | PE, CONTROL_FAULT_CR0_RESERVED},
		{CONTROL_CR0, &legacy, PE, PG, CONTROL_FAULT_PG_WITHOUT_PE},
		{CONTROL_CR0, &legacy, 0, PG | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &legacy, PE, NW | PE, CONTROL_FAULT_NW_WITHOUT_CD},
		{CONTROL_CR0, &legacy, PE, NW | CD | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &legacy, PE, CD | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &lme, PE, PG | PE, CONTROL_FAULT_PG_WITHOUT_PAE},
		{CONTROL_CR0, &lme_pae, PE, PG | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &lme_cs_l, PE, PG | PE, CONTROL_FAULT_PG_SET_IN_64_BIT_CS},
		{CONTROL_CR0, &in_64, PG | PE, PE, CONTROL_FAULT_PG_CLEARED_IN_64_BIT_MODE},
		{CONTROL_CR0, &in_64, PG | PE, PG | PE | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &in_32e, PG | PE, PE, CONTROL_LEGAL},
		{CONTROL_CR0, &pcide, PG | PE, PE, CONTROL_FAULT_PG_CLEARED_WITH_PCIDE},
		{CONTROL_CR0, &cet, WP | PE, PE, CONTROL_FAULT_WP_CLEAR_WITH_CET},
		{CONTROL_CR0, &cet, WP | PE, WP | PE | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &legacy, WP | PE, PE, CONTROL_LEGAL},
		{CONTROL_CR0, &vmx, PE | NE | PG, PE | PG, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &vmx, PE | NE | PG, NE, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &vmx, PE | NE | PG, PE | NE | PG | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &unrestricted, PE | NE | PG, NE, CONTROL_LEGAL},
		{CONTROL_CR0, &unrestricted, PE | NE | PG, PE, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &unrestricted, PE | NE, NE | PG, CONTROL_FAULT_PG_WITHOUT_PE},
		{CONTROL_CR0, &vmx_no_am, PE, PE | BIT(18), CONTROL_FAULT_CR0_FIXED_TO_0},
		{CONTROL_CR4, &legacy, 0, BIT(15), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &legacy, 0, BIT(63), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &old_cpu, 0, BIT(11), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &old_cpu, 0, 0x7ff, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, 0, CONTROL_FAULT_PAE_CLEARED},
		{CONTROL_CR4, &legacy, PAE, 0, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, PAE | LA57, CONTROL_FAULT_LA57_CHANGED},
		{CONTROL_CR4, &lma, PAE | LA57, PAE, CONTROL_FAULT_LA57_CHANGED},
		{CONTROL_CR4, &lma, PAE | LA57, PAE | LA57, CONTROL_LEGAL},
		{CONTROL_CR4, &legacy, PAE, PAE | LA57, CONTROL_LEGAL},
		{CONTROL_CR4, &legacy, PAE, PAE | PCIDE, CONTROL_FAULT_PCIDE_OUTSIDE_IA32E},
		{CONTROL_CR4, &cr3, PAE, PAE | PCIDE, CONTROL_FAULT_PCIDE_WITH_CR3},
		{CONTROL_CR4, &cr3, PAE | PCIDE, PAE | PCIDE, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, PAE | PCIDE, CONTROL_LEGAL},
		{CONTROL_CR4, &legacy, PAE, PAE | CET, CONTROL_FAULT_CET_WITHOUT_WP},
		{CONTROL_CR4, &with_wp, PAE, PAE | CET, CONTROL_LEGAL},
		{CONTROL_CR4, &cr4_vmx, VMXE, PAE, CONTROL_FAULT_CR4_FIXED_TO_1},
		{CONTROL_CR4, &cr4_vmx, VMXE, VMXE | BIT(7), CONTROL_FAULT_CR4_FIXED_TO_0},
		{CONTROL_CR4, &cr4_vmx, VMXE, VMXE | PAE, CONTROL_LEGAL},
		{CONTROL_CR4, &cr4_unrestricted, PE, 0, CONTROL_FAULT_CR4_FIXED_TO_1},
	};
	bool met[CONTROL_FAULT_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scenario scenario = cr0_scenario(0, 0, 0xaa, rows[i].before);
		struct control_result got;

		scenario.state.reg = rows[i].reg;
		scenario.state.context = *rows[i].context;
		scenario.owned = scenario.state.words[0] = writable_of(&scenario.state);
		got = run(&scenario, CONTROL_MOV_TO, rows[i].operand);
		assert_int_equal(got.fault, rows[i].fault);
		assert_int_equal(got.value, rows[i].fault == CONTROL_LEGAL ? rows[i].operand
									  : rows[i].before);
		assert_int_equal(got.shadow, 0xaa);
		met[got.fault] = true;
	}
	for (int i = CONTROL_LEGAL; i < CONTROL_FAULT_COUNT; i++)
		assert_true(met[i]);
}

/* A flag in the shadow location breaks no rule of the register. A fault leaves the shadow alone. */
static void faults_and_shadow(void **state)
{
	struct scenario scenario = cr0_scenario(CR0_WRITABLE & ~PG, PG, 0, PE | ET);
	struct control_result got = run(&scenario, CONTROL_MOV_TO, PG);

	(void)state;
	assert_int_equal(got.fault, CONTROL_LEGAL);
	assert_int_equal(got.shadow, PG);
	assert_int_equal(got.value, ET);
	/* The real PG needs the real PE, whatever the guest sees. */
	scenario.state.value |= PG;
	got = run(&scenario, CONTROL_MOV_TO, PG);
	assert_int_equal(got.fault, CONTROL_FAULT_PG_WITHOUT_PE);
	assert_int_equal(got.shadow, 0);
	assert_int_equal(got.value, PG | PE | ET);
	/* CLTS where TS is fixed, LMSW where MP is. */
	scenario = cr0_scenario(CR0_WRITABLE, 0, 0, TS | MP | PE);
	scenario.state.context.fixed0 = TS;
	assert_int_equal(run(&scenario, CONTROL_CLTS, 0).fault, CONTROL_FAULT_CR0_FIXED_TO_1);
	scenario.state.context.fixed0 = MP;
	assert_int_equal(run(&scenario, CONTROL_LMSW, TS).fault, CONTROL_FAULT_CR0_FIXED_TO_1);
	/* To clear PE is ignored without a fault. */
	scenario.state.context.fixed0 = PE;
	assert_int_equal(run(&scenario, CONTROL_LMSW, 0).fault, CONTROL_LEGAL);
}

/* The exit comes first, the #GP with the answer. */
static void answers(void **state)
{
	struct scenario scenario = cr0_scenario(CR0_WRITABLE & ~(PE | TS | MP), MP, 0, ET);
	struct control_result asked = run(&scenario, CONTROL_MOV_TO, PG | PE | TS | MP), got;

	(void)state;
	assert_int_equal(asked.ask, PE | TS);
	assert_int_equal(asked.fault, CONTROL_LEGAL);
	got = control_answer(&scenario.state, &asked, PE);
	assert_int_equal(got.fault, CONTROL_LEGAL);
	assert_int_equal(got.value, PG | PE | ET);
	assert_int_equal(got.shadow, TS | MP);
	assert_int_equal(got.ask, 0);
	got = control_answer(&scenario.state, &asked, UINT64_MAX);
	assert_int_equal(got.value, PG | PE | TS | ET);
	assert_int_equal(got.shadow, MP);
	/* With PE in the shadow, PG is on its own: nothing happens at all. */
	got = control_answer(&scenario.state, &asked, TS);
	assert_int_equal(got.fault, CONTROL_FAULT_PG_WITHOUT_PE);
	assert_int_equal(got.value, ET);
	assert_int_equal(got.shadow, 0);
	/* A flag that only the answer writes to the register obeys the rules too. */
	scenario.state.context.fixed1 = ~TS;
	got = control_answer(&scenario.state, &asked, PE | TS);
	assert_int_equal(got.fault, CONTROL_FAULT_CR0_FIXED_TO_0);
	asked = run(&scenario, CONTROL_MOV_TO, BIT(32) | PE);
	assert_int_equal(asked.ask, PE);
	assert_int_equal(asked.fault, CONTROL_LEGAL);
	assert_int_equal(control_answer(&scenario.state, &asked, 0).fault,
			 CONTROL_FAULT_CR0_RESERVED);
}

static void expect_equal(const struct control_result *a, const struct control_result *b)
{
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->destination, b->destination);
	assert_int_equal(a->value, b->value);
	assert_int_equal(a->shadow, b->shadow);
	assert_int_equal(a->ask, b->ask);
	assert_int_equal(a->fault, b->fault);
}

/* Where an embodiment can say what the two words say, nobody can tell them apart, and code that has
 * only flags.h comes to the same result. */
static void embodiments_agree(void **state)
{
	uint64_t seed = 0xa9ee;
	unsigned expressed[FLAGS_EMBODIMENT_COUNT] = {0};

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		uint64_t owned = next(&seed) & CR0_WRITABLE, operand = (uint32_t)next(&seed) | ET;
		uint64_t kept = (i & 1 ? UINT64_MAX : next(&seed)) & CR0_WRITABLE & ~owned;
		struct scenario scenario =
			cr0_scenario(owned, kept, next(&seed), (next(&seed) & CR0_WRITABLE) | ET);
		struct flag_words words = {owned, kept, scenario.state.shadow, scenario.state.value};
		enum control_insn insn = (enum control_insn)(CONTROL_MOV_TO + i % 5);
		struct control_result plain, got;

		scenario.state.reading = i & 2 ? FLAGS_READ_BY_KEPT : FLAGS_READ_BY_OWNED;
		plain = run(&scenario, insn, operand);
		for (int e = FLAGS_PAIRS; e < FLAGS_EMBODIMENT_COUNT; e++) {
			struct control_state other = scenario.state;
			struct control_operation operation = {insn, 64, operand};

			other.embodiment = (enum flags_embodiment)e;
			if (flags_encode(other.embodiment, owned, kept, CR0_WRITABLE, other.words)
				    .rule != FLAGS_RULE_VALID)
				continue;
			expressed[e]++;
			got = control_execute(&other, &operation);
			expect_equal(&got, &plain);
		}
		if (insn != CONTROL_MOV_TO || i & 2 || plain.fault != CONTROL_LEGAL)
			continue;
		assert_int_equal(flags_read(&words) & CR0_WRITABLE, plain.seen & CR0_WRITABLE);
		assert_int_equal(flags_write(&words, operand) & CR0_WRITABLE, plain.ask);
		assert_int_equal(words.value & CR0_WRITABLE, plain.value & CR0_WRITABLE);
		assert_int_equal(words.shadow & CR0_WRITABLE, plain.shadow & CR0_WRITABLE);
	}
	assert_int_equal(expressed[FLAGS_PAIRS], 40000);
	assert_int_equal(expressed[FLAGS_ON_DEMAND], 40000);
	assert_true(expressed[FLAGS_SINGLE] >= 20000 && expressed[FLAGS_SINGLE] < 40000);
}

static void tables(void **state)
{
	(void)state;
	for (int i = 1; i < CONTROL_INSN_COUNT; i++) {
		assert_true(strlen(control_insn_key((enum control_insn)i)) > 0);
		assert_true(strlen(control_insn_meaning((enum control_insn)i)) > 0);
	}
	for (int i = CONTROL_LEGAL; i < CONTROL_FAULT_COUNT; i++) {
		assert_true(strlen(control_fault_text((enum control_fault)i)) > 0);
		for (int j = CONTROL_LEGAL; j < i; j++)
			assert_string_not_equal(control_fault_key((enum control_fault)i),
						control_fault_key((enum control_fault)j));
	}
	assert_null(control_insn_key(CONTROL_INSN_INVALID));
	assert_null(control_insn_key(CONTROL_INSN_COUNT));
	assert_null(control_insn_meaning(CONTROL_INSN_COUNT));
	assert_null(control_fault_key(CONTROL_FAULT_INVALID));
	assert_null(control_fault_key(CONTROL_FAULT_COUNT));
	assert_null(control_fault_text(CONTROL_FAULT_COUNT));
}

static sigjmp_buf aborted;

static void on_abort(int number)
{
	(void)number;
	siglongjmp(aborted, 1);
}

/* Whether the call is refused as a mistake of the caller. */
static bool is_misuse(struct control_state state, struct control_operation operation)
{
	/* Of what the assertion prints. */
	const int text = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
	volatile bool misuse = true;

	assert_true(text >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
	signal(SIGABRT, on_abort);
	if (sigsetjmp(aborted, 1) == 0) {
		control_execute(&state, &operation);
		misuse = false;
	}
	signal(SIGABRT, SIG_DFL);
	dup2(text, STDERR_FILENO);
	close(text);
	close(nowhere);
	return misuse;
}

/* What no instruction is: a caller's mistake, never one of a guest. */
static void misuse(void **unused)
{
	static const struct control_state cr0 = {.reg = CONTROL_CR0,
						 .embodiment = FLAGS_TWO_WORDS};
	struct control_state cr4 = cr0, unknown = cr0;

	(void)unused;
	cr4.reg = CONTROL_CR4;
	unknown.embodiment = FLAGS_EMBODIMENT_COUNT;
	for (unsigned width = 0; width <= 65; width++) {
		const struct control_operation to = {.insn = CONTROL_MOV_TO, .width = width};
		const struct control_operation from = {.insn = CONTROL_MOV_FROM, .width = width};
		const struct control_operation smsw = {.insn = CONTROL_SMSW, .width = width};
		const bool whole = width == 32 || width == 64;

		assert_int_equal(is_misuse(cr0, to), !whole);
		assert_int_equal(is_misuse(cr0, from), !whole);
		assert_int_equal(is_misuse(cr0, smsw), !whole && width != 16);
	}
	for (enum control_insn insn = CONTROL_MOV_TO; insn < CONTROL_INSN_COUNT; insn++) {
		const struct control_operation operation = {.insn = insn, .width = 64};

		assert_true(is_misuse(unknown, operation));
		assert_int_equal(is_misuse(cr4, operation),
				 insn != CONTROL_MOV_TO && insn != CONTROL_MOV_FROM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_cr0),
		cmocka_unit_test(pairs_of_cr4),
		cmocka_unit_test(random_scenarios),
		cmocka_unit_test(lmsw_keeps_pe),
		cmocka_unit_test(clts_touches_ts),
		cmocka_unit_test(readings),
		cmocka_unit_test(widths),
		cmocka_unit_test(cr0_without_effect),
		cmocka_unit_test(illegal_values),
		cmocka_unit_test(faults_and_shadow),
		cmocka_unit_test(answers),
		cmocka_unit_test(embodiments_agree),
		cmocka_unit_test(tables),
		cmocka_unit_test(misuse),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
