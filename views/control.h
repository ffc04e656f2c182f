/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that write and read CR0 and CR4, with flags that have an owner and a shadow location:
 * what the guest sees, what becomes of register and shadow, whether the VMM must be asked, and
 * whether the processor would raise #GP. Privilege is left out.
 */
#ifndef VIEWS_CONTROL_H
#define VIEWS_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "views/control_flag.h"
#include "views/flags.h"

enum control_insn {
	CONTROL_INSN_INVALID,
	CONTROL_MOV_TO, /* a control register, 32 or 64 bits wide */
	CONTROL_MOV_FROM,
	CONTROL_CLTS,
	CONTROL_LMSW, /* loads bits 3:0 of CR0, but does not clear PE */
	CONTROL_SMSW, /* 16, 32 or 64 bits wide */
};

/*
 * Why a write raises #GP(0), in the order of the checks: name, register, test, flags, text. A
 * rule speaks if one of its flags is written to the register; without flags of its own it speaks
 * always. Intel SDM volume 2B, MOV to control registers (protected and 64-bit mode); volume
 * 3A, 2.5 and 10.8.5; volume 3C, 24.8 and 26.3.
 */
#define CONTROL_FAULTS(X) \
	X(CR0_RESERVED, CR0, sets_reserved, 0, \
	  "a bit of CR0[63:32] is set") \
	X(PG_WITHOUT_PE, CR0, pg_without_pe, CONTROL_FLAG(CR0, PG) | CONTROL_FLAG(CR0, PE), \
	  "CR0.PG is set and CR0.PE clear") \
	X(NW_WITHOUT_CD, CR0, nw_without_cd, CONTROL_FLAG(CR0, NW) | CONTROL_FLAG(CR0, CD), \
	  "CR0.NW is set and CR0.CD clear") \
	X(PG_WITHOUT_PAE, CR0, pg_without_pae, CONTROL_FLAG(CR0, PG), \
	  "CR0.PG is set with IA32_EFER.LME set and CR4.PAE clear") \
	X(PG_SET_IN_64_BIT_CS, CR0, pg_set_in_64_bit_cs, CONTROL_FLAG(CR0, PG), \
	  "CR0.PG becomes set with IA32_EFER.LME and CS.L set") \
	X(PG_CLEARED_IN_64_BIT_MODE, CR0, pg_cleared_in_64_bit_mode, CONTROL_FLAG(CR0, PG), \
	  "CR0.PG becomes clear in 64-bit mode") \
	X(PG_CLEARED_WITH_PCIDE, CR0, pg_cleared_with_pcide, CONTROL_FLAG(CR0, PG), \
	  "CR0.PG becomes clear with CR4.PCIDE set") \
	X(WP_CLEAR_WITH_CET, CR0, wp_clear_with_cet, CONTROL_FLAG(CR0, WP), \
	  "CR0.WP is clear with CR4.CET set") \
	X(CR0_FIXED_TO_1, CR0, clears_fixed, 0, \
	  "a flag of CR0 is cleared that VMX operation fixes to 1") \
	X(CR0_FIXED_TO_0, CR0, sets_fixed, 0, \
	  "a flag of CR0 is set that VMX operation fixes to 0") \
	X(CR4_RESERVED, CR4, sets_reserved, 0, \
	  "a bit of CR4 is set that the processor reserves") \
	X(PAE_CLEARED, CR4, pae_cleared, CONTROL_FLAG(CR4, PAE), \
	  "CR4.PAE becomes clear in IA-32e mode") \
	X(LA57_CHANGED, CR4, la57_changed, CONTROL_FLAG(CR4, LA57), \
	  "CR4.LA57 changes in IA-32e mode") \
	X(PCIDE_OUTSIDE_IA32E, CR4, pcide_outside_ia32e, CONTROL_FLAG(CR4, PCIDE), \
	  "CR4.PCIDE becomes set outside IA-32e mode") \
	X(PCIDE_WITH_CR3, CR4, pcide_with_cr3, CONTROL_FLAG(CR4, PCIDE), \
	  "CR4.PCIDE becomes set with CR3[11:0] not zero") \
	X(CET_WITHOUT_WP, CR4, cet_without_wp, CONTROL_FLAG(CR4, CET), \
	  "CR4.CET is set with CR0.WP clear") \
	X(CR4_FIXED_TO_1, CR4, clears_fixed, 0, \
	  "a flag of CR4 is cleared that VMX operation fixes to 1") \
	X(CR4_FIXED_TO_0, CR4, sets_fixed, 0, \
	  "a flag of CR4 is set that VMX operation fixes to 0")

enum control_fault {
	CONTROL_FAULT_INVALID,
	CONTROL_LEGAL,
#define CONTROL_FAULT_ENUM(name, reg, test, flags, text) CONTROL_FAULT_##name,
	CONTROL_FAULTS(CONTROL_FAULT_ENUM)
#undef CONTROL_FAULT_ENUM
	CONTROL_FAULT_COUNT
};

/* What legality depends on, apart from the register itself. */
struct control_context {
	uint64_t other; /* CR4 for a write of CR0, CR0 for a write of CR4 */
	uint64_t cr3;
	uint64_t cr4_supported; /* flags of CR4 that the processor has; the rest is reserved */
	uint64_t fixed0; /* flags that are 1 in VMX operation; 0 outside it */
	uint64_t fixed1; /* flags that may be 1 in VMX operation; all ones outside it */
	bool unrestricted_guest; /* exempts CR0.PE and CR0.PG from fixed0 */
	bool lme, lma;           /* of IA32_EFER */
	bool cs_l;
};

struct control_state {
	enum control_register reg; /* CLTS, LMSW and SMSW need CR0 */
	enum ss_embodiment embodiment;
	uint64_t words[FLAGS_WORDS];
	uint64_t shadow;             /* shadow location */
	uint64_t value;              /* the register itself */
	struct control_context context;
};

struct control_operation {
	enum control_insn insn;
	unsigned width;   /* in bits; CLTS and LMSW have only one */
	uint64_t operand; /* source, or destination register before the instruction */
};

/*
 * What an instruction does. If the VMM must be asked, nothing has happened yet: `value` and `shadow`
 * show what the words alone decide, and control_answer() finishes. The exit comes before any #GP
 * (Intel SDM volume 3C, 26.1.1), so legality is then that function's concern.
 */
struct control_result {
	uint64_t seen;        /* the register as the guest sees it before the instruction */
	uint64_t destination; /* reads: destination register afterwards */
	uint64_t value;       /* the register itself afterwards */
	uint64_t shadow;      /* shadow location afterwards */
	uint64_t ask;         /* flags that change as the guest sees them and that the VMM decides */
	uint64_t wanted;      /* writes: the value that the guest gives the written flags */
	struct flags_decision decision; /* about all flags that the instruction accesses */
	enum control_fault fault;       /* not LEGAL: #GP(0), and nothing changes */
};

/* Flags of the register that a write can change; of CR4, as far as the processor has them. */
uint64_t control_writable(const struct control_state *state);

struct control_result control_execute(const struct control_state *state,
				      const struct control_operation *operation);

/* The VMM's answer to a result that asks: asked flags within `to_register` are written to the
 * register, the others to the shadow location. */
struct control_result control_answer(const struct control_state *state,
				     const struct control_result *asked, uint64_t to_register);

/* Whether the register may get a value when `written` are the flags written to it. Bits that the
 * processor reserves count as written. */
enum control_fault control_check(const struct control_state *state, uint64_t value,
				 uint64_t written);

/* The text; NULL for no row of the table. */
const char *control_fault_text(enum control_fault fault);

#endif
