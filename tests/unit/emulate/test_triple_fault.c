/* SPDX-License-Identifier: GPL-2.0-only */
/* What is told of a guest that could not take an exception. */
#include "tests/unit/cmocka_prelude.h"

#include "tests/unit/emulate/code_fixture.h"
#include "vmm/emulate/triple_fault.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/pc.h"

#define IDT (DATA + PAGE) /* linear: the last 16 bytes of a page belong to vector 255 */
#define CR0_PROTECTED 0x80000011
#define UD2 "triple fault: #UD (vector 6) at ud2 could not be delivered: "

static struct kvm_cpuid2 cpuid;
static struct pc pc;
static struct vcpu vcpu;
static struct kvm_sregs sregs;

static int view_current(struct vcpu *asked)
{
	assert_ptr_equal(asked, &vcpu);
	return 0;
}

/* UD2 at CPL 0 in 64-bit mode. */
static int begin(void **state)
{
	static const struct engine_ops ops = {.view_current = view_current};
	static const struct host host = {.cpuid = &cpuid, .backend = HOST_BACKEND_SVM};
	static const struct code ud2 = CODE_OF("ud2", 0x0f, 0x0b);

	if (setup(state) != 0)
		return -1;
	plan.engine = engine_by_key("flat");
	vm.ops = &ops;
	vm.host = &host;
	vcpu = (struct vcpu){.vm = &vm};
	sregs = (struct kvm_sregs){.cr0 = CR0_PROTECTED, .cr3 = PML4, .efer = 0x500, .cs.l = 1};
	load_code(CODE, &ud2);
	return 0;
}

static void expect(uint64_t rip, const char *wanted)
{
	char text[TRIPLE_FAULT_TEXT];

	triple_fault_describe(&vcpu, &sregs, rip, regs, text);
	assert_string_equal(text, wanted);
}

static void load_idt(uint64_t base, uint16_t limit)
{
	sregs.idt = (struct kvm_dtable){.base = base, .limit = limit};
}

/* The gate of vector 6 is the one from byte 96 on; its P is bit 47 (Intel SDM vol. 3A, figure 6-8). */
static void why_the_idt_led_nowhere(void **state)
{
	(void)state;
	expect(CODE, UD2 "no IDT is loaded");
	load_idt(IDT, 14);
	expect(CODE, UD2 "no IDT is loaded");
	load_idt(IDT, 110);
	expect(CODE, UD2 "the IDT at 0x21000 ends before, limit 0x6e");
	load_idt(IDT, 111);
	expect(CODE, UD2 "its gate in the IDT at 0x21000 is not present");
	put(data_gpa(PAGE + 96), UINT64_C(1) << 47);
	expect(CODE, UD2 "its handler or stack cannot be used; IDT at 0x21000");
	load_idt(UINT64_C(0x700000000000), 0xfff);
	expect(CODE, UD2 "the IDT at 0x700000000000 cannot be read");
}

/* Gates have 8 bytes there, and 4 in real mode. */
static void in_other_modes(void **state)
{
	(void)state;
	sregs.efer = 0;
	sregs.cr0 = 1;
	sregs.cs = sregs.ss = (struct kvm_segment){.limit = 0xffffffff, .type = 11, .present = 1, .db = 1, .s = 1};
	load_idt(DATA_GPA, 54);
	expect(CODE, UD2 "the IDT at 0x80000 ends before, limit 0x36");
	load_idt(DATA_GPA, 55);
	expect(CODE, UD2 "its gate in the IDT at 0x80000 is not present");
	sregs.cr0 = 0;
	sregs.cs.db = 0;
	load_idt(DATA_GPA, 26);
	expect(CODE, UD2 "the IDT at 0x80000 ends before, limit 0x1a");
	load_idt(DATA_GPA, 27);
	expect(CODE, UD2 "its handler or stack cannot be used; IDT at 0x80000");
}

static void what_the_exception_was(void **state)
{
	static const struct code store = CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07),
				 load = CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), call = CODE_OF("int $0x80", 0xcd, 0x80),
				 fourteen = CODE_OF("int $14", 0xcd, 14),
				 refused = CODE_OF("mov %rax,%cr0", 0x0f, 0x22, 0xc0);

	(void)state;
	regs[RDI] = UINT64_C(0x700000000000);
	load_code(CODE, &store);
	expect(CODE, "triple fault: #PF (vector 14, error code 0x2) for 0x700000000000 at mov [rdi], rax could not be delivered: "
		     "no IDT is loaded");
	regs[RDI] = UINT64_C(0x800000000000);
	load_code(CODE, &load);
	expect(CODE, "triple fault: #GP (vector 13, error code 0x0) at mov rax, [rdi] could not be delivered: no IDT is loaded");
	load_code(CODE, &fourteen);
	expect(CODE, "triple fault: #PF (vector 14) at int 0xe could not be delivered: no IDT is loaded");
	load_code(CODE, &call);
	expect(CODE, "triple fault: interrupt (vector 128) at int 0x80 could not be delivered: no IDT is loaded");
	expect(UINT64_C(0x700000000000), "triple fault: #PF (vector 14, error code 0x0) for 0x700000000000 at (no instruction) "
					 "could not be delivered: no IDT is loaded");
	load_code(CODE, &refused);
	expect(CODE, "triple fault: an exception at mov cr0, rax could not be delivered: no IDT is loaded");
	load_idt(IDT, 0xfff);
	expect(CODE, "triple fault: an exception at mov cr0, rax could not be delivered: the IDT is at 0x21000, limit 0xfff");
}

/* After INIT (Intel SDM vol. 3A, table 10-1; AMD APM vol. 2, 14.1.3). */
static void of_what_kvm_has_reset(void **state)
{
	char text[TRIPLE_FAULT_TEXT];

	(void)state;
	sregs = (struct kvm_sregs){.cr0 = 0x60000010, .cs.selector = 0xf000, .cs.base = 0xffff0000};
	expect(0xfff0, "triple fault: an exception could not be delivered, after which KVM (kvm_amd) keeps nothing of the guest; "
		       "with --engine svm it can be told");
	vm.pc = &pc;
	expect(0xfff0, "triple fault: an exception could not be delivered, after which KVM (kvm_amd) keeps nothing of the guest");
	triple_fault_describe(&vcpu, NULL, 0xfff0, regs, text);
	assert_string_equal(text, "triple fault: an exception could not be delivered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(why_the_idt_led_nowhere, begin, teardown),
		cmocka_unit_test_setup_teardown(in_other_modes, begin, teardown),
		cmocka_unit_test_setup_teardown(what_the_exception_was, begin, teardown),
		cmocka_unit_test_setup_teardown(of_what_kvm_has_reset, begin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
