/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction behind an exit, from the bytes around its RIP. KVM has stepped over some instructions
 * when the VMM sees their exit: HLT, stores to memory-mapped devices, and OUT where it interpreted it.
 * The RIP is then that of the next one.
 */
#ifndef VMM_ANALYSIS_DISASSEMBLY_H
#define VMM_ANALYSIS_DISASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

#include "views/expect.h"
#include "vmm/ledger/record.h"

struct code_place {
	uint64_t address;   /* of the instruction; the exit's RIP if it is not known */
	unsigned length;    /* in bytes; 0: not known */
	const char *symbol; /* function that holds it; NULL: not known */
	uint32_t offset;    /* in that function */
	char text[96];      /* disassembled, in Intel's syntax; "?" if it is not known */
};

/* Finds the instruction of an exit with that reason and detail (see struct record_exit) at that level.
 * `code` has been validated by whoever took it from a ledger; it may be NULL. */
void disassembly_locate(const struct record_code *code, const struct record_exit *exit,
			enum host_backend backend, struct code_place *ret_place);

/* "symbol+0x12", or the address if there is no symbol; "[user]" and the like as they are: there code is in no function,
 * and an offset would say nothing. Symbols come from a guest: what is not printable
 * becomes a question mark. */
const char *disassembly_place_name(const struct code_place *place, char *text, size_t size);

#endif
