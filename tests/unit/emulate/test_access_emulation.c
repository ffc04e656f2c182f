/* SPDX-License-Identifier: GPL-2.0-only */
/* What an instruction does whose access is refused, and which access that was. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/emulate/code_fixture.h"
#include "vmm/emulate/access_emulation.h"

/* What a load fills, in the width of its operand; registers with parts that the width leaves alone. */
static void loads(void **state)
{
	static const struct {
		struct code code;
		unsigned reg;
		uint64_t wanted;
	} rows[] = {
		{CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), RAX, UINT64_MAX},
		{CODE_OF("mov (%rdi),%r9d", 0x44, 0x8b, 0x0f), 9, UINT32_MAX},
		{CODE_OF("mov (%rdi),%cx", 0x66, 0x8b, 0x0f), RCX, UINT64_C(0x111111111111ffff)},
		{CODE_OF("mov (%rdi),%sil", 0x40, 0x8a, 0x37), RSI, UINT64_C(0x66666666666666ff)},
		{CODE_OF("movzbl (%rdi),%edx", 0x0f, 0xb6, 0x17), RDX, 0xff},
		{CODE_OF("movzwq (%rdi),%rbx", 0x48, 0x0f, 0xb7, 0x1f), RBX, 0xffff},
		{CODE_OF("movzbw (%rdi),%bx", 0x66, 0x0f, 0xb6, 0x1f), RBX, UINT64_C(0x33333333333300ff)},
		{CODE_OF("movsbl (%rdi),%edx", 0x0f, 0xbe, 0x17), RDX, UINT32_MAX},
		{CODE_OF("movslq (%rdi),%rbp", 0x48, 0x63, 0x2f), RBP, UINT64_MAX},
		{CODE_OF("movabs 0x20000,%al", 0xa0, 0, 0, 2, 0, 0, 0, 0, 0), RAX, 0xff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t after[16], before[16];
		unsigned length = 99;

		memcpy(before, regs, sizeof(regs));
		memcpy(after, regs, sizeof(regs));
		load_code(CODE, &rows[i].code);
		if (access_refuse(&space, CODE, after, &length) != 0)
			fail_msg("%s was not carried out", rows[i].code.text);
		assert_int_equal(length, rows[i].code.size);
		before[rows[i].reg] = rows[i].wanted;
		if (memcmp(after, before, sizeof(after)) != 0)
			fail_msg("%s: %llx", rows[i].code.text,
				 (unsigned long long)after[rows[i].reg]);
	}
}

/* Stores are dropped, whatever they come from. */
static void stores(void **state)
{
	static const struct code rows[] = {
		CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07),
		CODE_OF("movb $1,8(%rdi)", 0xc6, 0x47, 8, 1),
		CODE_OF("mov %ah,(%rdi)", 0x88, 0x27),
		CODE_OF("movnti %rax,(%rdi)", 0x48, 0x0f, 0xc3, 0x07),
		CODE_OF("sete (%rdi)", 0x0f, 0x94, 0x07),
		CODE_OF("movups %xmm0,(%rdi)", 0x0f, 0x11, 0x07),
		CODE_OF("mov %ds,(%rdi)", 0x8c, 0x1f),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t after[16];
		unsigned length = 99;

		memcpy(after, regs, sizeof(regs));
		load_code(CODE, &rows[i]);
		if (access_refuse(&space, CODE, after, &length) != 0)
			fail_msg("%s was not carried out", rows[i].text);
		assert_int_equal(length, rows[i].size);
		assert_memory_equal(after, regs, sizeof(regs));
	}
}

