/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/access_emulation.h"

#include <errno.h>
#include <string.h>

#define PAGE_OFFSET UINT64_C(0xfff)
#define PREFIX_LOCK 0xf0
#define FRAME_SIZE 48 /* of an exception with error code */
#define RSP 4

/* Index of the register that this one is a part of: those of 8 bits are not numbered as the others. */
static unsigned whole(ZydisRegister reg)
{
	reg = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	return (unsigned)ZydisRegisterGetId(reg) & 15;
}

/* All ones in the part of a register that an operand of this width fills; 32 bits clear the rest. */
static void fill_register(uint64_t *reg, unsigned width)
{
	if (width == 64)
		*reg = UINT64_MAX;
	else if (width == 32)
		*reg = UINT32_MAX;
	else
		*reg |= (UINT64_C(1) << width) - 1;
}

/* AH, CH, DH and BH are parts in the middle of a register. */
static bool fillable(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_GPR64 || class == ZYDIS_REGCLASS_GPR32 ||
	       class == ZYDIS_REGCLASS_GPR16 ||
	       (class == ZYDIS_REGCLASS_GPR8 &&
		!(reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH));
}

static int refuse_load(const struct insn *insn, uint64_t regs[16])
{
	ZydisRegister reg = insn->operands[0].reg.value;
	unsigned width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);
	uint64_t *target = &regs[whole(reg)];

	if (!fillable(reg))
		return -EOPNOTSUPP;
	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
		fill_register(target, width);
		return 0;
	case ZYDIS_MNEMONIC_MOVZX:
		if (width >= 32)
			*target = 0;
		else
			*target &= ~((UINT64_C(1) << width) - 1);
		*target |= (UINT64_C(1) << insn->operands[1].size) - 1;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* Whether all that the instruction changes is one operand in memory that it does not read. */
static bool only_stores(const struct insn *insn)
{
	unsigned stores = 0;

	if (insn->decoded.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					ZYDIS_ATTRIB_HAS_REPNE))
		return false;
	for (ZyanU8 i = 0; i < insn->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];

		if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY) {
			if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
				return false;
		} else if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT &&
			   operand->actions == ZYDIS_OPERAND_ACTION_WRITE) {
			stores++;
		} else {
			return false;
		}
	}
	return stores == 1;
}

int access_refuse(const struct page_walk_space *space, uint64_t rip, uint64_t regs[16],
		  unsigned *ret_length)
{
	struct insn insn;
	int rc = insn_fetch(space, rip, &insn);

	if (rc != 0)
		return rc;
	if (insn.decoded.operand_count >= 2 &&
	    insn.operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    insn.operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY)
		rc = refuse_load(&insn, regs);
	else if (!only_stores(&insn))
		rc = -EOPNOTSUPP;
	if (rc == 0)
		*ret_length = insn.decoded.length;
	return rc;
}

static bool same_page(uint64_t a, uint64_t b)
{
	return (a & ~PAGE_OFFSET) == (b & ~PAGE_OFFSET);
}

/* What makes an operand the one that is looked for. */
enum match {
	MATCH_ADDRESS, /* `gpa` is in it */
	MATCH_PAGE,    /* a part of it is in the page of `gpa`; BTS and its kin reach beyond it */
	MATCH_WALK,    /* the page-table entry at `gpa` translates it */
};

/* An operand of `size` bytes may lie in two pages. */
static bool reaches(const struct page_walk_space *space, uint64_t first, uint64_t size, uint64_t gpa,
		    enum match match, uint64_t *ret_gva)
{
	uint64_t last = first + (size ? size - 1 : 0), translated;
	uint64_t ends[] = {first, same_page(first, last) ? first : last & ~PAGE_OFFSET};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t gva = (ends[i] & ~PAGE_OFFSET) | (gpa & PAGE_OFFSET);
		bool inside = gva - first <= last - first;

