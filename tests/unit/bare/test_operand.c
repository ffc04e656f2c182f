/* SPDX-License-Identifier: GPL-2.0-only */
/* The monitor's decoder of LMSW and SMSW against Zydis: bytes that begin as they do, with any registers. */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/bare/operand.c"
#include "vmm/emulate/instruction.h"

#define TRIES 400000
#define RIP UINT64_C(0x123456789abc)

static const struct cpu_mode mode; /* 64-bit */
static uint64_t state = 1;

static unsigned random_below(unsigned limit)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(state >> 33) % limit;
}

static uint64_t random64(void)
{
	return (uint64_t)random_below(1u << 22) << 42 ^ (uint64_t)random_below(1u << 22) << 21 ^ random_below(1u << 22);
}

/* A few prefixes, the opcode more often than not, and anything. */
static void make(uint8_t code[INSN_MAX], uint64_t regs[16])
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0x64, 0x65, 0xf0, 0xf3, 0xf2, 0x2e, 0x36, 0x3e,
					   0x26, 0x41, 0x42, 0x43, 0x44, 0x48, 0x4f};
	unsigned at = 0;

	for (unsigned i = 0; i < INSN_MAX; i++)
		code[i] = (uint8_t)random_below(256);
	for (unsigned i = 0; i < 16; i++)
		regs[i] = random64();
	while (at < 4 && random_below(2))
		code[at++] = prefixes[random_below(sizeof(prefixes))];
	if (random_below(8) == 0)
		return;
	code[at++] = 0x0f;
	code[at++] = 0x01;
	if (random_below(4))
		code[at] = (uint8_t)((code[at] & ~0x38) | (random_below(2) ? 4 : 6) << 3);
}

static bool is_known(const struct insn *insn)
{
	const ZydisMnemonic mnemonic = insn->decoded.mnemonic;

	return (mnemonic == ZYDIS_MNEMONIC_LMSW || mnemonic == ZYDIS_MNEMONIC_SMSW) &&
	       insn->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
}

static unsigned prefix_of(enum cpu_segment segment)
{
	switch (segment) {
	case SEGMENT_FS:
		return PREFIX_FS;
	case SEGMENT_GS:
		return PREFIX_GS;
	case SEGMENT_SS:
		return PREFIX_SS;
	default:
		return PREFIX_DS;
	}
}

/* Zydis 4.0 takes R13D for a base where there is none but a displacement, which it drops
 * (https://github.com/zyantific/zydis/issues/592). Processors do not, nor do the rows below. */
static bool is_misread(const ZydisDecodedInstruction *insn)
{
	return insn->address_width == 32 && insn->raw.rex.B && insn->raw.modrm.mod == 0 && insn->raw.modrm.rm == 4 &&
	       insn->raw.sib.base == 5;
}

static void compare(const struct operand *operand, const struct insn *insn, const uint64_t regs[16])
{
	const struct insn_state at = {RIP, regs};
	enum cpu_segment segment;
	uint64_t offset;

	assert_int_equal(insn_offset(insn, &insn->operands[0], &at, &segment, &offset), 0);
	assert_int_equal(insn->operands[0].size, 16);
	assert_int_equal(operand->length, insn->decoded.length);
	assert_int_equal(operand->store, insn->decoded.mnemonic == ZYDIS_MNEMONIC_SMSW);
	assert_true(operand->offset == offset || is_misread(&insn->decoded));
	assert_int_equal(operand->segment, prefix_of(segment));
}

static void operands_are_what_zydis_says(void **unused)
{
	unsigned known = 0;

	(void)unused;
	for (unsigned i = 0; i < TRIES; i++) {
		uint8_t code[INSN_MAX];
		uint64_t regs[16];
		struct operand operand;
		struct insn insn;
		bool wanted;

		make(code, regs);
		wanted = insn_decode(&mode, code, sizeof(code), &insn) == 0 && is_known(&insn);
		assert_int_equal(operand_decode(code, sizeof(code), RIP, regs, &operand), wanted);
		if (!wanted)
			continue;
		compare(&operand, &insn, regs);
		/* Not a byte fewer will do. */
		for (unsigned count = 0; count < operand.length; count++)
			assert_int_equal(operand_decode(code, count, RIP, regs, &(struct operand){0}), 0);
		known++;
	}
	assert_true(known > TRIES / 4);
}