/* The same bytes in 32- and 16-bit code, at the base of its segment: lengths, registers and addresses. */
static void other_modes(void **state)
{
	static const struct {
		struct code code;
		enum cpu_width width;
		unsigned length;
		uint64_t rax, offset;
	} rows[] = {
		{CODE_OF("mov 0x20,%eax", 0xa1, 0x20, 0, 0, 0, 0xb3, 0, 0x90, 0x90), WIDTH_32, 5,
		 UINT32_MAX, 0x20},
		{CODE_OF("mov 0x20,%ax", 0xa1, 0x20, 0, 0xb3, 0, 0x90, 0x90, 0x90, 0x90), WIDTH_16, 3,
		 0xaaaaffff, 0x20},
		{CODE_OF("mov 0x20,%eax", 0x66, 0xa1, 0x20, 0, 0xb3), WIDTH_16, 4, UINT32_MAX, 0x20},
		{CODE_OF("mov 0x20,%eax", 0x8b, 0x05, 0x20, 0, 0, 0), WIDTH_32, 6, UINT32_MAX, 0x20},
		{CODE_OF("mov %eax,4(%ebx)", 0x89, 0x43, 4), WIDTH_32, 3, 0xaaaaaaaa, 0x104},
		{CODE_OF("mov -0x10(%bx,%di),%al", 0x8a, 0x41, 0xf0), WIDTH_16, 3, 0xaaaaaaff, 0xf0},
		{CODE_OF("mov %es:(%edi),%eax", 0x26, 0x8b, 0x07), WIDTH_32, 3, UINT32_MAX, 0x1000},
		{CODE_OF("push %eax", 0x50), WIDTH_32, 0, 0, 0x1fc},
		{CODE_OF("push %ax", 0x50), WIDTH_16, 0, 0, 0x1fe},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct insn_state insn_state = {0x40, regs};
		uint64_t after[16], gva = 0;
		unsigned length = 0;

		space.mode = (struct cpu_mode){.code = rows[i].width, .stack = rows[i].width};
		space.mode.segment[SEGMENT_CS].base = CODE - 0x40;
		space.mode.segment[SEGMENT_DS].base = DATA;
		space.mode.segment[SEGMENT_SS].base = DATA;
		space.mode.segment[SEGMENT_ES].base = DATA + 0x1000;
		regs[RAX] = 0xaaaaaaaa;
		regs[RBX] = UINT64_C(0x5555555500000100);
		regs[RSP] = UINT64_C(0x6666666600000200);
		regs[RDI] = 0;
		load_code(CODE, &rows[i].code);
		if (access_find(&space, &insn_state, data_gpa(rows[i].offset), &gva) != 0 ||
		    gva != DATA + rows[i].offset)
			fail_msg("%s: 0x%llx", rows[i].code.text, (unsigned long long)gva);
		memcpy(after, regs, sizeof(regs));
		if (rows[i].length == 0)
			continue;
		assert_int_equal(access_refuse(&space, 0x40, after, &length), 0);
		assert_int_equal(length, rows[i].length);
		assert_int_equal(after[RAX], rows[i].rax);
	}
}

static void put_32(uint64_t gpa, uint32_t value)
{
	assert_int_equal(guest_ram_write(&vm.ram, gpa_at(gpa), &value, sizeof(value)), 0);
}

