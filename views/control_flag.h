/* SPDX-License-Identifier: GPL-2.0-only */
/* The flags of the control registers. */
#ifndef VIEWS_CONTROL_FLAG_H
#define VIEWS_CONTROL_FLAG_H

#include <stddef.h>
#include <stdint.h>

/* Flags of CR0 and CR4: register, name, bit (Intel SDM volume 3A, 2.5), why nobody but the guest can own it
 * (NULL: somebody can). CR0.ET and the reserved bits of CR0 below bit 32 are missing: no load changes them. */
#define CONTROL_FLAGS(X) \
	X(CR0, PE, 0, "without it or paging there is no guest of an engine") \
	X(CR0, MP, 1, NULL) \
	X(CR0, EM, 2, NULL) \
	X(CR0, TS, 3, NULL) \
	X(CR0, NE, 5, NULL) \
	X(CR0, WP, 16, NULL) \
	X(CR0, AM, 18, NULL) \
	X(CR0, NW, 29, NULL) \
	X(CR0, CD, 30, NULL) \
	X(CR0, PG, 31, "without it or protection there is no guest of an engine") \
	X(CR4, VME, 0, NULL) \
	X(CR4, PVI, 1, NULL) \
	X(CR4, TSD, 2, NULL) \
	X(CR4, DE, 3, NULL) \
	X(CR4, PSE, 4, "a write of it flushes the TLB, which one of a shadow would not") \
	X(CR4, PAE, 5, "64-bit mode needs it") \
	X(CR4, MCE, 6, NULL) \
	X(CR4, PGE, 7, "a write of it flushes the TLB, which one of a shadow would not") \
	X(CR4, PCE, 8, NULL) \
	X(CR4, OSFXSR, 9, NULL) \
	X(CR4, OSXMMEXCPT, 10, NULL) \
	X(CR4, UMIP, 11, NULL) \
	X(CR4, LA57, 12, "it cannot change in 64-bit mode") \
	X(CR4, VMXE, 13, "it is the engine's, if it is anybody's") \
	X(CR4, SMXE, 14, "no engine has SMX") \
	X(CR4, FSGSBASE, 16, NULL) \
	X(CR4, PCIDE, 17, "a write of it flushes the TLB, which one of a shadow would not") \
	X(CR4, OSXSAVE, 18, "XSETBV and CPUID go by the register") \
	X(CR4, KL, 19, "no engine carries the state that belongs to it") \
	X(CR4, SMEP, 20, NULL) \
	X(CR4, SMAP, 21, NULL) \
	X(CR4, PKE, 22, NULL) \
	X(CR4, CET, 23, "no engine carries the state that belongs to it") \
	X(CR4, PKS, 24, "no engine carries the state that belongs to it") \
	X(CR4, UINTR, 25, "no engine carries the state that belongs to it") \
	X(CR4, LAM_SUP, 28, "no engine carries the state that belongs to it") \
	X(CR4, FRED, 32, "no engine carries the state that belongs to it")

enum control_bit {
#define CONTROL_BIT_ENUM(reg, name, bit, fixed) CONTROL_BIT_##reg##_##name = bit,
	CONTROL_FLAGS(CONTROL_BIT_ENUM)
#undef CONTROL_BIT_ENUM
};

#define CONTROL_FLAG(reg, name) (UINT64_C(1) << CONTROL_BIT_##reg##_##name)

enum control_register {
	CONTROL_REGISTER_INVALID,
	CONTROL_CR0,
	CONTROL_CR4,
	CONTROL_REGISTER_COUNT
};

/* The table as data, and CR0.ET. */
struct control_flag {
	const char *name;
	enum control_register reg;
	unsigned bit;
	const char *fixed; /* why nobody but the guest can own it, or NULL */
};

extern const struct control_flag control_flags[];
extern const size_t control_flag_count;

#endif
