/* SPDX-License-Identifier: GPL-2.0-only */
/* Which exception an instruction raises: Intel SDM vol. 3A, 6.15 and table 2-2; vol. 2, the instructions' pages. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/emulate/code_fixture.h"
#include "vmm/emulate/first_exception.h"

#define NOTHING 0xfff /* in place of a vector */
#define NOWHERE UINT64_C(0x700000000000)
#define NOT_CANONICAL UINT64_C(0x800000000000)
#define CR0_MP 2u
#define CR0_EM 4u
#define CR0_TS 8u
#define CR4_OSFXSR 0x200u
#define CR4_OSXSAVE 0x40000u
#define USER 3

static struct kvm_cpuid2 *cpuid;
static struct first_exception_place place;

/* Code at CPL 0, on a processor that has everything and lets SSE be used. */
static int begin(void **state)
{
	static const uint32_t leaves[] = {1, 7, 0x80000001};

	cpuid = calloc(1, sizeof(*cpuid) + ARRAY_SIZE(leaves) * sizeof(cpuid->entries[0]));
	assert_non_null(cpuid);
	cpuid->nent = ARRAY_SIZE(leaves);
	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = leaves[i], .flags = leaves[i] == 7 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
			.eax = UINT32_MAX, .ebx = UINT32_MAX, .ecx = UINT32_MAX, .edx = UINT32_MAX,
		};
	if (setup(state) != 0)
		return -1;
	place = (struct first_exception_place){
		.space = space,
		.state = {CODE, regs},
		.isa = {.cpuid = cpuid, .virtualization = true, .cr4 = CR4_OSFXSR | CR4_OSXSAVE},
	};
	return 0;
}

static int end(void **state)
{
	free(cpuid);
	return teardown(state);
}

static void expect(const char *text, unsigned vector, unsigned error_code, uint64_t address)
{
	const bool pushes = (vector == 12 || vector == 13 || vector == 14) && strncmp(text, "int ", 4) != 0;
	struct first_exception found;
	int rc = first_exception_find(&place, &found);

	if (vector == NOTHING ? rc != -ENOENT : rc != 0 || found.vector != vector)
		fail_msg("%s: result %d, vector %u", text, rc, found.vector);
	if (vector == NOTHING)
		return;
	if (found.has_error_code != pushes || found.error_code != error_code || found.address != address)
		fail_msg("%s: error code %u 0x%x, address 0x%llx", text, found.has_error_code, found.error_code,
			 (unsigned long long)found.address);
}

static void expect_code(const struct code *code, unsigned vector, unsigned error_code, uint64_t address)
{
	load_code(CODE, code);
	expect(code->text, vector, error_code, address);
}

/* What the instruction alone decides, and the privilege level. */
static void encodings(void **state)
{
	static const struct {
		struct code code;
		unsigned cpl, vector;
	} rows[] = {
		{CODE_OF("nop", 0x90), 0, NOTHING},
		{CODE_OF("ud2", 0x0f, 0x0b), 0, 6},
		{CODE_OF("no such instruction in 64-bit mode", 0x06), 0, 6},
		{CODE_OF("int3", 0xcc), 0, 3},
		{CODE_OF("int1", 0xf1), 0, 1},
		{CODE_OF("int $0x80", 0xcd, 0x80), 0, 0x80},
		{CODE_OF("int $0xe, which pushes no error code", 0xcd, 14), 0, 14},
		{CODE_OF("hlt", 0xf4), 0, NOTHING},
		{CODE_OF("hlt for a user", 0xf4), USER, 13},
		{CODE_OF("mov %rax,%cr0 for a user", 0x0f, 0x22, 0xc0), USER, 13},
		{CODE_OF("more than 15 bytes", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			 0x66, 0x66), 0, 13},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		place.cpl = rows[i].cpl;
		place.space.user = rows[i].cpl == USER;
		expect_code(&rows[i].code, rows[i].vector, 0, 0);
	}
}

static void an_instruction_that_the_processor_lacks(void **state)
{
	static const struct code vmcall = CODE_OF("vmxoff", 0x0f, 0x01, 0xc4);

	(void)state;
	place.isa.virtualization = false;
	expect_code(&vmcall, 6, 0, 0);
}