/* Of a word that ends in a page which is not there nothing is stored. */
static void word_at_the_last_page(void **state)
{
	const uint16_t word = 0x5566;
	struct page_walk_fault fault;
	uint8_t byte = 1;

	(void)state;
	put(PT + 8 * (DATA / PAGE + 1), 0);
	put(data_gpa(PAGE - 8), 0);
	assert_int_equal(page_walk_write(&space, DATA + PAGE - 1, &word, sizeof(word), &fault), -EFAULT);
	assert_int_equal(fault.address, DATA + PAGE);
	assert_int_equal(page_walk_read(&space, DATA + PAGE - 1, &byte, 1, &fault), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(page_walk_write(&space, DATA + PAGE - 2, &word, sizeof(word), &fault), 0);
	assert_int_equal(page_walk_read(&space, DATA + PAGE - 1, &byte, 1, &fault), 0);
	assert_int_equal(byte, word >> 8);
}

/* The guest's tables in the modes outside long mode, and what they refuse. */
static void legacy_tables(void **state)
{
	enum { PAE_PDPT = 0x5020, PAE_PD = 0x6000, PD_32 = 0x7000, PT_32 = 0x8000 };
	struct page_walk_fault fault;
	uint8_t byte = 0;
	uint64_t gpa = 0;

	(void)state;
	/* An entry of PAE's first level has no rights; 0x86 is a page of 2 MiB that CPL 3 may only read. */
	put(PAE_PDPT, PAE_PD | 1);
	put(PAE_PD, PT | PTE);
	put(PAE_PD + 8, 0x85);
	space.cr3 = PAE_PDPT;
	space.mode = (struct cpu_mode){.code = WIDTH_32, .legacy = true, .paging = GUEST_PAGING_PAE};
	space.user = true;
	assert_int_equal(page_walk_translate(&space, DATA + 5, &gpa), 0);
	assert_int_equal(gpa, data_gpa(5));
	assert_int_equal(page_walk_translate(&space, 0x200123, &gpa), 0);
	assert_int_equal(gpa, 0x123);
	assert_int_equal(page_walk_read(&space, 0x200123, &byte, 1, &fault), 0);
	assert_int_equal(page_walk_write(&space, 0x200123, &byte, 1, &fault), -EFAULT);
	assert_int_equal(fault.error_code, PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE | PAGE_FAULT_USER);
	assert_int_equal(page_walk_translate(&space, 0x40000000, &gpa), -EFAULT);
	assert_true(page_walk_tables(&space, DATA, PAE_PDPT + 4));
	assert_false(page_walk_tables(&space, DATA, PAE_PDPT + 8));
	/* 32 bits: entries of 4 bytes, pages of 4 MiB, whose bits 20:13 are 39:32 of the address. */
	put_32(PD_32, PT_32 | PTE);
	put_32(PD_32 + 4, 0x83 | 1 << 13);
	for (uint32_t i = 0; i < 512; i++)
		put_32(PT_32 + 4 * i, i << 12 | PTE);
	space.cr3 = PD_32;
	space.mode.paging = GUEST_PAGING_32;
	assert_int_equal(page_walk_translate(&space, 0x1ff123, &gpa), 0);
	assert_int_equal(gpa, 0x1ff123);
	assert_int_equal(page_walk_translate(&space, 0x412345, &gpa), 0);
	assert_int_equal(gpa, UINT64_C(0x100012345));
	assert_int_equal(page_walk_read(&space, 0x400000, &byte, 1, &fault), -EFAULT);
	assert_int_equal(fault.error_code, PAGE_FAULT_PRESENT | PAGE_FAULT_USER);
	assert_true(page_walk_tables(&space, 0x1000, PT_32 + 7));
	assert_false(page_walk_tables(&space, 0x1000, PT_32));
	/* No paging. */
	space.mode.paging = GUEST_PAGING_NONE;
	assert_int_equal(page_walk_translate(&space, 0x123456, &gpa), 0);
	assert_int_equal(gpa, 0x123456);
	assert_false(page_walk_tables(&space, 0x1000, PT_32));
}

/* CR0.PG, EFER.LMA, CR4.PAE, PSE and LA57 (Intel SDM vol. 3A, 4.1.1). */
static void paging_modes(void **state)
{
	enum { PG = 0x80000001u, LMA = 0x400, PSE = 0x10, PAE = 0x20, LA57 = 0x1000 };

	(void)state;
	assert_int_equal(guest_paging_of(1, PAE | LA57, LMA), GUEST_PAGING_NONE);
	assert_int_equal(guest_paging_of(PG, PAE, LMA), GUEST_PAGING_4_LEVELS);
	assert_int_equal(guest_paging_of(PG, PAE | LA57, LMA), GUEST_PAGING_5_LEVELS);
	assert_int_equal(guest_paging_of(PG, PAE | PSE, 0), GUEST_PAGING_PAE);
	assert_int_equal(guest_paging_of(PG, PSE, 0), GUEST_PAGING_32);
	assert_int_equal(guest_paging_of(PG, LA57, 0), GUEST_PAGING_32_4K);
}

/* What would have to be computed, moves the stack, repeats or jumps is left to the guest. */
static void others(void **state)
{
	static const struct code rows[] = {
		CODE_OF("add %rax,(%rdi)", 0x48, 0x01, 0x07),
		CODE_OF("add (%rdi),%rax", 0x48, 0x03, 0x07),
		CODE_OF("cmp %rax,(%rdi)", 0x48, 0x39, 0x07),
		CODE_OF("xchg %rax,(%rdi)", 0x48, 0x87, 0x07),
		CODE_OF("push %rax", 0x50),
		CODE_OF("pop (%rdi)", 0x8f, 0x07),
		CODE_OF("call *(%rdi)", 0xff, 0x17),
		CODE_OF("call .+5", 0xe8, 0, 0, 0, 0),
		CODE_OF("stos %al,(%rdi)", 0xaa),
		CODE_OF("rep stos %al,(%rdi)", 0xf3, 0xaa),
		CODE_OF("movsb (%rsi),(%rdi)", 0xa4),
		CODE_OF("mov (%rdi),%ah", 0x8a, 0x27),
		CODE_OF("mov (%rdi),%ds", 0x8e, 0x1f),
		CODE_OF("mov %rax,%rbx", 0x48, 0x89, 0xc3),
		CODE_OF("lea (%rdi),%rax", 0x48, 0x8d, 0x07),
		CODE_OF("nothing known", 0x06),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t after[16];
		unsigned length = 99;

		memcpy(after, regs, sizeof(regs));
		load_code(CODE, &rows[i]);
		if (access_refuse(&space, CODE, after, &length) != -EOPNOTSUPP)
			fail_msg("%s was carried out", rows[i].text);
		assert_int_equal(length, 99);
		assert_memory_equal(after, regs, sizeof(regs));
	}
}

/* The linear address of each kind of operand. */
static void addresses(void **state)
{
	static const struct {
		struct code code;
		uint64_t offset; /* of the access, from DATA */
	} rows[] = {
		{CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07), 0},
		{CODE_OF("mov 0x1008(%rdi),%al", 0x8a, 0x87, 8, 0x10, 0, 0), 0x1008},
		{CODE_OF("mov (%rdi,%rcx,4),%eax", 0x8b, 0x04, 0x8f), 0x10},
		{CODE_OF("mov 0xfff9(%rip),%rax", 0x48, 0x8b, 0x05, 0xf9, 0xff, 0, 0), 0},
		{CODE_OF("mov %fs:0x10,%rax", 0x64, 0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0), 0x2010},
		{CODE_OF("mov %gs:0x10,%rax", 0x65, 0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0), 0x3010},
		{CODE_OF("push %rax", 0x50), 0xf8},
		{CODE_OF("pop %rax", 0x58), 0x100},
		{CODE_OF("ret", 0xc3), 0x100},
		{CODE_OF("call .+5", 0xe8, 0, 0, 0, 0), 0xf8},
		{CODE_OF("stos %rax,(%rdi)", 0x48, 0xab), 0},
		{CODE_OF("movsb (%rsi),(%rdi)", 0xa4), 0x30},
		{CODE_OF("addq $1,8(%rdi)", 0x48, 0x83, 0x47, 8, 1), 8},
	};
	struct insn_state insn_state = {CODE, regs};

	(void)state;
	space.mode.segment[SEGMENT_FS].base = DATA + 0x2000;
	space.mode.segment[SEGMENT_GS].base = DATA + 0x3000;
	regs[RCX] = 4;
	regs[RSI] = DATA + 0x30;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t gva = 0;

		load_code(CODE, &rows[i].code);
		if (access_find(&space, &insn_state, data_gpa(rows[i].offset), &gva) != 0 ||
		    gva != DATA + rows[i].offset)
			fail_msg("%s: 0x%llx", rows[i].code.text, (unsigned long long)gva);
		/* Somewhere else it does not go. */
		assert_int_equal(access_find(&space, &insn_state, data_gpa(0x7000), &gva), -ENOENT);
	}
}

