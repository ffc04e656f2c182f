/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instruction leaves behind besides its result, for whoever has carried it out in the processor's
 * place: where the guest goes on, RFLAGS.RF, the shadow of STI and MOV SS, and the single-step trap. The
 * other way out of an instruction, a fault, is here too. Freestanding: the relays and the VMM use the same
 * code. What costs something to read is asked for only where it matters.
 */
#ifndef VIEWS_RETIRE_H
#define VIEWS_RETIRE_H

#include <stdbool.h>
#include <stdint.h>

#define RETIRE_RFLAGS_TF UINT64_C(0x100)
#define RETIRE_RFLAGS_RF UINT64_C(0x10000)

/* Bits of VMX's guest interruptibility state (Intel SDM vol. 3C, table 25-3). SVM has one for both (AMD
 * APM vol. 2, 15.21.5), bit 0. */
#define RETIRE_SHADOW UINT64_C(3)

/* The same bit in DR6 and in VMX's pending debug exceptions. */
#define RETIRE_DEBUG_BS UINT64_C(0x4000)

/* IA32_DEBUGCTL, AMD's DebugCtl: TF traps branches only. */
#define RETIRE_DEBUGCTL_BTF UINT64_C(2)

struct retire {
	uint64_t rip, rflags;
	uint64_t blocking; /* interruptibility state, or SVM's interrupt shadow */
	bool trap;         /* result: #DB with DR6.BS is due behind the instruction */
};

/* Whether it takes the code segment to know where the guest goes on: only an address that crosses 2 GiB or
 * 4 GiB could be one that 64-bit mode does not have in common with the others. */
static inline bool retire_asks_mode(uint64_t rip, uint64_t length)
{
	return ((rip + length) ^ rip) >> 31 & 1;
}

/* Whether it takes DEBUGCTL to know if a trap is due. */
static inline bool retire_asks_debugctl(uint64_t rflags)
{
	return rflags & RETIRE_RFLAGS_TF;
}

/*
 * The instruction of `length` bytes at `state->rip` is complete; it was neither a branch nor one that
 * makes a shadow of its own. `long_mode` is CS.L, `debugctl` the guest's; they may be true and 0 where they
 * are not asked for.
 *
 * Outside 64-bit mode EIP has 32 bits. In 16-bit code too it does not wrap at 64 KiB: the limit of the
 * segment is what the next fetch runs into (SDM vol. 3B, 21.1.1). RF is clear behind every instruction (SDM
 * vol. 3B, 18.3.1.1). The shadow ends with the instruction behind STI or MOV SS (SDM vol. 2B, STI; vol. 3A,
 * 6.8.3). TF as it was when the instruction began makes the trap (SDM vol. 3B, 18.3.1.4; APM vol. 2,
 * 13.1.4), and no instruction that is carried out here changes it.
 */
static inline void retire(struct retire *state, uint64_t length, bool long_mode, uint64_t debugctl)
{
	state->rip += length;
	if (!long_mode)
		state->rip = (uint32_t)state->rip;
	state->trap = state->rflags & RETIRE_RFLAGS_TF && !(debugctl & RETIRE_DEBUGCTL_BTF);
	state->rflags &= ~RETIRE_RFLAGS_RF;
	state->blocking &= ~RETIRE_SHADOW;
}

/*
 * RFLAGS for an instruction that raises an exception instead: what an injected event pushes is RFLAGS
 * as the guest's state has it, so RF has to be set there for a fault, which lets the repeated
 * instruction pass its code breakpoint. Traps (#DB, #BP, #OF) and aborts (#DF, #MC) leave RF as it is
 * (SDM vol. 3B, 18.3.1.1; vol. 3A, 6.5).
 */
static inline uint64_t retire_fault(uint64_t rflags, uint64_t vector)
{
	const uint64_t others = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 8 | 1 << 18;

	return vector < 32 && !(others >> vector & 1) ? rflags | RETIRE_RFLAGS_RF : rflags;
}

#endif