static void fpu_and_sse(void **state)
{
	static const struct code fld1 = CODE_OF("fld1", 0xd9, 0xe8), wait = CODE_OF("wait", 0x9b),
				 pxor = CODE_OF("pxor %mm0,%mm0", 0x0f, 0xef, 0xc0),
				 xorps = CODE_OF("xorps %xmm0,%xmm0", 0x0f, 0x57, 0xc0),
				 vxorps = CODE_OF("vxorps %ymm0,%ymm0,%ymm0", 0xc5, 0xfc, 0x57, 0xc0);
	static const struct {
		const struct code *code;
		uint64_t cr0, cr4;
		unsigned vector;
	} rows[] = {
		{&fld1, 0, 0, NOTHING},
		{&fld1, CR0_TS, 0, 7},
		{&fld1, CR0_EM, 0, 7},
		{&fld1, CR0_MP, 0, NOTHING},
		{&wait, CR0_TS, 0, NOTHING},
		{&wait, CR0_TS | CR0_MP, 0, 7},
		{&wait, CR0_EM, 0, NOTHING},
		{&pxor, 0, 0, NOTHING},
		{&pxor, CR0_TS, 0, 7},
		{&pxor, CR0_EM | CR0_TS, 0, 6},
		{&xorps, 0, CR4_OSFXSR, NOTHING},
		{&xorps, CR0_TS, CR4_OSFXSR, 7},
		{&xorps, CR0_TS, 0, 6},
		{&xorps, CR0_EM, CR4_OSFXSR, 6},
		{&vxorps, 0, CR4_OSXSAVE, NOTHING},
		{&vxorps, CR0_TS, CR4_OSXSAVE, 7},
		{&vxorps, CR0_TS, CR4_OSFXSR, 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		place.cr0 = rows[i].cr0;
		place.isa.cr4 = rows[i].cr4;
		expect_code(rows[i].code, rows[i].vector, 0, 0);
	}
}

/* The page behind `DATA` is not there, and of the next one nothing can be written. */
static void operands(void **state)
{
	static const struct {
		struct code code;
		uint64_t rdi, rcx;
		bool user;
		unsigned vector, error_code;
		uint64_t address;
	} rows[] = {
		{CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07), DATA, 0, false, NOTHING, 0, 0},
		{CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07), NOWHERE, 0, false, 14, 2, NOWHERE},
		{CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), NOWHERE, 0, false, 14, 0, NOWHERE},
		{CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), NOWHERE, 0, true, 14, 4, NOWHERE},
		{CODE_OF("its end is not there", 0x48, 0x8b, 0x07), DATA + PAGE - 4, 0, false, 14, 0, DATA + PAGE},
		{CODE_OF("a read of what is read-only", 0x48, 0x8b, 0x07), DATA + 2 * PAGE, 0, false, NOTHING, 0, 0},
		{CODE_OF("a write of what is read-only", 0x48, 0x89, 0x07), DATA + 2 * PAGE, 0, false, 14, 3, DATA + 2 * PAGE},
		{CODE_OF("add %rax,(%rdi)", 0x48, 0x01, 0x07), DATA + 2 * PAGE, 0, false, 14, 3, DATA + 2 * PAGE},
		{CODE_OF("a write for a user", 0x48, 0x89, 0x07), DATA + 2 * PAGE, 0, true, 14, 7, DATA + 2 * PAGE},
		{CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), NOT_CANONICAL, 0, false, 13, 0, 0},
		{CODE_OF("lea (%rdi),%rax", 0x48, 0x8d, 0x07), NOWHERE, 0, false, NOTHING, 0, 0},
		{CODE_OF("prefetcht0 (%rdi)", 0x0f, 0x18, 0x0f), NOWHERE, 0, false, NOTHING, 0, 0},
		{CODE_OF("nopl (%rdi)", 0x0f, 0x1f, 0x07), NOWHERE, 0, false, NOTHING, 0, 0},
		{CODE_OF("rep stos %al,(%rdi): none", 0xf3, 0xaa), NOWHERE, 0, false, NOTHING, 0, 0},
		{CODE_OF("rep stos %al,(%rdi): one", 0xf3, 0xaa), NOWHERE, 1, false, 14, 2, NOWHERE},
	};

	(void)state;
	put(PT + 8 * (DATA / PAGE + 1), 0);
	put(PT + 8 * (DATA / PAGE + 2), DATA_GPA | 5);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		regs[RDI] = rows[i].rdi;
		regs[RCX] = rows[i].rcx;
		place.space.user = rows[i].user;
		expect_code(&rows[i].code, rows[i].vector, rows[i].error_code, rows[i].address);
	}
}