/* An operand in two pages, whose second is not next to the first in guest-physical space. */
static void two_pages(void **state)
{
	static const struct code code = CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07);
	struct insn_state insn_state = {CODE, regs};
	uint64_t gva = 0;

	(void)state;
	load_code(CODE, &code);
	regs[RDI] = DATA + 0xffc;
	assert_int_equal(access_find(&space, &insn_state, data_gpa(0xffc), &gva), 0);
	assert_int_equal(gva, DATA + 0xffc);
	assert_int_equal(access_find(&space, &insn_state, data_gpa(0x1000), &gva), 0);
	assert_int_equal(gva, DATA + 0x1000);
	assert_int_equal(access_find(&space, &insn_state, data_gpa(0x1002), &gva), 0);
	assert_int_equal(gva, DATA + 0x1002);
	/* An address in the page but not in the operand. */
	assert_int_equal(access_find(&space, &insn_state, data_gpa(0x1800), &gva), 0);
	assert_int_equal(gva, DATA + 0x1800);
	/* Code that is not there has no operands. */
	insn_state.rip = MEMORY + PAGE;
	assert_int_equal(access_find(&space, &insn_state, data_gpa(0), &gva), -ENOENT);
}

/* What is on the way of an instruction but none of its operands. */
static void other_accesses(void **state)
{
	static const struct code code = CODE_OF("mov (%rdi),%rax", 0x48, 0x8b, 0x07);
	struct insn_state insn_state = {CODE, regs};
	uint64_t gva = 0;

	(void)state;
	load_code(CODE, &code);
	/* Fetches, in the page of RIP and in the next one. */
	assert_int_equal(access_find_fetch(&space, CODE + 8, CODE + 8, &gva), 0);
	assert_int_equal(gva, CODE + 8);
	assert_int_equal(access_find_fetch(&space, CODE + 8, CODE, &gva), 0);
	assert_int_equal(gva, CODE + 8);
	assert_int_equal(access_find_fetch(&space, DATA + 0xffe, data_gpa(0x1000), &gva), 0);
	assert_int_equal(gva, DATA + 0x1000);
	assert_int_equal(access_find_fetch(&space, DATA + 0xffe, data_gpa(0xffe), &gva), 0);
	assert_int_equal(gva, DATA + 0xffe);
	assert_int_equal(access_find_fetch(&space, DATA + 0x100, data_gpa(0x1000), &gva), -ENOENT);
	/* Walks: the entry of the operand's page, that of the code's, one of neither. */
	assert_int_equal(access_find_walk(&space, &insn_state, PT + 8 * (DATA / PAGE), &gva), 0);
	assert_int_equal(gva, DATA);
	assert_int_equal(access_find_walk(&space, &insn_state, PT + 8 * (CODE / PAGE), &gva), 0);
	assert_int_equal(gva, CODE);
	assert_int_equal(access_find_walk(&space, &insn_state, PD, &gva), 0);
	assert_int_equal(gva, CODE);
	assert_int_equal(access_find_walk(&space, &insn_state, PT + 8, &gva), -ENOENT);
	/* The frame of an exception starts on a 16-byte boundary and has six words. */
	assert_int_equal(access_find_frame(&space, DATA + 0x1018, data_gpa(0x1008), &gva), 0);
	assert_int_equal(gva, DATA + 0x1008);
	assert_int_equal(access_find_frame(&space, DATA + 0x1018, data_gpa(0xfe8), &gva), 0);
	assert_int_equal(gva, DATA + 0xfe8);
	assert_int_equal(access_find_frame(&space, DATA + 0x1018, data_gpa(0x1010), &gva), -ENOENT);
	assert_int_equal(access_find_frame(&space, DATA + 0x1018, data_gpa(0xfd8), &gva), -ENOENT);
}

