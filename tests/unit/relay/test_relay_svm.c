/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for SVM with a control structure in memory, on a processor that saves the next RIP and on
 * one that does not. */
#include "relay_fake.h"

#include "guestfw/relay/svm.c"

#define TABLES 0x1000u /* of the guest and of its view: each address shows itself */
#define TABLE_ENTRY 7u
#define LARGE_ENTRY 0x87u
#define RIP 0x6000u
#define TF 0x100u
#define RF 0x10000u
#define FLAGS 0x202u
#define BS 0x4000u
#define DR6_INIT 0xffff0ff0u
#define CR0 UINT64_C(0x80050033)
#define TS UINT64_C(8)
#define CS_64 0xa9bu
#define CS_32 0xc9bu
#define DB_INJECTED 0x80000301u
#define UD_INJECTED 0x80000306u
#define GP_INJECTED 0x80000b0du
#define LENGTH_MAX 15u

static uint64_t control[VMCB_SIZE / 8];

static void put(uint64_t at, uint64_t value)
{
	memcpy(fake.memory + at, &value, sizeof(value));
}

static void start(uint64_t reason, const char *code, size_t size)
{
	fake_reset();
	memset(control, 0, sizeof(control));
	put(TABLES, (TABLES + 0x1000) | TABLE_ENTRY);
	put(TABLES + 0x1000, (TABLES + 0x2000) | TABLE_ENTRY);
	put(TABLES + 0x2000, LARGE_ENTRY);
	memcpy(fake.memory + RIP, code, size);
	relay.control = (uint64_t)(uintptr_t)control;
	vmcb_set_exit_code(control, reason);
	vmcb_set_rip(control, RIP);
	vmcb_set_rflags(control, FLAGS);
	vmcb_set_dr6(control, DR6_INIT);
	vmcb_set_cr0(control, CR0);
	vmcb_set_cr3(control, TABLES);
	vmcb_set_nested_cr3(control, TABLES);
	vmcb_set_efer(control, EFER_LONG_MODE);
	vmcb_set_cs_attrib(control, CS_64);
}
#define START(reason, code) start(reason, code, sizeof(code) - 1)

static void vmm_steps(struct relay_vcpu *vcpu)
{
	vcpu->action = RELAY_STEP;
}

/* Each way in which the relay, or the VMM through it, completes an instruction; `length` is 3 or more. */
enum way { WAY_CPUID, WAY_VMMCALL, WAY_VMMCALL_VMM, WAY_MOV_CR0, WAY_VMFUNC, WAY_VIOLATION, WAYS };

static void prepare(enum way way, unsigned length)
{
	static const uint32_t reasons[] = {VMEXIT_CPUID,     VMEXIT_VMMCALL,	  VMEXIT_VMMCALL,
					   VMEXIT_CR0_WRITE, VMEXIT_EXCEPTION_UD, VMEXIT_NPF};
	static const char *const bytes[] = {"\x0f\xa2",	    "\x0f\x01\xd9", "\x0f\x01\xd9",
					    "\x0f\x22\xc0", "\x0f\x01\xd4", ""};
	char code[LENGTH_MAX];
	size_t size = strlen(bytes[way]);

	memset(code, 0x2e, sizeof(code));
	memcpy(code + length - size, bytes[way], size);
	start(reasons[way], code, sizeof(code));
	fake.vmm = vmm_steps;
	relay.length = length; /* of what the VMM alone knows it of */
	relay.regs[RAX] = way == WAY_VMMCALL	   ? SS_HYPERCALL_NULL
			  : way == WAY_VMMCALL_VMM ? SS_HYPERCALL_NULL_VMM
			  : way == WAY_MOV_CR0	   ? CR0 | TS
						   : 0;
	vmcb_set_rax(control, relay.regs[RAX]);
	if (way == WAY_MOV_CR0) {
		fake_words(TS);
	}
	relay.vmfunc.services.enabled = 1;
	relay.vmfunc.enabled = true;
	relay.vmfunc.function_controls = 1;
	relay.regs[RCX] = 512;
}

