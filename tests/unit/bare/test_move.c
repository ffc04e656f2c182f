/* SPDX-License-Identifier: GPL-2.0-only */
/* The monitor's decoder of moves against Zydis: bytes that begin as moves do, and any others. */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/bare/move.c"
#include "vmm/emulate/instruction.h"

#define TRIES 400000

static uint64_t state = 1;

static unsigned random_below(unsigned limit)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(state >> 33) % limit;
}

/* A few prefixes, an opcode that moves more often than not, and anything. */
static void make(uint8_t code[MOVE_INSN_MAX])
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0x64, 0xf0, 0xf3, 0x40, 0x44, 0x48, 0x4c, 0x41};
	const unsigned row = random_below(sizeof(opcodes) / sizeof(opcodes[0]));
	unsigned at = 0;

	for (unsigned i = 0; i < MOVE_INSN_MAX; i++)
		code[i] = (uint8_t)random_below(256);
	while (at < 3 && random_below(2))
		code[at++] = prefixes[random_below(sizeof(prefixes))];
	if (random_below(8) == 0)
		return;
	if (opcodes[row].map)
		code[at++] = 0x0f;
	code[at] = opcodes[row].opcode;
}

static bool is_move(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_MOV || mnemonic == ZYDIS_MNEMONIC_MOVZX || mnemonic == ZYDIS_MNEMONIC_MOVSX ||
	       mnemonic == ZYDIS_MNEMONIC_MOVSXD || mnemonic == ZYDIS_MNEMONIC_MOVNTI;
}

static bool is_high(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

static bool is_general(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       (ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_GPR8 ||
		ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_GPR16 ||
		ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_GPR32 ||
		ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_GPR64);
}

/* What the decoder is to know. */
static bool is_known(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
	const bool load = operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	const ZydisDecodedOperand *other = &operands[load ? 0 : 1];

	if (!is_move(insn->mnemonic) || (!load && operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY))
		return false;
	if (!is_general(other) && other->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return false;
	return !(load && is_high(other->reg.value));
}

static unsigned number_of(ZydisRegister reg)
{
	return (unsigned)ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg)) & 15;
}

static void compare(const struct bare_move *move, const ZydisDecodedInstruction *insn,
		    const ZydisDecodedOperand *operands)
{
	const bool load = operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	const ZydisDecodedOperand *memory = &operands[load ? 1 : 0], *other = &operands[load ? 0 : 1];

	assert_int_equal(move->length, insn->length);
	assert_int_equal(move->load, load);
	assert_int_equal(move->size * 8, memory->size);
	assert_int_equal(move->immediate, other->type == ZYDIS_OPERAND_TYPE_IMMEDIATE);
	if (move->immediate) {
		const uint64_t mask = UINT64_MAX >> (64 - memory->size);

		assert_int_equal(move->value & mask, other->imm.value.u & mask);
		return;
	}
	assert_int_equal(move->reg, number_of(other->reg.value));
	assert_int_equal(move->shift, is_high(other->reg.value) ? 8 : 0);
	if (!load)
		return;
	assert_int_equal(move->width * 8, other->size);
	assert_int_equal(move->sign,
			 insn->mnemonic == ZYDIS_MNEMONIC_MOVSX || insn->mnemonic == ZYDIS_MNEMONIC_MOVSXD);
}

/* Prefixes that change nothing, and are not worth knowing: REP and LOCK; 66 in front of MOVSXD; those that a later REX
 * prefix is not alone with. */
static bool is_odd(const ZydisDecodedInstruction *insn)
{
	for (ZyanU8 i = 0; i < insn->raw.prefix_count; i++) {
		const ZyanU8 prefix = insn->raw.prefixes[i].value;

		if (prefix == 0xf0 || prefix == 0xf2 || prefix == 0xf3 ||
		    (prefix == 0x66 && (insn->mnemonic == ZYDIS_MNEMONIC_MOVSXD ||
					insn->mnemonic == ZYDIS_MNEMONIC_MOVNTI)))
			return true;
	}
	return false;
}

static void moves_are_what_zydis_says(void **unused)
{
	static const struct cpu_mode mode; /* 64-bit */
	unsigned known = 0;

	(void)unused;
	for (unsigned i = 0; i < TRIES; i++) {
		uint8_t code[MOVE_INSN_MAX];
		struct bare_move move;
		struct insn insn;
		bool sound;

		make(code);
		sound = insn_decode(&mode, code, sizeof(code), &insn) == 0;
		if (!move_decode(code, sizeof(code), &move)) {
			assert_false(sound && is_known(&insn.decoded, insn.operands) && !is_odd(&insn.decoded));
			continue;
		}
		assert_true(sound && is_known(&insn.decoded, insn.operands));
		compare(&move, &insn.decoded, insn.operands);
		/* Not a byte fewer will do. */
		assert_false(move_decode(code, move.length - 1, &move));
		known++;
	}
	assert_true(known > TRIES / 4);
}

static void loads(void **unused)
{
	static const struct {
		struct bare_move move;
		uint64_t loaded, wanted;
	} rows[] = {
		{{.size = 8, .width = 8}, 0x8877665544332211, 0x8877665544332211},
		{{.size = 4, .width = 4}, UINT64_MAX, UINT32_MAX},
		{{.size = 2, .width = 2}, 0xfedc, 0x111111111111fedc},
		{{.size = 1, .width = 1}, 0x1234, 0x1111111111111134},
		{{.size = 1, .width = 4}, 0xffff, 0xff},
		{{.size = 2, .width = 8, .sign = 1}, 0x8000, 0xffffffffffff8000},
		{{.size = 1, .width = 4, .sign = 1}, 0x80, 0xffffff80},
		{{.size = 1, .width = 2, .sign = 1}, 0x80, 0x111111111111ff80},
		{{.size = 4, .width = 8, .sign = 1}, 0x7fffffff, 0x7fffffff},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t regs[16] = {[3] = 0x1111111111111111};
		struct bare_move move = rows[i].move;

		move.reg = 3;
		move_load(&move, regs, rows[i].loaded);
		assert_int_equal(regs[3], rows[i].wanted);
	}
}

static void stores(void **unused)
{
	const uint64_t regs[16] = {[1] = 0x8877665544332211};

	(void)unused;
	assert_int_equal(move_stored(&(struct bare_move){.size = 8, .reg = 1}, regs), 0x8877665544332211);
	assert_int_equal(move_stored(&(struct bare_move){.size = 2, .reg = 1}, regs), 0x2211);
	assert_int_equal(move_stored(&(struct bare_move){.size = 1, .reg = 1, .shift = 8}, regs), 0x22);
	assert_int_equal(move_stored(&(struct bare_move){.size = 4, .immediate = 1, .value = UINT64_MAX}, regs), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_are_what_zydis_says),
		cmocka_unit_test(loads),
		cmocka_unit_test(stores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