/* The instruction in front of where the guest went on. Behind it stands what looks like an instruction, in
 * front of it what looks like its prefix. */
static void finished_stores(void **state)
{
	static const struct {
		struct code code;
		unsigned size;
		uint64_t data, offset;
	} rows[] = {
		{CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07), 8, 0xa1a2a3a4a5a6a7a8, 0},
		{CODE_OF("mov %eax,(%rdi)", 0x89, 0x07), 4, 0xa5a6a7a8, 0},
		{CODE_OF("mov %ax,(%rdi)", 0x66, 0x89, 0x07), 2, 0xa7a8, 0},
		{CODE_OF("mov %r8d,(%rdi)", 0x44, 0x89, 0x07), 4, 0xc5c6c7c8, 0},
		{CODE_OF("mov %eax,(%r15)", 0x41, 0x89, 0x07), 4, 0xa5a6a7a8, 0x2000},
		{CODE_OF("mov %al,0x11(%rdi)", 0x88, 0x47, 0x11), 1, 0xa8, 0x11},
		{CODE_OF("movq $-2,8(%rdi)", 0x48, 0xc7, 0x47, 8, 0xfe, 0xff, 0xff, 0xff), 8, -2ull, 8},
		{CODE_OF("movl $5,0xffe8(%rip)", 0xc7, 0x05, 0xe8, 0xff, 0, 0, 5, 0, 0, 0), 4, 5, 2},
		{CODE_OF("addq $1,(%rdi)", 0x48, 0x83, 0x07, 1), 8, 0x77, 0},
		{CODE_OF("lock xadd %rcx,(%rdi)", 0xf0, 0x48, 0x0f, 0xc1, 0x0f), 8, 1, 0},
		{CODE_OF("push %rax", 0x50), 8, 0xa1a2a3a4a5a6a7a8, 0x100},
		{CODE_OF("push %r8", 0x41, 0x50), 8, 0xc1c2c3c4c5c6c7c8, 0x100},
		{CODE_OF("push $7", 0x6a, 7), 8, 7, 0x100},
	};

	(void)state;
	regs[RAX] = 0xa1a2a3a4a5a6a7a8;
	regs[R8] = 0xc1c2c3c4c5c6c7c8;
	regs[15] = DATA + 0x2000;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct code before = CODE_OF("and $0x26404840,%eax; ", 0x25, 0x40, 0x48, 0x40, 0x26);
		const struct code behind = CODE_OF("mov %rax,(%rdi)", 0x48, 0x89, 0x07);
		uint64_t begin = CODE + 0x10, rip = 0, gva = 0;
		struct store store = {data_gpa(rows[i].offset), rows[i].data, rows[i].size};
		struct insn_state insn_state = {begin + rows[i].code.size, regs};

		load_code(begin - before.size, &before);
		load_code(begin, &rows[i].code);
		load_code(insn_state.rip, &behind);
		if (access_find_store(&space, &insn_state, &store, &rip, &gva) != 0 || rip != begin ||
		    gva != DATA + rows[i].offset)
			fail_msg("%s: rip 0x%llx, gva 0x%llx", rows[i].code.text,
				 (unsigned long long)rip, (unsigned long long)gva);
	}
}

