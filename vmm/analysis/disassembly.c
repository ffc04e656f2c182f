/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/disassembly.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "guestfw/relay/relay.h"
#include "vmm/emulate/instruction.h"
#include "vmm/ledger/summary.h"

/* In the mode that the code was noted in. */
static bool decode(const struct record_code *code, unsigned at, unsigned end, struct insn *insn)
{
	const struct cpu_mode mode = {.code = (enum cpu_width)code->width,
				      .stack = (enum cpu_width)code->width};

	return insn_decode(&mode, code->bytes + at, end - at, insn) == 0;
}

static bool is_out(const struct insn *insn, unsigned size)
{
	ZydisMnemonic mnemonic = insn->decoded.mnemonic;

	(void)size;
	return mnemonic == ZYDIS_MNEMONIC_OUT || mnemonic == ZYDIS_MNEMONIC_OUTSB ||
	       mnemonic == ZYDIS_MNEMONIC_OUTSW || mnemonic == ZYDIS_MNEMONIC_OUTSD;
}

/* KVM takes accesses of more than 8 bytes apart. */
static bool is_store(const struct insn *insn, unsigned size)
{
	for (unsigned i = 0; i < insn->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];

		if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
		    (operand->size == size * 8 || operand->size > 64))
			return true;
	}
	return false;
}

static bool is_halt(const struct insn *insn, unsigned size)
{
	(void)size;
	return insn->decoded.mnemonic == ZYDIS_MNEMONIC_HLT;
}

typedef bool code_test(const struct insn *insn, unsigned size);

/* What the instruction must be like if KVM may have stepped over it; NULL: it has not. What the relay
 * passes on by its port has the RIP of the guest that the relay was told. */
static code_test *test_of(const struct record_exit *exit)
{
	bool write = exit->detail >> 8;

	if (exit->record.level != LEVEL_VMM)
		return NULL;
	if (exit->reason == EXIT_REASON_IO)
		return write && exit->qualification != RELAY_PORT ? is_out : NULL;
	if (exit->reason == EXIT_REASON_MMIO)
		return write ? is_store : NULL;
	return exit->reason == EXIT_REASON_HLT ? is_halt : NULL;
}

/*
 * Length of the instruction that ends at the RIP and passes the test, 0 if there is none. Where it begins
 * is not written anywhere: decoding is tried from every byte in front, and as instructions decoded
 * from a wrong start soon fall in step with the right ones, the start that most of them come to is
 * taken; of several the farthest, which has the prefixes in it.
 */
static unsigned length_before(const struct record_code *code, code_test *test, unsigned size)
{
	unsigned votes[CODE_BEFORE + 1] = {0}, best = 0;
	struct insn insn;

	for (unsigned start = 0; start < code->before; start++) {
		unsigned at = start;

		while (at < code->before && decode(code, at, code->before, &insn)) {
			unsigned length = insn.decoded.length;

			if (at + length == code->before && test(&insn, size))
				votes[length]++;
			at += length;
		}
	}
	for (unsigned length = 1; length <= CODE_BEFORE; length++)
		if (votes[length] && votes[length] >= votes[best])
			best = length;
	return best;
}

/* Whether the instruction that ends at the RIP is the one that exited. If both it and the one that
 * begins there could be, it depends on whether KVM interprets: then it has stepped over it. Stores
 * and HLT it has stepped over always. */
static unsigned stepped_over(const struct record_code *code, const struct record_exit *exit,
			     enum host_backend backend)
{
	code_test *test = test_of(exit);
	unsigned size = exit->detail & 0xff, length;
	struct insn next;

	length = test ? length_before(code, test, size) : 0;
	if (length && test == is_out && backend != HOST_BACKEND_PVM &&
	    decode(code, code->before, code->count, &next) &&
	    test(&next, size))
		return 0;
	return length;
}

/* The one that begins so many bytes in front of the RIP. */
static bool decode_at(const struct record_code *code, unsigned back, struct insn *insn)
{
	return decode(code, code->before - back, back ? code->before : code->count, insn);
}

static void disassemble(const struct record_code *code, unsigned back, struct code_place *place)
{
	struct insn insn;

	if (!decode_at(code, back, &insn))
		return;
	place->length = insn.decoded.length;
	insn_text(&insn, place->address, place->text, sizeof(place->text));
}

/* What stands for a function where code is in none of the file of --symbols: "[user]". It has no beginning. */
static bool is_no_function(const char *symbol)
{
	return symbol[0] == '[';
}

void disassembly_locate(const struct record_code *code, const struct record_exit *exit,
			enum host_backend backend, struct code_place *ret_place)
{
	unsigned back;

	*ret_place = (struct code_place){.address = exit->rip, .text = "?"};
	if (!code)
		return;
	back = stepped_over(code, exit, backend);
	ret_place->address -= back;
	if (is_no_function(code->symbol) || (code->symbol[0] && code->offset >= back)) {
		ret_place->symbol = code->symbol;
		ret_place->offset = code->offset >= back ? code->offset - back : 0;
	}
	disassemble(code, back, ret_place);
}

