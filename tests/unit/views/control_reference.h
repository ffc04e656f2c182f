/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions on control registers by a reference that takes one flag at a time. */
#ifndef TESTS_CONTROL_REFERENCE_H
#define TESTS_CONTROL_REFERENCE_H

#include <stdbool.h>

#include "control.h"

#define BIT(n) (UINT64_C(1) << (n))

/* Typed from the manual a second time. */
#define PE BIT(0)
#define MP BIT(1)
#define EM BIT(2)
#define TS BIT(3)
#define ET BIT(4)
#define NE BIT(5)
#define WP BIT(16)
#define NW BIT(29)
#define CD BIT(30)
#define PG BIT(31)
#define PAE BIT(5)
#define LA57 BIT(12)
#define VMXE BIT(13)
#define PCIDE BIT(17)
#define CET BIT(23)

#define CR0_WRITABLE UINT64_C(0xe005002f)
#define CR4_WRITABLE UINT64_C(0x113ff7fff)

/* A state, with owned and kept flags as they are meant. */
struct control_scenario {
	struct control_state state;
	uint64_t owned, kept;
};

/* Neither long mode nor VMX operation; every bit of CR4 is there. */
extern const struct control_context reference_legacy;

/* 64-bit code in VMX operation, on a processor without LAM and FRED. */
struct control_context reference_long_mode(enum control_register reg);

/* A scenario of two words for CR0 in legacy mode. */
struct control_scenario reference_cr0(uint64_t owned, uint64_t kept, uint64_t shadow, uint64_t value);

/* Flags that can be owned. */
uint64_t reference_writable(const struct control_state *state);

/* Says in words what is meant, contradictory or not. */
void reference_set_words(struct control_scenario *scenario);

/* What a read gives. */
uint64_t reference_seen(const struct control_scenario *scenario);

/* Executes an operation; fails the test unless everything about the result is as the reference has it. */
struct control_result reference_compare(const struct control_scenario *scenario,
					const struct control_operation *operation);

/* The same for an instruction with an operand of 64 bits. */
struct control_result reference_run(const struct control_scenario *scenario, enum control_insn insn,
				    uint64_t operand);

/* Random numbers from a seed. */
uint64_t reference_next(uint64_t *seed);

static inline bool reference_has(uint64_t word, unsigned n)
{
	return word >> n & 1;
}

#endif