/* Where it cannot be told, nothing is told. */
static void unknown_stores(void **state)
{
	static const struct code rows[] = {
		CODE_OF("call *%rax: at its target", 0xff, 0xd0),
		CODE_OF("stos %rax,(%rdi): RDI has moved on", 0x48, 0xab),
		CODE_OF("mov %rax,(%rsi): somewhere else", 0x48, 0x89, 0x06),
		CODE_OF("mov %rcx,(%rdi): something else", 0x48, 0x89, 0x0f),
		CODE_OF("mov %eax,(%rdi): another size", 0x89, 0x07),
		CODE_OF("mov (%rdi),%rax: a load", 0x48, 0x8b, 0x07),
	};
	struct store store = {data_gpa(0), 0xa1a2a3a4a5a6a7a8, 8};

	(void)state;
	regs[RAX] = store.data;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct insn_state insn_state = {CODE + rows[i].size, regs};
		uint64_t rip = 55, gva = 66;

		load_code(CODE, &rows[i]);
		if (access_find_store(&space, &insn_state, &store, &rip, &gva) != -ENOENT)
			fail_msg("%s: found at 0x%llx", rows[i].text, (unsigned long long)rip);
		assert_int_equal(rip, 55);
		assert_int_equal(gva, 66);
	}
}

