/* SPDX-License-Identifier: GPL-2.0-only */
#include "operand.h"

#include "guestfw/relay/decode.h"

#define REX_X 2u
#define GROUP7_SMSW 4
#define GROUP7_LMSW 6
enum { RSP = 4, RBP, NONE = 16 };

static unsigned base_register(const uint8_t *modrm, uint8_t rex)
{
	const unsigned rm = modrm[0] & 7, base = rm == RM_SIB ? modrm[1] & 7 : rm;

	if (modrm[0] >> 6 == 0 && base == RM_DISPLACEMENT)
		return NONE;
	return base | (rex & REX_B ? 8 : 0);
}

/* RSP is none; R12 is one. */
static uint64_t scaled_index(const uint8_t *modrm, uint8_t rex, const uint64_t regs[16])
{
	unsigned index;

	if ((modrm[0] & 7) != RM_SIB)
		return 0;
	index = (modrm[1] >> 3 & 7) | (rex & REX_X ? 8 : 0);
	return index == RSP ? 0 : regs[index] << (modrm[1] >> 6);
}

/* Extended by its sign, of 0, 1 or 4 bytes. */
static uint64_t displacement(const uint8_t *from, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)from[i] << 8 * i;
	return (uint64_t)(size == 1 ? (int64_t)(int8_t)value : (int64_t)(int32_t)value);
}

/* Without a base and without SIB a displacement counts from the next instruction. */
static uint64_t base_value(const uint8_t *modrm, unsigned base, uint64_t next, const uint64_t regs[16])
{
	if (base != NONE)
		return regs[base];
	return (modrm[0] & 7) == RM_SIB ? 0 : next;
}

int operand_decode(const uint8_t *code, unsigned count, uint64_t rip, const uint64_t regs[16],
		   struct operand *ret_operand)
{
	const struct relay_prefixes prefixes = relay_decode_prefixes(code, count, RELAY_MODE_64);
	const uint8_t *opcode = code + prefixes.length, *modrm;
	const unsigned left = count - prefixes.length;
	unsigned length, fixed, base, group;

	if (left < 3 || prefixes.lock || opcode[0] != 0x0f || opcode[1] != 0x01)
		return 0;
	modrm = opcode + 2;
	group = modrm[0] >> 3 & 7;
	length = operand_length(modrm, left - 2);
	if (length == 0 || length > left - 2 || (group != GROUP7_SMSW && group != GROUP7_LMSW))
		return 0;
	fixed = (modrm[0] & 7) == RM_SIB ? 2 : 1;
	base = base_register(modrm, prefixes.rex);
	*ret_operand = (struct operand){
		.length = prefixes.length + 2 + length,
		.store = group == GROUP7_SMSW,
		.segment = operand_segment(code, prefixes.length, 1, base == RSP || base == RBP ? PREFIX_SS : PREFIX_DS),
	};
	ret_operand->offset = base_value(modrm, base, rip + ret_operand->length, regs) +
			      scaled_index(modrm, prefixes.rex, regs) + displacement(modrm + fixed, length - fixed);
	if (operand_has_address_prefix(code, prefixes.length))
		ret_operand->offset = (uint32_t)ret_operand->offset;
	return 1;
}