		if (match == MATCH_WALK ? !page_walk_tables(space, ends[i], gpa)
					: (match == MATCH_ADDRESS && !inside) ||
						  page_walk_translate(space, ends[i], &translated) != 0 ||
						  !same_page(translated, gpa))
			continue;
		*ret_gva = match == MATCH_WALK ? ends[i] : gva;
		return true;
	}
	return false;
}

/* PUSH and CALL store below where RSP stands. */
static bool pushes(const ZydisDecodedOperand *operand)
{
	return operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       whole(operand->mem.base) == RSP &&
	       ZydisRegisterGetClass(operand->mem.base) != ZYDIS_REGCLASS_INVALID &&
	       operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

int access_offset(const struct insn *insn, const ZydisDecodedOperand *operand, const struct insn_state *state,
		  enum cpu_segment *ret_segment, uint64_t *ret_offset)
{
	struct insn_state pushed = *state;
	uint64_t regs[16];

	if (!pushes(operand))
		return insn_offset(insn, operand, state, ret_segment, ret_offset);
	memcpy(regs, state->regs, sizeof(regs));
	regs[RSP] -= operand->size / 8;
	pushed.regs = regs;
	return insn_offset(insn, operand, &pushed, ret_segment, ret_offset);
}

static bool find_operand(const struct page_walk_space *space, const struct insn *insn,
			 const struct insn_state *state, uint64_t gpa,
			 enum match match, uint64_t *ret_gva)
{
	for (ZyanU8 i = 0; i < insn->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];
		enum cpu_segment segment;
		uint64_t offset;

		if (access_offset(insn, operand, state, &segment, &offset) != 0)
			continue;
		if (reaches(space, cpu_mode_linear(&space->mode, segment, offset), operand->size / 8, gpa, match,
			    ret_gva))
			return true;
	}
	return false;
}

int access_find(const struct page_walk_space *space, const struct insn_state *state, uint64_t gpa,
		uint64_t *ret_gva)
{
	struct insn insn;

	if (insn_fetch(space, state->rip, &insn) != 0)
		return -ENOENT;
	return find_operand(space, &insn, state, gpa, MATCH_ADDRESS, ret_gva) ||
			       find_operand(space, &insn, state, gpa, MATCH_PAGE, ret_gva)
		       ? 0
		       : -ENOENT;
}

int access_find_fetch(const struct page_walk_space *space, uint64_t rip, uint64_t gpa, uint64_t *ret_gva)
{
	uint64_t first = cpu_mode_linear(&space->mode, SEGMENT_CS, rip);
	bool found = reaches(space, first, INSN_MAX, gpa, MATCH_PAGE, ret_gva);

	/* An address in the first page, but for the instruction's very first byte, says less than that. */
	if (found && same_page(*ret_gva, first))
		*ret_gva = first;
	return found ? 0 : -ENOENT;
}

int access_find_walk(const struct page_walk_space *space, const struct insn_state *state, uint64_t gpa,
		     uint64_t *ret_gva)
{
	struct insn insn;

	if (reaches(space, cpu_mode_linear(&space->mode, SEGMENT_CS, state->rip), 1, gpa, MATCH_WALK,
		    ret_gva))
		return 0;
	return insn_fetch(space, state->rip, &insn) == 0 &&
			       find_operand(space, &insn, state, gpa, MATCH_WALK, ret_gva)
		       ? 0
		       : -ENOENT;
}

int access_find_frame(const struct page_walk_space *space, uint64_t rsp, uint64_t gpa, uint64_t *ret_gva)
{
	uint64_t end = cpu_mode_linear(&space->mode, SEGMENT_SS, rsp);

	/* In long mode the frame is aligned (Intel SDM vol. 3A, 6.14.2). */
	if (!space->mode.legacy)
		end &= ~UINT64_C(15);
	return reaches(space, end - FRAME_SIZE, FRAME_SIZE, gpa, MATCH_ADDRESS, ret_gva) ? 0 : -ENOENT;
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size < 8 ? value & ((UINT64_C(1) << size * 8) - 1) : value;
}

