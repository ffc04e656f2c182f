/* SPDX-License-Identifier: GPL-2.0-only */
/* Operands in memory, from the bytes of an instruction in 64-bit mode: what instructions have in common that the
 * monitor carries out, and those of LMSW and SMSW. Encodings are those of Intel SDM vol. 2. */
#ifndef SIDESTEP_BARE_OPERAND_H
#define SIDESTEP_BARE_OPERAND_H

#include <stdint.h>

enum {
	PREFIX_ES = 0x26,
	PREFIX_CS = 0x2e,
	PREFIX_SS = 0x36,
	PREFIX_DS = 0x3e,
	PREFIX_FS = 0x64,
	PREFIX_GS,
	PREFIX_ADDRESS = 0x67,
};

#define RM_SIB 4
#define RM_DISPLACEMENT 5

/* Bytes of ModR/M, SIB and displacement, if they name memory; 0: they do not. */
static inline unsigned operand_length(const uint8_t *modrm, unsigned count)
{
	const unsigned mod = modrm[0] >> 6, rm = modrm[0] & 7;
	unsigned length = rm == RM_SIB ? 2 : 1;

	if (mod == 3 || length > count)
		return 0;
	if (mod == 1)
		return length + 1;
	if (mod == 2 || (rm == RM_SIB ? modrm[1] & 7 : rm) == RM_DISPLACEMENT)
		return length + 4;
	return length;
}

/* Among so many prefixes. */
static inline int operand_has_address_prefix(const uint8_t *code, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (code[i] == PREFIX_ADDRESS)
			return 1;
	return 0;
}

/* In 64-bit mode the others are ignored. */
static inline int operand_is_segment_prefix(uint8_t byte, int is_64)
{
	return byte == PREFIX_FS || byte == PREFIX_GS ||
	       (!is_64 && (byte == PREFIX_ES || byte == PREFIX_CS || byte == PREFIX_SS || byte == PREFIX_DS));
}

/* The segment that so many prefixes choose, as the last of them; `usual` if none does. */
static inline unsigned operand_segment(const uint8_t *code, unsigned count, int is_64, unsigned usual)
{
	for (unsigned i = count; i-- > 0;)
		if (operand_is_segment_prefix(code[i], is_64))
			return code[i];
	return usual;
}

/* A word in memory, of LMSW or SMSW. */
struct operand {
	unsigned length;  /* of the instruction */
	int store;        /* SMSW stores it, LMSW loads it */
	unsigned segment; /* PREFIX_FS or PREFIX_GS; else, with no base, PREFIX_SS or PREFIX_DS */
	uint64_t offset;  /* in the segment */
};

/* Decodes the bytes of an instruction in 64-bit mode, so many of which are there. `rip` is its own, and registers are
 * in the processor's numbering. Returns whether it is one of the two with an operand in memory: with a LOCK prefix it
 * is none. */
int operand_decode(const uint8_t *code, unsigned count, uint64_t rip, const uint64_t regs[16],
		   struct operand *ret_operand);

#endif
