/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions on control registers, one rule of the manuals or of the method at a time. */
#include "tests/unit/cmocka_prelude.h"

#include "control_reference.h"

/* Whoever has PE, and whatever bits the source has: what was set stays set. */
static void lmsw_keeps_pe(void **state)
{
	(void)state;
	for (unsigned place = 0; place < 3; place++)
		for (unsigned before = 0; before < 4; before++)
			for (uint64_t operand = 0; operand < 0x10000; operand++) {
				uint64_t rest = CR0_WRITABLE & ~PE;
				struct control_scenario scenario = reference_cr0(
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
		uint64_t owned = reference_next(&seed) & CR0_WRITABLE;
		uint64_t kept = reference_next(&seed) & CR0_WRITABLE & ~owned;
		struct control_scenario scenario =
			reference_cr0(owned, kept, reference_next(&seed), reference_next(&seed) & CR0_WRITABLE);
		struct control_result got = reference_run(&scenario, CONTROL_CLTS, reference_next(&seed));
		const struct control_state *before = &scenario.state;

		assert_int_equal(got.fault, CONTROL_LEGAL);
		assert_int_equal(got.value, before->value & ~(owned & TS));
		assert_int_equal(got.shadow, before->shadow & ~(kept & TS));
		assert_int_equal(got.ask, before->value & TS & ~owned & ~kept);
	}
}

/* A flag that is neither owned nor kept reads from the register, and who is asked follows what is seen. */
static void reads_by_kept(void **state)
{
	struct control_scenario scenario = reference_cr0(PE, MP, MP | TS, PE | ET | EM);

	(void)state;
	assert_int_equal(reference_run(&scenario, CONTROL_MOV_FROM, 0).destination, PE | MP | EM | ET);
	assert_int_equal(reference_run(&scenario, CONTROL_MOV_TO, PE | MP | TS).ask, EM | TS);
	assert_int_equal(reference_run(&scenario, CONTROL_MOV_TO, PE | MP | EM).ask, 0);
}

static void widths(void **state)
{
	struct control_scenario scenario = reference_cr0(CR0_WRITABLE, 0, 0, PG | WP | NE | ET | PE);
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
		assert_int_equal(reference_compare(&scenario, &operation).destination, rows[i].destination);
	}
	/* A 32-bit source has no bits 63:32 to refuse. */
	operation = (struct control_operation){CONTROL_MOV_TO, 32, BIT(40) | PE | ET};
	assert_int_equal(reference_compare(&scenario, &operation).value, PE | ET);
	operation.width = 64;
	assert_int_equal(reference_compare(&scenario, &operation).fault, CONTROL_FAULT_CR0_RESERVED);
	/* The upper half of CR4 is seen by wide reads only. */
	scenario.state.reg = CONTROL_CR4;
	scenario.owned = scenario.state.words[0] = CR4_WRITABLE;
	scenario.state.value = BIT(32) | PAE;
	operation = (struct control_operation){CONTROL_MOV_FROM, 64, old};
	assert_int_equal(reference_compare(&scenario, &operation).destination, BIT(32) | PAE);
	operation.width = 32;
	assert_int_equal(reference_compare(&scenario, &operation).destination, PAE);
}

