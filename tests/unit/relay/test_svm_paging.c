/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for SVM and a guest with masks that turns paging off and on, which 64-bit mode does not have: as Linux does
 * before it is decompressed. */
#include "relay_fake.h"

#include "guestfw/relay/svm.c"

#define TABLES 0x1000u /* of the guest and of its view: each address shows itself */
#define TABLE_ENTRY 7u
#define LARGE_ENTRY 0x87u
#define RIP 0x6000u
#define PAGED UINT64_C(0x80050033)
#define UNPAGED UINT64_C(0x00050033)
#define MP UINT64_C(2)
#define TS UINT64_C(8)
#define NE UINT64_C(0x20)
#define CD UINT64_C(0x40000000)
#define NW UINT64_C(0x20000000)
#define NARROW_TABLES 0x4000u /* the same of a guest with entries of 32 bits */
#define CR4 (CR4_PAE | 0x600)
#define CR4_NARROW UINT64_C(0x610) /* with PSE */
#define LEGACY UINT64_C(0x1000) /* EFER with SVME alone */
#define LME (LEGACY | EFER_LME)
#define LMA (LME | EFER_LMA)
#define CS_64 0xa9bu
#define CS_32 0xc9bu
#define GP_INJECTED 0x80000b0du

static uint64_t control[VMCB_SIZE / 8];

static void put(uint64_t at, uint64_t value)
{
	memcpy(fake.memory + at, &value, sizeof(value));
}

static void execute(const char *code, uint64_t operand)
{
	memcpy(fake.memory + RIP, code, 3);
	vmcb_set_exit_code(control, VMEXIT_CR0_WRITE);
	vmcb_set_rip(control, RIP);
	vmcb_set_rax(control, operand);
	vmcb_set_tlb_ctl(control, 0);
	relay_svm_exit(&relay);
}

static void mov_to_cr0(uint64_t value)
{
	execute("\x0f\x22\xc0", value);
}

/* In a 32-bit segment with paging. TS is kept. */
static void start(uint64_t efer, uint64_t cr4)
{
	fake_reset();
	memset(control, 0, sizeof(control));
	put(TABLES, (TABLES + 0x1000) | TABLE_ENTRY);
	put(TABLES + 0x1000, (TABLES + 0x2000) | TABLE_ENTRY);
	put(TABLES + 0x2000, LARGE_ENTRY);
	put(NARROW_TABLES, LARGE_ENTRY);
	relay.control = (uint64_t)(uintptr_t)control;
	fake_words(TS);
	vmcb_set_cr0(control, PAGED);
	/* Long mode has one level more. */
	vmcb_set_cr3(control, efer & EFER_LMA ? TABLES : cr4 & CR4_PAE ? TABLES + 0x1000 : NARROW_TABLES);
	vmcb_set_cr4(control, cr4);
	vmcb_set_nested_cr3(control, TABLES);
	vmcb_set_efer(control, efer);
	vmcb_set_cs_attrib(control, CS_32);
	vmcb_set_rflags(control, 2);
}

static void expect_done(uint64_t cr0, uint64_t efer, uint64_t shadow)
{
	assert_int_equal(vmcb_event_inj(control), 0);
	assert_int_equal(vmcb_rip(control), RIP + 3);
	assert_int_equal(vmcb_cr0(control), cr0);
	assert_int_equal(vmcb_efer(control), efer);
	assert_int_equal(relay.cr0.words.shadow & TS, shadow);
	assert_int_equal(flags_read(&relay.cr0.words), cr0 | shadow);
}

/* Has paging, or has turned it off. */
static void start_as(uint64_t cr0, uint64_t efer)
{
	start(cr0 & CR0_PG || efer == LEGACY ? efer : LMA, CR4);
	if (cr0 & CR0_PG)
		return;
	mov_to_cr0(cr0);
	expect_done(cr0, efer, 0);
}

/* What MOV from CR0 gives. */
static uint64_t seen(void)
{
	memcpy(fake.memory + RIP, "\x0f\x20\xc3", 3); /* mov %cr0, %ebx */
	vmcb_set_exit_code(control, VMEXIT_CR0_READ);
	vmcb_set_rip(control, RIP);
	relay_svm_exit(&relay);
	return relay.regs[RBX];
}