/* The operand that a plain store takes its value from; NULL: it is none. */
static const ZydisDecodedOperand *source_of(const struct insn *insn)
{
	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
		return &insn->operands[0];
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVNTI:
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
		return &insn->operands[1];
	default:
		return NULL;
	}
}

static unsigned stored_size(const struct insn *insn)
{
	for (ZyanU8 i = 0; i < insn->decoded.operand_count; i++)
		if (insn->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    insn->operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE && insn->operands[i].size <= 64)
			return insn->operands[i].size / 8;
	return 0;
}

unsigned access_stored(const struct insn *insn, const uint64_t regs[16], uint64_t *ret_value)
{
	const ZydisDecodedOperand *source = source_of(insn);
	const unsigned size = source ? stored_size(insn) : 0;
	uint64_t value;

	if (size == 0)
		return 0;
	if (source->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		value = source->imm.value.u;
	else if (source->type != ZYDIS_OPERAND_TYPE_REGISTER || !insn_register(regs, source->reg.value, &value))
		return 0;
	*ret_value = low_bytes(value, size);
	return size;
}

/* Whether what an instruction stores is known from the registers behind it, and is something else. PUSH has changed RSP. */
static bool contradicts(const struct insn *insn, const struct insn_state *behind, const struct store *store)
{
	const ZydisDecodedOperand *source = source_of(insn);
	uint64_t value;

	if (!source || (source->type == ZYDIS_OPERAND_TYPE_REGISTER && source->reg.value == ZYDIS_REGISTER_RSP) ||
	    access_stored(insn, behind->regs, &value) == 0)
		return false;
	return low_bytes(value, store->size) != low_bytes(store->data, store->size);
}

/* An instruction decoded at `begin` that ends where the guest went on. */
static bool made_store(const struct page_walk_space *space, const struct insn *insn,
		       const struct insn_state *behind, uint64_t begin, const struct store *store,
		       uint64_t *ret_gva)
{
	struct insn_state state = *behind;
	bool push = insn->decoded.mnemonic == ZYDIS_MNEMONIC_PUSH;
	uint64_t address;

	state.rip = begin;
	for (ZyanU8 i = 0; i < insn->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];

		if (operand->size / 8 != store->size ||
		    !(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ||
		    (operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT && !push) ||
		    insn_address(&space->mode, insn, operand, &state, &address) != 0)
			continue;
		if (!contradicts(insn, behind, store) &&
		    reaches(space, address, store->size, store->gpa, MATCH_ADDRESS, ret_gva))
			return true;
	}
	return false;
}

/* Whether the `length` bytes in front of `behind->rip` are an instruction that made the store. */
static bool is_store(const struct page_walk_space *space, const struct insn_state *behind,
		     const uint8_t *code, unsigned length, const struct store *store,
		     uint64_t *ret_gva)
{
	struct insn insn;

	return insn_decode(&space->mode, code, length, &insn) == 0 &&
	       insn.decoded.length == length &&
	       made_store(space, &insn, behind, behind->rip - length, store, ret_gva);
}

/* The shortest counts, since what stands before it may look like a prefix that changes nothing; but for
 * LOCK, which changes nothing that can be seen here. */
int access_find_store(const struct page_walk_space *space, const struct insn_state *state,
		      const struct store *store, uint64_t *ret_rip, uint64_t *ret_gva)
{
	uint8_t code[INSN_MAX];
	unsigned found = 0;

	for (unsigned length = 1; length <= INSN_MAX; length++) {
		uint64_t first = cpu_mode_linear(&space->mode, SEGMENT_CS, state->rip - length);

		if (page_walk_fetch(space, first, code, length) != length)
			break;
		if (found && (code[0] != PREFIX_LOCK || length != found + 1))
			break;
		if (is_store(space, state, code, length, store, ret_gva))
			found = length;
	}
	if (!found)
		return -ENOENT;
	*ret_rip = state->rip - found;
	return 0;
}
