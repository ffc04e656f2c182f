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
#include "vmm/base/keyset.h"
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

/* What kind of instruction it is: a number for its mnemonic and the control or debug register that it moves; 0 if that is not
 * known. The name is "out", "cpuid", "mov to cr0", "mov from cr0"; "?" of 0. */
#define DISASSEMBLY_MNEMONIC_SIZE 48
uint32_t disassembly_mnemonic(const struct record_code *code, const struct record_exit *exit,
			      enum host_backend backend);
const char *disassembly_mnemonic_name(uint32_t mnemonic, char text[DISASSEMBLY_MNEMONIC_SIZE]);

/* What was found of exits. Most are at the same few places, and each takes some decoding. Zeroed, it is empty. */
struct disassembly_mnemonics {
	struct keyset places;
	uint32_t *mnemonics; /* of each */
	size_t most;         /* of them; 0: as many as there is memory for */
};

/* Makes room for so many, for one that may not allocate later: what comes when it is full is found anew each time.
 * Returns 0 or -ENOMEM. */
int disassembly_mnemonics_reserve(struct disassembly_mnemonics *known, size_t most);

/* The same as disassembly_mnemonic(). */
uint32_t disassembly_mnemonics_find(struct disassembly_mnemonics *known, const struct record_code *code,
				    const struct record_exit *exit, enum host_backend backend);
void disassembly_mnemonics_finish(struct disassembly_mnemonics *known);

/* "symbol+0x12", or the address if there is no symbol; "[user]" and the like as they are: there code is in no function,
 * and an offset would say nothing. Symbols come from a guest: what is not printable
 * becomes a question mark. */
const char *disassembly_place_name(const struct code_place *place, char *text, size_t size);

/* The instruction that a record of one has, as above; the record may be of any ledger, or empty. Returns whether there is
 * one. */
bool disassembly_of_record(const struct record_instruction *record, char *text, size_t size);

#endif