static void whoever_completes_an_instruction_ends_it_alike(void **state)
{
	(void)state;
	for (int way = 0; way < WAYS; way++)
		for (unsigned length = 3; length <= LENGTH_MAX; length++)
			for (unsigned run = 0; run < 2 * 2 * 2 * 2; run++) {
				uint64_t flags = FLAGS | (run & 1 ? TF : 0) | (run & 2 ? RF : 0);
				bool trap = run & 1 && !(run & 4);

				prepare(way, length);
				vmcb_set_rflags(control, flags);
				vmcb_set_int_state(control, run >> 3);
				fake.debugctl = run & 4 ? 2 : 1;
				relay_svm_exit(&relay);
				assert_int_equal(vmcb_rip(control), RIP + length);
				assert_int_equal(vmcb_rflags(control), flags & ~(uint64_t)RF);
				assert_int_equal(vmcb_int_state(control), 0);
				assert_int_equal(vmcb_event_inj(control), trap ? DB_INJECTED : 0);
				assert_int_equal(vmcb_dr6(control), trap ? DR6_INIT | BS : DR6_INIT);
			}
}

static void lengths_are_the_processors_or_those_of_the_bytes(void **state)
{
	static const struct {
		uint64_t reason;
		const char *code;
		uint64_t size;
	} rows[] = {
		{VMEXIT_CPUID, "\x0f\xa2\x90\x90", 2},
		{VMEXIT_CPUID, "\x48\x0f\xa2\x90", 3},
		{VMEXIT_CPUID, "\x67\x0f\xa2\x90", 3},
		{VMEXIT_CPUID, "\x2e\x2e\x2e\x67\x48\x0f\xa2", 7},
		{VMEXIT_CPUID, "\xf3\x0f\xa2\x90", 3},
		{VMEXIT_VMMCALL, "\x0f\x01\xd9\x90", 3},
		{VMEXIT_VMMCALL, "\x2e\x0f\x01\xd9", 4},
		{VMEXIT_VMMCALL, "\x66\x2e\x48\x0f\x01\xd9", 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(rows[i].reason, rows[i].code, strlen(rows[i].code));
		relay_svm_exit(&relay);
		assert_int_equal(vmcb_rip(control), RIP + rows[i].size);
		/* Then the bytes are not looked at: they may have changed since. */
		START(rows[i].reason, "\x90");
		vmcb_set_next_rip(control, RIP + 9);
		relay_svm_exit(&relay);
		assert_int_equal(vmcb_rip(control), RIP + 9);
	}
	START(VMEXIT_CPUID, "\xf0\x0f\xa2");
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_event_inj(control), UD_INJECTED);
	assert_int_equal(vmcb_rip(control), RIP);
	/* Code that cannot be read: an instruction without prefixes. */
	START(VMEXIT_CPUID, "\x48\x0f\xa2");
	vmcb_set_cr3(control, 0);
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_rip(control), RIP + 2);
}

#define PAGE_TABLES 0x10000u /* four levels, the first eight pages showing themselves */
#define PAGE_ENTRY(address) (PAGE_TABLES + 0x3000 + (address) / 0x1000 * 8)

static void put_page_tables(void)
{
	for (uint64_t table = PAGE_TABLES; table < PAGE_TABLES + 0x3000; table += 0x1000)
		put(table, (table + 0x1000) | TABLE_ENTRY);
	for (uint64_t page = 0; page < 0x8000; page += 0x1000)
		put(PAGE_ENTRY(page), page | TABLE_ENTRY);
}

/* The guest executes what is at RIP, and is there again. Returns whether it was VMFUNC. */
static bool again(void)
{
	fake.loads = 0;
	vmcb_set_rip(control, RIP);
	vmcb_set_rax(control, 0);
	relay_svm_exit(&relay);
	assert_true(vmcb_event_inj(control) == UD_INJECTED || vmcb_rip(control) != RIP);
	return vmcb_event_inj(control) == 0;
}

static void what_was_decoded_before_is_not_walked_to_again(void **state)
{
	unsigned first;

	(void)state;
	prepare(WAY_VMFUNC, 3);
	assert_true(again());
	first = fake.loads;
	assert_true(again());
	/* Once each: the entries of the guest and of its view, and the code. */
	assert_in_range(fake.loads, 7, first - 6);
}