/* A number of disassembly_mnemonic(): Zydis's of the mnemonic, above it that of the register, and whether that is
 * written. */
#define MNEMONIC_REGISTER_SHIFT 16
#define MNEMONIC_REGISTER_MASK 0x7fffu
#define MNEMONIC_WRITES (1u << 31)
_Static_assert(ZYDIS_MNEMONIC_MAX_VALUE < 1u << MNEMONIC_REGISTER_SHIFT, "a mnemonic needs more bits");
_Static_assert(ZYDIS_REGISTER_MAX_VALUE <= MNEMONIC_REGISTER_MASK, "a register needs more bits");

/* The control or debug register that an assembler writes as an operand. */
static uint32_t moved_register(const struct insn *insn)
{
	for (unsigned i = 0; i < insn->decoded.operand_count_visible; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];
		ZydisRegisterClass class;

		if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		class = ZydisRegisterGetClass(operand->reg.value);
		if (class == ZYDIS_REGCLASS_CONTROL || class == ZYDIS_REGCLASS_DEBUG)
			return (uint32_t)operand->reg.value << MNEMONIC_REGISTER_SHIFT |
			       (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? MNEMONIC_WRITES : 0);
	}
	return 0;
}

uint32_t disassembly_mnemonic(const struct record_code *code, const struct record_exit *exit,
			      enum host_backend backend)
{
	struct insn insn;

	if (!code || !decode_at(code, stepped_over(code, exit, backend), &insn))
		return 0;
	return (uint32_t)insn.decoded.mnemonic | moved_register(&insn);
}

const char *disassembly_mnemonic_name(uint32_t mnemonic, char text[DISASSEMBLY_MNEMONIC_SIZE])
{
	uint32_t reg = mnemonic >> MNEMONIC_REGISTER_SHIFT & MNEMONIC_REGISTER_MASK;
	const char *name = ZydisMnemonicGetString((ZydisMnemonic)(mnemonic & UINT16_MAX));

	if (!mnemonic || !name)
		return "?";
	if (reg)
		snprintf(text, DISASSEMBLY_MNEMONIC_SIZE, "%s %s %s", name, mnemonic & MNEMONIC_WRITES ? "to" : "from",
			 ZydisRegisterGetString((ZydisRegister)reg));
	else
		snprintf(text, DISASSEMBLY_MNEMONIC_SIZE, "%s", name);
	return text;
}

/* All of an exit that decides where its instruction is. */
static struct key key_of(const struct record_exit *exit)
{
	uint64_t relay = exit->qualification == RELAY_PORT;

	return (struct key){exit->rip, exit->record.level | (uint64_t)exit->reason << 16 |
					       (uint64_t)exit->detail << 32 | relay << 48};
}

int disassembly_mnemonics_reserve(struct disassembly_mnemonics *known, size_t most)
{
	known->mnemonics = calloc(most, sizeof(*known->mnemonics));
	known->most = most;
	return known->mnemonics ? keyset_reserve(&known->places, most) : -ENOMEM;
}

static bool has_room(struct disassembly_mnemonics *known)
{
	const size_t count = known->places.count;
	uint32_t *mnemonics;

	if (known->most)
		return count < known->most;
	if (keyset_reserve(&known->places, count + 1) != 0)
		return false;
	mnemonics = realloc(known->mnemonics, known->places.capacity * sizeof(*mnemonics));
	if (!mnemonics)
		return false;
	known->mnemonics = mnemonics;
	return true;
}

uint32_t disassembly_mnemonics_find(struct disassembly_mnemonics *known, const struct record_code *code,
				    const struct record_exit *exit, enum host_backend backend)
{
	int64_t number;
	uint32_t found;

	if (!code)
		return 0;
	number = keyset_find(&known->places, key_of(exit));
	if (number >= 0 && known->mnemonics)
		return known->mnemonics[number];
	found = disassembly_mnemonic(code, exit, backend);
	/* Without memory to keep it in, it is found anew. */
	if (has_room(known))
		known->mnemonics[keyset_add(&known->places, key_of(exit))] = found;
	return found;
}

void disassembly_mnemonics_finish(struct disassembly_mnemonics *known)
{
	keyset_finish(&known->places);
	free(known->mnemonics);
	known->mnemonics = NULL;
}

const char *disassembly_place_name(const struct code_place *place, char *text, size_t size)
{
	if (!place->symbol) {
		snprintf(text, size, "0x%" PRIx64, place->address);
		return text;
	}
	if (is_no_function(place->symbol))
		snprintf(text, size, "%s", place->symbol);
	else
		snprintf(text, size, "%s+0x%" PRIx32, place->symbol, place->offset);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

bool disassembly_of_record(const struct record_instruction *record, char *text, size_t size)
{
	const struct cpu_mode mode = {.code = (enum cpu_width)record->width, .stack = (enum cpu_width)record->width};
	struct insn insn;

	if (record->count == 0 || record->count > RECORD_INSN_SIZE || record->width >= WIDTH_COUNT ||
	    insn_decode(&mode, record->bytes, record->count, &insn) != 0)
		return false;
	insn_text(&insn, record->rip, text, size);
	return true;
}
