/* SPDX-License-Identifier: GPL-2.0-only */
#include "move.h"

#include "guestfw/relay/decode.h"
#include "operand.h"

/* The opcodes, in two maps: OPCODE(map, opcode, flags). */
enum { BYTE = 1, LOAD = 2, SIGN = 4, FROM_8 = 8, FROM_16 = 16, FROM_32 = 32, IMMEDIATE = 64, OFFSET = 128, NO_16 = 256 };

static const struct {
	uint8_t map, opcode;
	uint16_t flags;
} opcodes[] = {
	{0, 0x88, BYTE},		{0, 0x89, 0},
	{0, 0x8a, BYTE | LOAD},		{0, 0x8b, LOAD},
	{0, 0xa0, BYTE | LOAD | OFFSET}, {0, 0xa1, LOAD | OFFSET},
	{0, 0xa2, BYTE | OFFSET},	{0, 0xa3, OFFSET},
	{0, 0xc6, BYTE | IMMEDIATE},	{0, 0xc7, IMMEDIATE},
	{0, 0x63, LOAD | SIGN | FROM_32}, {1, 0xb6, LOAD | FROM_8},
	{1, 0xb7, LOAD | FROM_16},	{1, 0xbe, LOAD | SIGN | FROM_8},
	{1, 0xbf, LOAD | SIGN | FROM_16}, {1, 0xc3, NO_16},
};

static unsigned memory_size(unsigned flags, unsigned width)
{
	if (flags & (BYTE | FROM_8))
		return 1;
	return flags & FROM_16 ? 2 : flags & FROM_32 ? 4 : width;
}

/* A register of a byte is AH, CH, DH or BH if there is no REX prefix. */
static int set_register(struct bare_move *move, unsigned flags, unsigned number, uint8_t rex)
{
	move->reg = number;
	if (!(flags & BYTE) || rex || number < 4)
		return 1;
	move->reg = number - 4;
	move->shift = 8;
	return !move->load;
}

static int set_immediate(struct bare_move *move, const uint8_t *from, unsigned count)
{
	const unsigned size = move->size < 4 ? move->size : 4;

	if (size > count)
		return 0;
	move->immediate = 1;
	for (unsigned i = 0; i < size; i++)
		move->value |= (uint64_t)from[i] << 8 * i;
	if (size == 4)
		move->value = (uint64_t)(int64_t)(int32_t)move->value;
	move->length += size;
	return 1;
}

static unsigned flags_of(unsigned map, uint8_t opcode)
{
	for (unsigned i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if (opcodes[i].map == map && opcodes[i].opcode == opcode)
			return opcodes[i].flags | 0x8000u;
	return 0;
}

/* What follows the opcode. */
static int decode_operands(struct bare_move *move, unsigned flags, const uint8_t *at, unsigned count, uint8_t rex)
{
	const unsigned reg = count ? (at[0] >> 3 & 7u) | (rex & REX_R ? 8u : 0) : 0;
	const unsigned length = count ? operand_length(at, count) : 0;

	if (length == 0 || length > count)
		return 0;
	move->length += length;
	if (flags & IMMEDIATE)
		return (at[0] >> 3 & 7) == 0 && set_immediate(move, at + length, count - length);
	return set_register(move, flags, reg, rex);
}

int move_decode(const uint8_t *code, unsigned count, struct bare_move *ret_move)
{
	const struct relay_prefixes prefixes = relay_decode_prefixes(code, count, RELAY_MODE_64);
	const unsigned two = prefixes.length < count && code[prefixes.length] == 0x0f;
	const unsigned opcode = prefixes.length + two;
	unsigned flags;

	*ret_move = (struct bare_move){.length = opcode + 1};
	if (opcode >= count || prefixes.lock || prefixes.repeat)
		return 0;
	flags = flags_of(two, code[opcode]);
	if (!flags || (flags & NO_16 && prefixes.operand16))
		return 0;
	ret_move->load = (flags & LOAD) != 0;
	ret_move->sign = (flags & SIGN) != 0;
	ret_move->width = flags & BYTE ? 1 : prefixes.rex & REX_W ? 8 : prefixes.operand16 ? 2 : 4;
	ret_move->size = memory_size(flags, ret_move->width);
	if (ret_move->size > ret_move->width)
		return 0;
	if (flags & OFFSET) {
		ret_move->length += operand_has_address_prefix(code, prefixes.length) ? 4 : 8;
		return ret_move->length <= count;
	}
	return decode_operands(ret_move, flags, code + opcode + 1, count - opcode - 1, prefixes.rex);
}

static uint64_t mask_of(unsigned bytes)
{
	return UINT64_MAX >> (64 - 8 * bytes);
}

uint64_t move_stored(const struct bare_move *move, const uint64_t regs[16])
{
	return (move->immediate ? move->value : regs[move->reg] >> move->shift) & mask_of(move->size);
}

void move_load(const struct bare_move *move, uint64_t regs[16], uint64_t value)
{
	const unsigned unused = 64 - 8 * move->size;
	uint64_t *reg = &regs[move->reg];

	value = move->sign ? (uint64_t)((int64_t)(value << unused) >> unused) : value & mask_of(move->size);
	if (move->width >= 4)
		*reg = value & mask_of(move->width);
	else
		*reg = (*reg & ~mask_of(move->width)) | (value & mask_of(move->width));
}