static void paging_goes_and_comes(void **state)
{
	static const struct {
		uint64_t unpaged, paged; /* EFER */
		uint64_t cr4;
	} rows[] = {
		{LME, LMA, CR4},
		{LEGACY, LEGACY, CR4},
		{LEGACY, LEGACY, CR4_NARROW},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(rows[i].paged, rows[i].cr4);
		for (unsigned round = 0; round < 2; round++) {
			mov_to_cr0(UNPAGED | TS);
			expect_done(UNPAGED, rows[i].unpaged, TS);
			assert_int_equal(vmcb_tlb_ctl(control), VMCB_TLB_FLUSH_ALL);
			assert_int_equal(ring[relay.head - 1].wanted, UNPAGED | TS);
			assert_int_equal(seen(), UNPAGED | TS);
			/* As often as it likes without it. */
			mov_to_cr0(UNPAGED | NW | CD);
			expect_done(UNPAGED | NW | CD, rows[i].unpaged, 0);
			mov_to_cr0((UNPAGED ^ MP ^ NE) | TS);
			expect_done(UNPAGED ^ MP ^ NE, rows[i].unpaged, TS);
			mov_to_cr0(PAGED | TS);
			expect_done(PAGED, rows[i].paged, TS);
			assert_int_equal(vmcb_tlb_ctl(control), VMCB_TLB_FLUSH_ALL);
			assert_int_equal(seen(), PAGED | TS);
			/* Then it is a write like others. */
			mov_to_cr0(PAGED ^ MP);
			expect_done(PAGED ^ MP, rows[i].paged, 0);
			assert_int_equal(vmcb_tlb_ctl(control), 0);
			assert_int_equal(seen(), PAGED ^ MP);
		}
	}
}

/* A guest may have enabled long mode meanwhile, or disabled it. */
static void efer_counts_when_paging_comes(void **state)
{
	(void)state;
	for (unsigned enabled = 0; enabled < 2; enabled++) {
		start_as(UNPAGED, enabled ? LEGACY : LME);
		vmcb_set_efer(control, enabled ? LME : LEGACY);
		mov_to_cr0(PAGED);
		expect_done(PAGED, enabled ? LMA : LEGACY, 0);
	}
}

static void clts_and_lmsw_without_paging(void **state)
{
	(void)state;
	start(LMA, CR4);
	mov_to_cr0(UNPAGED | TS);
	execute("\x3e\x0f\x06", 0); /* clts */
	expect_done(UNPAGED, LME, 0);
	execute("\x0f\x01\xf0", 9); /* lmsw %ax */
	expect_done(UNPAGED & ~MP, LME, TS);
	/* It cannot clear PE. */
	execute("\x0f\x01\xf0", MP);
	expect_done(UNPAGED, LME, 0);
}

static const struct {
	uint64_t cr0, efer, cr4, wanted;
	unsigned cs;
} faults[] = {
	/* 64-bit mode does not end so, nor does it begin in a segment of its kind. */
	{PAGED, LMA, CR4, UNPAGED, CS_64},
	{UNPAGED, LME, CR4, PAGED, CS_64},
	{PAGED, LMA, CR4 | CR4_PCIDE, UNPAGED, CS_32},
	{UNPAGED, LME, CR4_NARROW, PAGED, CS_32},
	{PAGED, LMA, CR4, UNPAGED | NW, CS_32},
	{UNPAGED, LME, CR4, UNPAGED | NW, CS_32},
	{UNPAGED, LME, CR4, PAGED | NW, CS_32},
	{PAGED, LMA, CR4, UNPAGED & ~SS_CR0_PE, CS_32},
	{PAGED, LMA, CR4, PAGED & ~SS_CR0_PE, CS_32},
	{UNPAGED, LME, CR4, UNPAGED & ~SS_CR0_PE, CS_32},
	{UNPAGED, LME, CR4, PAGED & ~SS_CR0_PE, CS_32},
	{PAGED, LMA, CR4, PAGED | NW, CS_32},
};