static void the_stack(void **state)
{
	static const struct code push = CODE_OF("push %rax", 0x50), pop = CODE_OF("pop %rax", 0x58);

	(void)state;
	put(PT + 8 * (DATA / PAGE + 1), 0);
	regs[RSP] = DATA + 2 * PAGE;
	expect_code(&push, 14, 2, DATA + 2 * PAGE - 8);
	expect_code(&pop, NOTHING, 0, 0);
	regs[RSP] = DATA + PAGE;
	expect_code(&push, NOTHING, 0, 0);
	expect_code(&pop, 14, 0, DATA + PAGE);
	regs[RSP] = NOT_CANONICAL;
	expect_code(&pop, 12, 0, 0);
}

static void division(void **state)
{
	static const struct code quad = CODE_OF("div %rcx", 0x48, 0xf7, 0xf1),
				 is_signed = CODE_OF("idiv %rcx", 0x48, 0xf7, 0xf9), byte = CODE_OF("div %ch", 0xf6, 0xf5),
				 memory = CODE_OF("divl (%rdi)", 0xf7, 0x37);
	static const struct {
		const struct code *code;
		uint64_t rax, rdx, rcx;
		unsigned vector;
	} rows[] = {
		{&quad, 7, 0, 2, NOTHING},
		{&quad, 7, 0, 0, 0},
		{&quad, 7, 2, 2, 0},
		{&quad, 7, 1, 2, NOTHING},
		{&is_signed, 7, 0, 0, 0},
		{&is_signed, 7, 0, 2, NOTHING},
		{&byte, 7, 0, 0x0002, 0},
		{&byte, 7, 0, 0x0200, NOTHING},
		{&byte, 0x0207, 0, 0x0200, 0},
		{&memory, 7, UINT64_C(0x500000000), 0, NOTHING},
		{&memory, 7, 6, 0, 0},
	};

	(void)state;
	put(data_gpa(0), 6 | UINT64_C(0xffffffff00000000));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		regs[RAX] = rows[i].rax;
		regs[RDX] = rows[i].rdx;
		regs[RCX] = rows[i].rcx;
		expect_code(rows[i].code, rows[i].vector, 0, 0);
	}
}

/* The code itself cannot be had: by the tables, by NX, by SMEP. */
static void fetches(void **state)
{
	static const struct code nop = CODE_OF("nop", 0x90), two_pages = CODE_OF("the first half of a mov", 0x48);

	(void)state;
	load_code(CODE, &nop);
	place.state.rip = NOWHERE;
	expect("nowhere", 14, 0, NOWHERE);
	place.space.mode.no_execute = true;
	expect("nowhere, where fetches are told apart", 14, 0x10, NOWHERE);
	place.state.rip = NOT_CANONICAL;
	expect("not canonical", 13, 0, 0);
	place.state.rip = CODE;
	expect("can be executed", NOTHING, 0, 0);
	put(PT + 8 * (CODE / PAGE), CODE | PTE | UINT64_C(1) << 63);
	expect("no execute", 14, 0x11, CODE);
	place.space.mode.no_execute = false;
	expect("no execute, which counts for nothing", NOTHING, 0, 0);
	place.space.mode.smep = true;
	expect("a user's page", 14, 0x11, CODE);
	place.space.user = true;
	expect("a user's page for a user", NOTHING, 0, 0);
	place.space.user = place.space.mode.smep = false;
	load_code(CODE + PAGE - 1, &two_pages);
	put(PT + 8 * (CODE / PAGE + 1), 0);
	place.state.rip = CODE + PAGE - 1;
	expect(two_pages.text, 14, 0, CODE + PAGE);
}

/* What a view withholds is a violation, and none of the guest's exceptions. */
static void views(void **state)
{
	static const struct code store = CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07);

	(void)state;
	assert_int_equal(policy_add_view(&vm.policy, "nothing", 0, NULL), 0);
	place.space.view = 1;
	regs[RDI] = DATA;
	expect_code(&store, NOTHING, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(encodings, begin, end),
		cmocka_unit_test_setup_teardown(an_instruction_that_the_processor_lacks, begin, end),
		cmocka_unit_test_setup_teardown(fpu_and_sse, begin, end),
		cmocka_unit_test_setup_teardown(operands, begin, end),
		cmocka_unit_test_setup_teardown(the_stack, begin, end),
		cmocka_unit_test_setup_teardown(division, begin, end),
		cmocka_unit_test_setup_teardown(fetches, begin, end),
		cmocka_unit_test_setup_teardown(views, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
