/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decodes the few instructions that the relay carries out, from their bytes: a processor without
 * decode assists says neither their length nor their register. Freestanding. Encodings are those of
 * AMD APM vol. 3, 3 (MOV CRn, CLTS, LMSW, SMSW, CPUID, VMMCALL, WRMSR) and Intel SDM vol. 3C, 31.3 (VMFUNC).
 */
#ifndef SIDESTEP_DECODE_H
#define SIDESTEP_DECODE_H

#include <stdint.h>

enum relay_insn_kind {
	RELAY_INSN_OTHER, /* anything else, memory operands included */
	RELAY_INSN_MOV_TO_CR0,
	RELAY_INSN_MOV_FROM_CR0,
	RELAY_INSN_MOV_TO_CR4,
	RELAY_INSN_MOV_FROM_CR4,
	RELAY_INSN_CLTS,
	RELAY_INSN_LMSW,
	RELAY_INSN_SMSW,
	RELAY_INSN_VMFUNC,
	RELAY_INSN_CPUID,
	RELAY_INSN_VMMCALL,
	RELAY_INSN_WRMSR,
};

struct relay_insn {
	enum relay_insn_kind kind;
	unsigned length;
	unsigned gpr;  /* operand, in the processor's numbering */
	unsigned bits; /* its size: 16, 32 or 64 */
	int locked;    /* there is a LOCK prefix, so it is RELAY_INSN_OTHER */
};

/* Width of addresses without a prefix: CS.L and CS.D. */
enum relay_mode { RELAY_MODE_32, RELAY_MODE_64, RELAY_MODE_16 };

#define RELAY_INSN_MAX 15

struct relay_prefixes {
	unsigned length;
	uint8_t rex;
	int lock, repeat, operand16;
};

#define REX_W 8u
#define REX_R 4u
#define REX_B 1u

static inline int relay_is_segment_or_size(uint8_t byte)
{
	return byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x64 ||
	       byte == 0x65 || byte == 0x67;
}

/* A REX prefix counts only directly before the opcode. */
static inline struct relay_prefixes relay_decode_prefixes(const uint8_t *code, unsigned count,
							  enum relay_mode mode)
{
	struct relay_prefixes prefixes = {0};

	for (; prefixes.length < count; prefixes.length++) {
		uint8_t byte = code[prefixes.length];

		if (mode == RELAY_MODE_64 && (byte & 0xf0) == 0x40) {
			prefixes.rex = byte;
			continue;
		}
		if (byte == 0xf0)
			prefixes.lock = 1;
		else if (byte == 0xf2 || byte == 0xf3)
			prefixes.repeat = 1;
		else if (byte == 0x66)
			prefixes.operand16 = 1;
		else if (!relay_is_segment_or_size(byte))
			break;
		prefixes.rex = 0;
	}
	return prefixes;
}

/* 0f 01 /4 is SMSW, /6 LMSW, d9 VMMCALL, d4 VMFUNC, which takes no prefix that changes an opcode. */
static inline void relay_decode_group7(const struct relay_prefixes *prefixes, uint8_t modrm,
				       struct relay_insn *insn)
{
	unsigned reg = modrm >> 3 & 7;

	if (modrm == 0xd4 && !prefixes->repeat && !prefixes->operand16)
		insn->kind = RELAY_INSN_VMFUNC;
	else if (modrm == 0xd9)
		insn->kind = RELAY_INSN_VMMCALL;
	else if (modrm >> 6 == 3 && reg == 4)
		insn->kind = RELAY_INSN_SMSW;
	else if (modrm >> 6 == 3 && reg == 6)
		insn->kind = RELAY_INSN_LMSW;
}

static inline struct relay_insn relay_decode(const uint8_t *code, unsigned count,
					     enum relay_mode mode)
{
	struct relay_prefixes prefixes = relay_decode_prefixes(code, count, mode);
	struct relay_insn insn = {.kind = RELAY_INSN_OTHER, .locked = prefixes.lock};
	const uint8_t *opcode = code + prefixes.length;
	unsigned left = count - prefixes.length;
	uint8_t modrm;

	/* LOCK makes MOV CR0 mean CR8 (APM vol. 3, MOV CRn), and the others undefined. */
	if (left < 2 || opcode[0] != 0x0f || prefixes.lock)
		return insn;
	insn.length = prefixes.length + 2;
	if (opcode[1] == 0x06 || opcode[1] == 0xa2 || opcode[1] == 0x30) {
		insn.kind = opcode[1] == 0x06   ? RELAY_INSN_CLTS
			    : opcode[1] == 0xa2 ? RELAY_INSN_CPUID
						: RELAY_INSN_WRMSR;
		return insn;
	}
	if (left < 3)
		return insn;
	modrm = opcode[2];
	insn.length++;
	insn.gpr = (modrm & 7u) | (prefixes.rex & REX_B ? 8u : 0);
	if (prefixes.rex & REX_W)
		insn.bits = 64;
	else /* the prefix chooses the other one */
		insn.bits = prefixes.operand16 == (mode == RELAY_MODE_16) ? 32 : 16;
	/* MOV CRn ignores the mode field and the operand size, which is that of the mode. */
	if ((opcode[1] == 0x20 || opcode[1] == 0x22) && (modrm >> 3 & 3) == 0 &&
	    !(prefixes.rex & REX_R)) {
		insn.kind = opcode[1] == 0x22 ? RELAY_INSN_MOV_TO_CR0 : RELAY_INSN_MOV_FROM_CR0;
		if (modrm >> 3 & 4)
			insn.kind += RELAY_INSN_MOV_TO_CR4 - RELAY_INSN_MOV_TO_CR0;
		insn.bits = mode == RELAY_MODE_64 ? 64 : 32;
	} else if (opcode[1] == 0x01) {
		relay_decode_group7(&prefixes, modrm, &insn);
	}
	return insn;
}

#endif