/* Attempts to set reserved bits of CR0 below bit 32, or to clear ET, have no impact. */
static void cr0_without_effect(void **state)
{
	struct control_scenario scenario = reference_cr0(CR0_WRITABLE, 0, 0, PE | ET);

	(void)state;
	for (unsigned n = 0; n < 64; n++) {
		struct control_result got;

		if (CR0_WRITABLE & BIT(n))
			continue;
		got = reference_run(&scenario, CONTROL_MOV_TO, PE | BIT(n));
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
		{CONTROL_CR0, &reference_legacy, PE, BIT(63) | PE, CONTROL_FAULT_CR0_RESERVED},
		{CONTROL_CR0, &reference_legacy, PE, PG, CONTROL_FAULT_PG_WITHOUT_PE},
		{CONTROL_CR0, &reference_legacy, 0, PG | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &reference_legacy, PE, NW | PE, CONTROL_FAULT_NW_WITHOUT_CD},
		{CONTROL_CR0, &reference_legacy, PE, NW | CD | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &reference_legacy, PE, CD | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &lme, PE, PG | PE, CONTROL_FAULT_PG_WITHOUT_PAE},
		{CONTROL_CR0, &lme_pae, PE, PG | PE, CONTROL_LEGAL},
		{CONTROL_CR0, &lme_cs_l, PE, PG | PE, CONTROL_FAULT_PG_SET_IN_64_BIT_CS},
		{CONTROL_CR0, &in_64, PG | PE, PE, CONTROL_FAULT_PG_CLEARED_IN_64_BIT_MODE},
		{CONTROL_CR0, &in_64, PG | PE, PG | PE | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &in_32e, PG | PE, PE, CONTROL_LEGAL},
		{CONTROL_CR0, &pcide, PG | PE, PE, CONTROL_FAULT_PG_CLEARED_WITH_PCIDE},
		{CONTROL_CR0, &cet, WP | PE, PE, CONTROL_FAULT_WP_CLEAR_WITH_CET},
		{CONTROL_CR0, &cet, WP | PE, WP | PE | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &reference_legacy, WP | PE, PE, CONTROL_LEGAL},
		{CONTROL_CR0, &vmx, PE | NE | PG, PE | PG, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &vmx, PE | NE | PG, NE, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &vmx, PE | NE | PG, PE | NE | PG | TS, CONTROL_LEGAL},
		{CONTROL_CR0, &unrestricted, PE | NE | PG, NE, CONTROL_LEGAL},
		{CONTROL_CR0, &unrestricted, PE | NE | PG, PE, CONTROL_FAULT_CR0_FIXED_TO_1},
		{CONTROL_CR0, &unrestricted, PE | NE, NE | PG, CONTROL_FAULT_PG_WITHOUT_PE},
		{CONTROL_CR0, &vmx_no_am, PE, PE | BIT(18), CONTROL_FAULT_CR0_FIXED_TO_0},
		{CONTROL_CR4, &reference_legacy, 0, BIT(15), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &reference_legacy, 0, BIT(63), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &old_cpu, 0, BIT(11), CONTROL_FAULT_CR4_RESERVED},
		{CONTROL_CR4, &old_cpu, 0, 0x7ff, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, 0, CONTROL_FAULT_PAE_CLEARED},
		{CONTROL_CR4, &reference_legacy, PAE, 0, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, PAE | LA57, CONTROL_FAULT_LA57_CHANGED},
		{CONTROL_CR4, &lma, PAE | LA57, PAE, CONTROL_FAULT_LA57_CHANGED},
		{CONTROL_CR4, &lma, PAE | LA57, PAE | LA57, CONTROL_LEGAL},
		{CONTROL_CR4, &reference_legacy, PAE, PAE | LA57, CONTROL_LEGAL},
		{CONTROL_CR4, &reference_legacy, PAE, PAE | PCIDE, CONTROL_FAULT_PCIDE_OUTSIDE_IA32E},
		{CONTROL_CR4, &cr3, PAE, PAE | PCIDE, CONTROL_FAULT_PCIDE_WITH_CR3},
		{CONTROL_CR4, &cr3, PAE | PCIDE, PAE | PCIDE, CONTROL_LEGAL},
		{CONTROL_CR4, &lma, PAE, PAE | PCIDE, CONTROL_LEGAL},
		{CONTROL_CR4, &reference_legacy, PAE, PAE | CET, CONTROL_FAULT_CET_WITHOUT_WP},
		{CONTROL_CR4, &with_wp, PAE, PAE | CET, CONTROL_LEGAL},
		{CONTROL_CR4, &cr4_vmx, VMXE, PAE, CONTROL_FAULT_CR4_FIXED_TO_1},
		{CONTROL_CR4, &cr4_vmx, VMXE, VMXE | BIT(7), CONTROL_FAULT_CR4_FIXED_TO_0},
		{CONTROL_CR4, &cr4_vmx, VMXE, VMXE | PAE, CONTROL_LEGAL},
		{CONTROL_CR4, &cr4_unrestricted, PE, 0, CONTROL_FAULT_CR4_FIXED_TO_1},
	};
	bool met[CONTROL_FAULT_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct control_scenario scenario = reference_cr0(0, 0, 0xaa, rows[i].before);
		struct control_result got;

		scenario.state.reg = rows[i].reg;
		scenario.state.context = *rows[i].context;
		scenario.owned = scenario.state.words[0] = reference_writable(&scenario.state);
		got = reference_run(&scenario, CONTROL_MOV_TO, rows[i].operand);
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
	struct control_scenario scenario = reference_cr0(CR0_WRITABLE & ~PG, PG, 0, PE | ET);
	struct control_result got = reference_run(&scenario, CONTROL_MOV_TO, PG);

	(void)state;
	assert_int_equal(got.fault, CONTROL_LEGAL);
	assert_int_equal(got.shadow, PG);
	assert_int_equal(got.value, ET);
	/* The real PG needs the real PE, whatever the guest sees. */
	scenario.state.value |= PG;
	got = reference_run(&scenario, CONTROL_MOV_TO, PG);
	assert_int_equal(got.fault, CONTROL_FAULT_PG_WITHOUT_PE);
	assert_int_equal(got.shadow, 0);
	assert_int_equal(got.value, PG | PE | ET);
	/* CLTS where TS is fixed, LMSW where MP is. */
	scenario = reference_cr0(CR0_WRITABLE, 0, 0, TS | MP | PE);
	scenario.state.context.fixed0 = TS;
	assert_int_equal(reference_run(&scenario, CONTROL_CLTS, 0).fault, CONTROL_FAULT_CR0_FIXED_TO_1);
	scenario.state.context.fixed0 = MP;
	assert_int_equal(reference_run(&scenario, CONTROL_LMSW, TS).fault, CONTROL_FAULT_CR0_FIXED_TO_1);
	/* To clear PE is ignored without a fault. */
	scenario.state.context.fixed0 = PE;
	assert_int_equal(reference_run(&scenario, CONTROL_LMSW, 0).fault, CONTROL_LEGAL);
}

/* The exit comes first, the #GP with the answer. */
static void answers(void **state)
{
	struct control_scenario scenario = reference_cr0(CR0_WRITABLE & ~(PE | TS | MP), MP, 0, ET);
	struct control_result asked = reference_run(&scenario, CONTROL_MOV_TO, PG | PE | TS | MP), got;

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
	asked = reference_run(&scenario, CONTROL_MOV_TO, BIT(32) | PE);
	assert_int_equal(asked.ask, PE);
	assert_int_equal(asked.fault, CONTROL_LEGAL);
	assert_int_equal(control_answer(&scenario.state, &asked, 0).fault,
			 CONTROL_FAULT_CR0_RESERVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lmsw_keeps_pe),
		cmocka_unit_test(clts_touches_ts),
		cmocka_unit_test(reads_by_kept),
		cmocka_unit_test(widths),
		cmocka_unit_test(cr0_without_effect),
		cmocka_unit_test(illegal_values),
		cmocka_unit_test(faults_and_shadow),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests_name("control_rules", tests, NULL, NULL);
}