/* By the manual: registers are 0x1000 times one more than their number, and RIP is RIP. */
static void operands_are_where_the_manual_says(void **unused)
{
	static const struct {
		const char *name;
		uint8_t code[INSN_MAX];
		unsigned length;
		unsigned segment;
		uint64_t offset;
	} rows[] = {
		{"smsw (%rax)", {0x0f, 0x01, 0x20}, 3, PREFIX_DS, 0x1000},
		{"smsw 0x10(%rip)", {0x0f, 0x01, 0x25, 0x10}, 7, PREFIX_DS, RIP + 7 + 0x10},
		{"smsw -0x10(%rip)", {0x0f, 0x01, 0x25, 0xf0, 0xff, 0xff, 0xff}, 7, PREFIX_DS, RIP + 7 - 0x10},
		{"smsw 0x10(%eip)", {0x67, 0x0f, 0x01, 0x25, 0x10}, 8, PREFIX_DS, (uint32_t)(RIP + 8 + 0x10)},
		{"REX.B does not make RIP R13", {0x41, 0x0f, 0x01, 0x25, 0x10}, 8, PREFIX_DS, RIP + 8 + 0x10},
		{"smsw (%rsp)", {0x0f, 0x01, 0x24, 0x24}, 4, PREFIX_SS, 0x5000},
		{"smsw (%r12)", {0x41, 0x0f, 0x01, 0x24, 0x24}, 5, PREFIX_DS, 0xd000},
		{"smsw 8(%rbp)", {0x0f, 0x01, 0x65, 0x08}, 4, PREFIX_SS, 0x6008},
		{"smsw 8(%r13)", {0x41, 0x0f, 0x01, 0x65, 0x08}, 5, PREFIX_DS, 0xe008},
		{"smsw -1(%rcx)", {0x0f, 0x01, 0x61, 0xff}, 4, PREFIX_DS, 0x1fff},
		{"smsw 0x12345678(%rcx)", {0x0f, 0x01, 0xa1, 0x78, 0x56, 0x34, 0x12}, 7, PREFIX_DS, 0x12347678},
		{"smsw -0x80000000(%rcx)", {0x0f, 0x01, 0xa1, 0, 0, 0, 0x80}, 7, PREFIX_DS, 0xffffffff80002000},
		{"smsw 0x1000", {0x0f, 0x01, 0x24, 0x25, 0, 0x10}, 8, PREFIX_DS, 0x1000},
		{"smsw (%rax,%rcx,8)", {0x0f, 0x01, 0x24, 0xc8}, 4, PREFIX_DS, 0x11000},
		{"smsw (%rax,%r12,2)", {0x42, 0x0f, 0x01, 0x24, 0x60}, 5, PREFIX_DS, 0x1b000},
		{"smsw (%rbp,%rax,1) needs a displacement", {0x0f, 0x01, 0x64, 0x05, 0}, 5, PREFIX_SS, 0x7000},
		{"smsw 0x10(,%rax,4)", {0x0f, 0x01, 0x24, 0x85, 0x10}, 8, PREFIX_DS, 0x4010},
		{"REX.B does not make it R13", {0x41, 0x0f, 0x01, 0x24, 0x85, 0x10}, 9, PREFIX_DS, 0x4010},
		{"nor R13D", {0x67, 0x41, 0x0f, 0x01, 0x24, 0x85, 0x10}, 10, PREFIX_DS, 0x4010},
		{"smsw %fs:(%rax)", {0x64, 0x0f, 0x01, 0x20}, 4, PREFIX_FS, 0x1000},
		{"smsw %gs:(%rsp)", {0x65, 0x0f, 0x01, 0x24, 0x24}, 5, PREFIX_GS, 0x5000},
		{"the last of them counts", {0x65, 0x64, 0x0f, 0x01, 0x20}, 5, PREFIX_FS, 0x1000},
		{"others do not", {0x64, 0x2e, 0x0f, 0x01, 0x20}, 5, PREFIX_FS, 0x1000},
		{"smsw -0x1001(%eax)", {0x67, 0x0f, 0x01, 0xa0, 0xff, 0xef, 0xff, 0xff}, 8, PREFIX_DS, 0xffffffff},
		{"sizes of registers are not its own", {0x66, 0x48, 0x0f, 0x01, 0x20}, 5, PREFIX_DS, 0x1000},
		{"REX in front of a prefix does not count", {0x41, 0x66, 0x0f, 0x01, 0x20}, 5, PREFIX_DS, 0x1000},
	};
	uint64_t regs[16];

	(void)unused;
	for (unsigned i = 0; i < 16; i++)
		regs[i] = 0x1000 * (i + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (int load = 0; load < 2; load++) {
			uint8_t code[INSN_MAX];
			struct operand operand = {0};
			unsigned modrm = 2;

			memcpy(code, rows[i].code, sizeof(code));
			while (code[modrm - 2] != 0x0f)
				modrm++;
			code[modrm] |= load ? 2 << 3 : 0;
			if (!operand_decode(code, rows[i].length, RIP, regs, &operand) || operand.store == load ||
			    operand.length != rows[i].length || operand.segment != rows[i].segment ||
			    operand.offset != rows[i].offset)
				fail_msg("%s: length %u, segment 0x%x, offset 0x%llx", rows[i].name, operand.length,
					 operand.segment, (unsigned long long)operand.offset);
			assert_false(operand_decode(code, rows[i].length - 1, RIP, regs, &operand));
		}
}

static void others_are_none(void **unused)
{
	static const uint8_t rows[][INSN_MAX] = {
		{0xf0, 0x0f, 0x01, 0x20},	/* lock smsw (%rax) */
		{0x64, 0xf0, 0x0f, 0x01, 0x30}, /* lock lmsw %fs:(%rax) */
		{0x0f, 0x01, 0xe0},		/* smsw %eax */
		{0x0f, 0x01, 0xf0},		/* lmsw %ax */
		{0x0f, 0x01, 0x38},		/* invlpg (%rax) */
		{0x0f, 0x01, 0x10},		/* lgdt (%rax) */
		{0x0f, 0x06},			/* clts */
		{0x0f, 0x20, 0x20},		/* mov %cr4, (%rax), which is mov %cr4, %rax */
		{0x90, 0x0f, 0x01, 0x20},	/* nop */
		{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66},
		/* A byte more than an instruction may have. */
		{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x0f, 0x01, 0x24, 0x85, 0},
	};
	const uint64_t regs[16] = {0};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct operand operand = {.length = 99};

		assert_int_equal(operand_decode(rows[i], INSN_MAX, RIP, regs, &operand), 0);
		assert_int_equal(operand.length, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_are_what_zydis_says),
		cmocka_unit_test(operands_are_where_the_manual_says),
		cmocka_unit_test(others_are_none),
	};

	return cmocka_run_group_tests_name("operand", tests, NULL, NULL);
}