/* One word at a time becomes another, and what was: of the code, of the tables of guest and view. */
static void what_was_decoded_before_counts_as_long_as_nothing_has_changed(void **state)
{
	static const uint64_t words[] = {RIP, TABLES, TABLES + 0x1000, TABLES + 0x2000};
	static uint8_t elsewhere[3] = {0x0f, 0x0b};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		uint64_t word;

		prepare(WAY_VMFUNC, 3);
		assert_true(again());
		word = walk_load(words[i]);
		put(words[i], 0);
		assert_false(again());
		assert_false(again());
		put(words[i], word);
		assert_true(again());
	}
	prepare(WAY_VMFUNC, 3);
	assert_true(again());
	memcpy(fake.memory + RIP, elsewhere, sizeof(elsewhere));
	assert_false(again());
	/* Of a view's tables, that of the page where the code is, not only that of the guest's tables. */
	prepare(WAY_VMFUNC, 3);
	put_page_tables();
	vmcb_set_nested_cr3(control, PAGE_TABLES);
	assert_true(again());
	put(PAGE_ENTRY(RIP), (RIP + 0x1000) | TABLE_ENTRY);
	assert_false(again());
}

/* Other registers lead to other code while every word is what it was. Views whose tables are so far apart share
 * a place among what is known. */
static void what_was_decoded_before_was_so_in_one_address_space(void **state)
{
	const uint64_t apart = RELAY_DECODED_MAX * UINT64_C(0x1000);

	(void)state;
	prepare(WAY_VMFUNC, 3);
	assert_true(again());
	vmcb_set_cr3(control, 0);
	assert_false(again());
	vmcb_set_cr3(control, TABLES);
	assert_true(again());
	vmcb_set_nested_cr3(control, TABLES + apart);
	assert_false(again());
	vmcb_set_nested_cr3(control, TABLES);
	assert_true(again());
	/* The page of RIP is another one, but not without paging. */
	put_page_tables();
	put(PAGE_ENTRY(RIP), (RIP + 0x1000) | TABLE_ENTRY);
	vmcb_set_cr3(control, PAGE_TABLES);
	vmcb_set_cr0(control, CR0 & ~(uint64_t)CR0_PG);
	assert_true(again());
	vmcb_set_cr0(control, CR0);
	assert_false(again());
}

/* 48 is a prefix in 64-bit code, else an instruction. */
static void what_was_decoded_before_was_so_in_one_mode(void **state)
{
	(void)state;
	prepare(WAY_VMFUNC, 4);
	fake.memory[RIP] = 0x48;
	assert_true(again());
	vmcb_set_cs_attrib(control, CS_32);
	assert_false(again());
}

/* By a hypercall too: the first index behind the views is refused, like every other that is no view. */
static void a_hypercall_switches_to_views_only(void **state)
{
	static const uint64_t indices[] = {0, 2, 3, 4, 511, 512, UINT64_MAX};
	static const uint64_t list[EPTP_LIST_ENTRIES] = {0x101e, 0x201e, 0x301e};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		prepare(WAY_VMMCALL, 3);
		relay.vmfunc.list = list;
		relay.views = 3;
		vmcb_set_rax(control, SS_HYPERCALL_VIEW);
		relay.regs[RCX] = indices[i];
		relay_svm_exit(&relay);
		assert_int_equal(vmcb_rax(control), indices[i] < 3 ? 0 : (uint64_t)-34);
		assert_int_equal(vmcb_nested_cr3(control), indices[i] < 3 ? list[indices[i]] & ~0xfffu : TABLES);
	}
}

/* What the service of that kind is not for, the hypercall is not for either. */
static void a_hypercall_asks_for_privilege_as_the_service_does(void **state)
{
	(void)state;
	for (unsigned cpl = 0; cpl <= 3; cpl++)
		for (unsigned limited = 0; limited < 2; limited++) {
			prepare(WAY_VMMCALL, 3);
			relay.vmfunc.services.cpl0 = limited;
			vmcb_set_cpl(control, cpl);
			vmcb_set_rax(control, SS_HYPERCALL_VIEW);
			relay.regs[RCX] = 7;
			relay_svm_exit(&relay);
			assert_int_equal(vmcb_rax(control), limited && cpl ? (uint64_t)-1 : (uint64_t)-34);
		}
}

static void eip_has_32_bits_outside_64_bit_mode(void **state)
{
	(void)state;
	START(VMEXIT_CPUID, "");
	vmcb_set_rip(control, 0xfffffffe);
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_rip(control), 0x100000000);
	START(VMEXIT_CPUID, "");
	vmcb_set_rip(control, 0xfffffffe);
	vmcb_set_cs_attrib(control, CS_32);
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_rip(control), 0);
}