/* By Intel SDM vol. 2, of registers that hold 0x11 times their number in each byte. */
static void stored_values(void **state)
{
	static const struct {
		struct code code;
		unsigned size;
		uint64_t value;
	} rows[] = {
		{CODE_OF("mov [rdi], rcx", 0x48, 0x89, 0x0f), 8, 0x1111111111111111},
		{CODE_OF("mov [rdi], ecx", 0x89, 0x0f), 4, 0x11111111},
		{CODE_OF("mov [rdi], cx", 0x66, 0x89, 0x0f), 2, 0x1111},
		{CODE_OF("mov [rdi], r15b", 0x44, 0x88, 0x3f), 1, 0xff},
		{CODE_OF("mov [rdi], ah", 0x88, 0x27), 1, 0xab},
		{CODE_OF("mov [rdi], rsp", 0x48, 0x89, 0x27), 8, 0x20100},
		{CODE_OF("mov qword [rdi], -2", 0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff), 8, 0xfffffffffffffffe},
		{CODE_OF("mov byte [rdi], 0x41", 0xc6, 0x07, 0x41), 1, 0x41},
		{CODE_OF("movnti [rdi], edx", 0x0f, 0xc3, 0x17), 4, 0x22222222},
		{CODE_OF("push rbx", 0x53), 8, 0x3333333333333333},
		{CODE_OF("push rsp", 0x54), 8, 0x20100},
		{CODE_OF("push -1", 0x6a, 0xff), 8, UINT64_MAX},
		{CODE_OF("stosb", 0xaa), 1, 0xcd},
		{CODE_OF("rep stosd", 0xf3, 0xab), 4, 0xabcd},
		{CODE_OF("add [rdi], rcx", 0x48, 0x01, 0x0f), 0, 0},
		{CODE_OF("xchg [rdi], rcx", 0x48, 0x87, 0x0f), 0, 0},
		{CODE_OF("push qword [rdi]", 0xff, 0x37), 0, 0},
		{CODE_OF("mov [rdi], ds", 0x8c, 0x1f), 0, 0},
		{CODE_OF("movsb", 0xa4), 0, 0},
		{CODE_OF("movups [rdi], xmm1", 0x0f, 0x11, 0x0f), 0, 0},
		{CODE_OF("setz [rdi]", 0x0f, 0x94, 0x07), 0, 0},
		{CODE_OF("mov rcx, [rdi]", 0x48, 0x8b, 0x0f), 0, 0},
		{CODE_OF("mov rcx, rdi", 0x48, 0x89, 0xf9), 0, 0},
	};

	(void)state;
	regs[RAX] = 0xabcd;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;
		struct insn insn;

		assert_int_equal(insn_decode(&space.mode, rows[i].code.bytes, rows[i].code.size, &insn), 0);
		if (access_stored(&insn, regs, &value) != rows[i].size || value != rows[i].value)
			fail_msg("%s: 0x%llx", rows[i].code.text, (unsigned long long)value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loads, setup, teardown),
		cmocka_unit_test_setup_teardown(stores, setup, teardown),
		cmocka_unit_test_setup_teardown(other_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(word_at_the_last_page, setup, teardown),
		cmocka_unit_test_setup_teardown(legacy_tables, setup, teardown),
		cmocka_unit_test(paging_modes),
		cmocka_unit_test_setup_teardown(others, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(two_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(other_accesses, setup, teardown),
		cmocka_unit_test_setup_teardown(finished_stores, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_stores, setup, teardown),
		cmocka_unit_test_setup_teardown(stored_values, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