/* The guest has seen nothing of it but the exception. */
static void expect_fault(uint64_t cr0, uint64_t efer)
{
	assert_int_equal(vmcb_event_inj(control), GP_INJECTED);
	assert_int_equal(vmcb_event_inj_err(control), 0);
	assert_int_equal(vmcb_rip(control), RIP);
	assert_int_equal(vmcb_cr0(control), cr0);
	assert_int_equal(vmcb_efer(control), efer);
	assert_int_equal(relay.cr0.words.shadow & TS, 0);
	assert_int_equal(ring[relay.head - 1].wanted, 0);
}

static void what_the_processor_refuses_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		start_as(faults[i].cr0, faults[i].efer);
		vmcb_set_cr4(control, faults[i].cr4);
		vmcb_set_cs_attrib(control, faults[i].cs);
		mov_to_cr0(faults[i].wanted | TS);
		expect_fault(faults[i].cr0, faults[i].efer);
	}
}

/* No instruction of 32-bit code writes them: what leads here is looked at. */
static void bits_above_31_are_refused(void **state)
{
	(void)state;
	for (unsigned bit = 32; bit < 64; bit++)
		for (unsigned paged = 0; paged < 2; paged++) {
			start_as(paged ? PAGED : UNPAGED, paged ? LMA : LME);
			relay.cr0.words.value = vmcb_cr0(control);
			relay.wanted = UNPAGED;
			assert_int_equal(toggles_paging(&relay, control), 1);
			start_as(paged ? PAGED : UNPAGED, paged ? LMA : LME);
			relay.cr0.words.value = vmcb_cr0(control);
			relay.wanted = UNPAGED | UINT64_C(1) << bit;
			assert_int_equal(toggles_paging(&relay, control), 0);
			assert_int_equal(relay.cr0.words.value, vmcb_cr0(control));
		}
}

/* The guest writes what is legal, and the register would get NW without the CD that is kept in the shadow. */
static void the_register_must_be_legal_too(void **state)
{
	static const uint64_t changes[][2] = {{PAGED, UNPAGED}, {UNPAGED, UNPAGED}, {UNPAGED, PAGED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		start_as(changes[i][0], changes[i][0] == PAGED ? LMA : LME);
		relay.cr0.words.words[0] &= ~CD;
		relay.cr0.words.words[1] |= CD;
		mov_to_cr0(changes[i][1] | NW | CD);
		expect_fault(changes[i][0], changes[i][0] == PAGED ? LMA : LME);
	}
}

/* What the VMM has to decide about, it does with paging alone: the VMM is not asked, and the guest gets #GP. */
static void flags_of_the_vmm_do_not_change_without_paging(void **state)
{
	static const uint64_t changes[][2] = {{PAGED, UNPAGED}, {UNPAGED, UNPAGED}, {UNPAGED, PAGED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		for (unsigned passed = 0; passed < 2; passed++) {
			const uint64_t efer = changes[i][0] == PAGED ? LMA : LME;

			for (unsigned changes_mp = 0; changes_mp < 2; changes_mp++) {
				start_as(changes[i][0], efer);
				/* MP is in neither place, or in the register but the VMM's to write. */
				relay.cr0.words.words[0] = ~(TS | (passed ? 0 : MP));
				relay.cr0.passed = passed ? MP : 0;
				mov_to_cr0(changes[i][1] ^ (changes_mp ? MP : 0));
				if (changes_mp)
					expect_fault(changes[i][0], efer);
				else
					expect_done(changes[i][1], changes[i][1] == PAGED ? LMA : LME, 0);
			}
		}
}

/* A flag that is kept may have another value in the register, where NW does not go without CD. */
static void a_register_that_cannot_be_is_refused_with_paging(void **state)
{
	(void)state;
	start(LMA, CR4);
	fake_words(CD | TS);
	mov_to_cr0(PAGED | NW | CD | TS);
	expect_fault(PAGED, LMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paging_goes_and_comes),
		cmocka_unit_test(efer_counts_when_paging_comes),
		cmocka_unit_test(clts_and_lmsw_without_paging),
		cmocka_unit_test(what_the_processor_refuses_faults),
		cmocka_unit_test(bits_above_31_are_refused),
		cmocka_unit_test(the_register_must_be_legal_too),
		cmocka_unit_test(flags_of_the_vmm_do_not_change_without_paging),
		cmocka_unit_test(a_register_that_cannot_be_is_refused_with_paging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