static void faults_set_rf_and_end_the_shadow(void **state)
{
	(void)state;
	START(VMEXIT_EXCEPTION_UD, "\x0f\x0b");
	vmcb_set_rflags(control, FLAGS | TF);
	vmcb_set_int_state(control, 1);
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_event_inj(control), UD_INJECTED);
	assert_int_equal(vmcb_rflags(control), FLAGS | TF | RF);
	assert_int_equal(vmcb_int_state(control), 0);
	assert_int_equal(vmcb_dr6(control), DR6_INIT);
	assert_int_equal(vmcb_rip(control), RIP);
}

/* Nothing is fixed in CR0 here: a guest may clear NE, as without masks. */
static void cr0_has_no_fixed_flags(void **state)
{
	(void)state;
	prepare(WAY_MOV_CR0, 3);
	vmcb_set_rax(control, (CR0 & ~UINT64_C(0x20)) | TS);
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_event_inj(control), 0);
	assert_int_equal(vmcb_cr0(control), CR0 & ~UINT64_C(0x20));
	prepare(WAY_MOV_CR0, 3);
	vmcb_set_rax(control, CR0 & ~UINT64_C(1));
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_event_inj(control), GP_INJECTED);
	assert_int_equal(vmcb_cr0(control), CR0);
}

static void a_kept_flag_never_reaches_the_register(void **state)
{
	(void)state;
	prepare(WAY_MOV_CR0, 3);
	for (unsigned toggles = 1; toggles <= 5; toggles++) {
		vmcb_set_rax(control, CR0 ^ (toggles & 1 ? TS : 0));
		vmcb_set_rip(control, RIP);
		relay_svm_exit(&relay);
		assert_int_equal(vmcb_cr0(control), CR0);
		assert_int_equal(relay.cr0.words.shadow & TS, toggles & 1 ? TS : 0);
	}
}

static bool asked;

static void vmm_is_asked(struct relay_vcpu *vcpu)
{
	asked = true;
	vcpu->action = RELAY_RESUME;
}

/* Nothing here is the engine's own, but VMXE is no flag of this processor. */
static void mov_of_cr4_goes_by_its_words(void **state)
{
	const uint64_t loaded = CR4_PAE | 0x600;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cr4_rows); i++) {
		const struct cr4_row *row = &cr4_rows[i];
		const bool nothing = row->faults || row->asks;

		START(VMEXIT_CR4_WRITE, "\x0f\x22\xe0"); /* mov %rax, %cr4 */
		fake_cr4_words(0);
		relay.cr4.fixed1 &= ~(uint64_t)CR4_VMXE;
		fake.vmm = vmm_is_asked;
		asked = false;
		vmcb_set_cr4(control, loaded);
		vmcb_set_cr3(control, TABLES | (row->cr3 & 1));
		vmcb_set_rax(control, loaded ^ row->inverted);
		relay_svm_exit(&relay);
		assert_int_equal(asked, row->asks);
		assert_int_equal(vmcb_event_inj(control), row->faults ? GP_INJECTED : 0);
		assert_int_equal(vmcb_rip(control), nothing ? RIP : RIP + 3);
		assert_int_equal(vmcb_cr4(control), nothing ? loaded : loaded ^ (row->inverted & ~CR4_TSD));
		assert_int_equal(relay.cr4.words.shadow, nothing ? 0 : row->inverted & CR4_TSD);
		memcpy(fake.memory + RIP, "\x0f\x20\xe3", 3); /* mov %cr4, %rbx */
		vmcb_set_exit_code(control, VMEXIT_CR4_READ);
		vmcb_set_rip(control, RIP);
		relay_svm_exit(&relay);
		assert_int_equal(relay.regs[RBX], nothing ? loaded : loaded ^ row->inverted);
	}
}

/* Of the general registers RSP alone is in the control structure. */
static void rsp_is_an_operand_too(void **state)
{
	(void)state;
	prepare(WAY_MOV_CR0, 3);
	memcpy(fake.memory + RIP, "\x0f\x22\xc4", 3);
	vmcb_set_rsp(control, CR0 | TS);
	relay.regs[RSP] = CR0;
	relay_svm_exit(&relay);
	assert_int_equal(relay.cr0.words.shadow & TS, TS);
	prepare(WAY_MOV_CR0, 3);
	vmcb_set_exit_code(control, VMEXIT_CR0_READ);
	memcpy(fake.memory + RIP, "\x0f\x20\xc4", 3);
	relay.regs[RSP] = 7;
	relay_svm_exit(&relay);
	assert_int_equal(vmcb_rsp(control) & ~TS, CR0 & ~TS);
	assert_int_equal(relay.regs[RSP], 7);
}

static void cpuid_shows_flags_of_the_guests_cr4(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 2; set++) {
		START(VMEXIT_CPUID, "\x0f\xa2");
		fake_cpuid = (struct cpuid_registers){.ecx = set ? 0 : CPUID_1_ECX_OSXSAVE};
		vmcb_set_cr4(control, set ? CR4_OSXSAVE : 0);
		vmcb_set_rax(control, 1);
		relay_svm_exit(&relay);
		assert_int_equal(relay.regs[RCX], set ? CPUID_1_ECX_OSXSAVE : 0);
		START(VMEXIT_CPUID, "\x0f\xa2");
		fake_cpuid = (struct cpuid_registers){.ecx = set ? 0 : CPUID_7_ECX_OSPKE};
		vmcb_set_cr4(control, set ? CR4_PKE : 0);
		vmcb_set_rax(control, 7);
		relay_svm_exit(&relay);
		assert_int_equal(relay.regs[RCX], set ? CPUID_7_ECX_OSPKE : 0);
	}
}

static void a_guest_that_yields_gets_its_answer_first(void **state)
{
	(void)state;
	START(VMEXIT_VMMCALL, "\x0f\x01\xd9");
	vmcb_set_rax(control, SS_HYPERCALL_YIELD);
	assert_ptr_equal(relay_svm_exit(&relay), &relay);
	assert_int_equal(vmcb_rax(control), ENOSYS_RESULT);
	START(VMEXIT_VMMCALL, "\x0f\x01\xd9");
	fake_share();
	vmcb_set_rax(control, SS_HYPERCALL_YIELD);
	assert_ptr_equal(relay_svm_exit(&relay), &neighbour);
	assert_int_equal(vmcb_rax(control), 0);
	assert_int_equal(vmcb_rip(control), RIP + 3);
	assert_int_equal(switches, 1);
	assert_int_equal(fake.saved, relay.control);
	assert_int_equal(fake.loaded, neighbour.control);
}

/* The event that an NMI cuts short comes when it is the guest's turn again, but for one that the instruction at RIP
 * brings again. The exit is of no operation. */
static void an_nmi_gives_the_processor_to_the_next_guest(void **state)
{
	static const struct {
		uint32_t info, injected;
	} rows[] = {
		{0, 0},
		{0x80000050, 0x80000050},
		{0x80000b0e, 0x80000b0e},
		{0x80000301, 0x80000301},
		{0x80000303, 0},
		{0x80000304, 0},
		{0x80000480, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		START(VMEXIT_NMI, "\x90");
		fake_share();
		marker.operation = 7;
		vmcb_set_exit_int_info(control, rows[i].info);
		vmcb_set_exit_int_info_err(control, 5);
		assert_ptr_equal(relay_svm_exit(&relay), &neighbour);
		assert_int_equal(vmcb_event_inj(control), rows[i].injected);
		assert_int_equal(vmcb_event_inj_err(control), rows[i].injected ? 5 : 0);
		assert_int_equal(vmcb_rip(control), RIP);
		assert_int_equal(ring[0].operation, RELAY_OPERATION_TAKEN);
		assert_int_equal(fake.nmis, 1);
		marker.operation = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_completes_an_instruction_ends_it_alike),
		cmocka_unit_test(lengths_are_the_processors_or_those_of_the_bytes),
		cmocka_unit_test(what_was_decoded_before_is_not_walked_to_again),
		cmocka_unit_test(what_was_decoded_before_counts_as_long_as_nothing_has_changed),
		cmocka_unit_test(what_was_decoded_before_was_so_in_one_address_space),
		cmocka_unit_test(what_was_decoded_before_was_so_in_one_mode),
		cmocka_unit_test(a_hypercall_switches_to_views_only),
		cmocka_unit_test(a_hypercall_asks_for_privilege_as_the_service_does),
		cmocka_unit_test(eip_has_32_bits_outside_64_bit_mode),
		cmocka_unit_test(faults_set_rf_and_end_the_shadow),
		cmocka_unit_test(cr0_has_no_fixed_flags),
		cmocka_unit_test(a_kept_flag_never_reaches_the_register),
		cmocka_unit_test(mov_of_cr4_goes_by_its_words),
		cmocka_unit_test(rsp_is_an_operand_too),
		cmocka_unit_test(cpuid_shows_flags_of_the_guests_cr4),
		cmocka_unit_test(a_guest_that_yields_gets_its_answer_first),
		cmocka_unit_test(an_nmi_gives_the_processor_to_the_next_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
