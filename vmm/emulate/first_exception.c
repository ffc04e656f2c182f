/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/first_exception.h"

#include <errno.h>

#include "views/paging.h"
#include "vmm/emulate/access_emulation.h"

#define CR0_MP 2u
#define CR0_EM 4u
#define CR0_TS 8u
#define CR4_OSFXSR 0x200u

enum { RAX, RCX, RDX };

enum vector {
	VECTOR_DE = 0,
	VECTOR_DB = 1,
	VECTOR_BP = 3,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_NONE = 256, /* one more than there are */
};

static unsigned page_fault(const struct page_walk_fault *fault, struct first_exception *exception)
{
	exception->error_code = fault->error_code;
	exception->address = fault->address;
	return VECTOR_PF;
}

/* The page tables, at both ends of an access: it may lie in two pages. What a view forbids is no exception here. */
static unsigned walk(const struct page_walk_space *space, uint64_t first, unsigned size, unsigned right,
		     struct first_exception *exception)
{
	const uint64_t last = first + size - 1, page = last & ~(GPA_PAGE_SIZE - 1);
	struct page_walk_fault fault;

	if (page_walk_probe(space, first, right, &fault) == -EFAULT ||
	    page_walk_probe(space, page > first ? page : last, right, &fault) == -EFAULT)
		return page_fault(&fault, exception);
	return VECTOR_NONE;
}

/* An access of an operand: segment first, then page tables. */
static unsigned operand_fault(const struct first_exception_place *place, const struct insn *insn,
			      const ZydisDecodedOperand *operand, struct first_exception *exception)
{
	const struct cpu_mode *mode = &place->space.mode;
	const bool write = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	const unsigned size = operand->size >= 8 ? operand->size / 8u : 1;
	enum cpu_segment segment;
	uint64_t offset;
	unsigned vector;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
	    access_offset(insn, operand, &place->state, &segment, &offset) != 0)
		return VECTOR_NONE;
	vector = cpu_mode_fault(mode, segment, offset, size, write);
	if (vector)
		return vector;
	return walk(&place->space, cpu_mode_linear(mode, segment, offset), size, write ? VIEW_WRITE : VIEW_READ,
		    exception);
}

/* A string instruction that has nothing left to do accesses nothing. */
static bool is_over(const struct first_exception_place *place, const struct insn *insn)
{
	const ZydisInstructionAttributes repeats =
		ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;
	const unsigned width = insn->decoded.address_width;
	const uint64_t mask = width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

	return insn->decoded.attributes & repeats && (place->state.regs[RCX] & mask) == 0;
}

/* Names memory and does not access it. */
static bool is_hint(const struct insn *insn)
{
	switch (insn->decoded.meta.category) {
	case ZYDIS_CATEGORY_PREFETCH:
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
		return true;
	default:
		return false;
	}
}

static unsigned operands_fault(const struct first_exception_place *place, const struct insn *insn,
			       struct first_exception *exception)
{
	unsigned vector = VECTOR_NONE;

	if (is_over(place, insn) || is_hint(insn))
		return VECTOR_NONE;
	for (ZyanU8 i = 0; i < insn->decoded.operand_count && vector == VECTOR_NONE; i++)
		vector = operand_fault(place, insn, &insn->operands[i], exception);
	return vector;
}

static bool uses(const struct insn *insn, ZydisRegisterClass class)
{
	for (ZyanU8 i = 0; i < insn->decoded.operand_count; i++)
		if (insn->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetClass(insn->operands[i].reg.value) == class)
			return true;
	return false;
}

/* Instructions of the x87 FPU (Intel SDM vol. 3A, table 2-2 and 2.5). */
static unsigned x87_fault(const struct insn *insn, uint64_t cr0)
{
	if (insn->decoded.mnemonic == ZYDIS_MNEMONIC_FWAIT)
		return (cr0 & (CR0_TS | CR0_MP)) == (CR0_TS | CR0_MP) ? VECTOR_NM : VECTOR_NONE;
	return cr0 & (CR0_TS | CR0_EM) ? VECTOR_NM : VECTOR_NONE;
}

/* Those with registers of MMX, SSE and AVX (Intel SDM vol. 3A, 12.1 and 13.1; vol. 2A, 2.6). */
static unsigned vector_fault(const struct first_exception_place *place, const struct insn *insn)
{
	const bool legacy = insn->decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
	const bool mmx = uses(insn, ZYDIS_REGCLASS_MMX), xmm = uses(insn, ZYDIS_REGCLASS_XMM);

	if (!mmx && !xmm && !uses(insn, ZYDIS_REGCLASS_YMM) && !uses(insn, ZYDIS_REGCLASS_ZMM))
		return VECTOR_NONE;
	if (legacy && (place->cr0 & CR0_EM || (xmm && !(place->isa.cr4 & CR4_OSFXSR))))
		return VECTOR_UD;
	return place->cr0 & CR0_TS ? VECTOR_NM : VECTOR_NONE;
}

/* What the state of the FPU has to do with it. */
static unsigned fpu_fault(const struct first_exception_place *place, const struct insn *insn)
{
	return insn->decoded.meta.isa_ext == ZYDIS_ISA_EXT_X87 ? x87_fault(insn, place->cr0)
							       : vector_fault(place, insn);
}

/* Those that are there to raise one. Whether a gate lets CPL 3 do so is not looked at. */
static unsigned meant(const struct insn *insn)
{
	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_INT3:
		return VECTOR_BP;
	case ZYDIS_MNEMONIC_INT1:
		return VECTOR_DB;
	case ZYDIS_MNEMONIC_INT:
		return insn->operands[0].imm.value.u & 0xff;
	default:
		return VECTOR_NONE;
	}
}

/* Both ends of an operand have been found accessible, unless a view forbids it. */
static bool operand_value(const struct first_exception_place *place, const struct insn *insn,
			  const ZydisDecodedOperand *operand, uint64_t *ret_value)
{
	struct page_walk_fault fault;
	uint64_t address;

	*ret_value = 0;
	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return insn_register(place->state.regs, operand->reg.value, ret_value);
	return operand->size <= 64 && insn_address(&place->space.mode, insn, operand, &place->state, &address) == 0 &&
	       page_walk_read(&place->space, address, ret_value, operand->size / 8u, &fault) == 0;
}

/* DIV fails if the quotient is too wide: if the upper half of what it divides is no less than the divisor. When IDIV
 * fails besides by 0 is not looked at. */
static unsigned divide_fault(const struct first_exception_place *place, const struct insn *insn)
{
	const ZydisDecodedOperand *operand = &insn->operands[0];
	const uint64_t mask = operand->size >= 64 ? UINT64_MAX : (UINT64_C(1) << operand->size) - 1;
	const bool is_unsigned = insn->decoded.mnemonic == ZYDIS_MNEMONIC_DIV;
	uint64_t divisor, upper;

	if ((!is_unsigned && insn->decoded.mnemonic != ZYDIS_MNEMONIC_IDIV) ||
	    !operand_value(place, insn, operand, &divisor))
		return VECTOR_NONE;
	divisor &= mask;
	upper = (operand->size == 8 ? place->state.regs[RAX] >> 8 : place->state.regs[RDX]) & mask;
	return divisor == 0 || (is_unsigned && upper >= divisor) ? VECTOR_DE : VECTOR_NONE;
}

/* What an instruction that has been fetched raises, in the order in which a processor looks (Intel SDM vol. 3A, 6.9). */
static unsigned execute(const struct first_exception_place *place, const struct insn *insn,
			struct first_exception *exception)
{
	unsigned vector;

	if (!isa_has(&place->isa, &place->space.mode, insn))
		return VECTOR_UD;
	vector = meant(insn);
	exception->asked_for = vector != VECTOR_NONE;
	if (vector == VECTOR_NONE && insn->decoded.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED && place->cpl != 0)
		vector = VECTOR_GP;
	if (vector == VECTOR_NONE)
		vector = fpu_fault(place, insn);
	if (vector == VECTOR_NONE)
		vector = operands_fault(place, insn, exception);
	return vector == VECTOR_NONE ? divide_fault(place, insn) : vector;
}

/* Why the byte at `address`, where the bytes that can be fetched end, cannot. */
static unsigned fetch_fault(const struct first_exception_place *place, uint64_t address,
			    struct first_exception *exception)
{
	return walk(&place->space, address, 1, VIEW_EXECUTE, exception);
}

static unsigned fetch_and_execute(const struct first_exception_place *place, struct first_exception *exception)
{
	const struct cpu_mode *mode = &place->space.mode;
	const uint64_t first = cpu_mode_linear(mode, SEGMENT_CS, place->state.rip);
	uint8_t code[INSN_MAX];
	struct insn insn;
	unsigned count;

	if (mode->code == WIDTH_64 && cpu_mode_fault(mode, SEGMENT_CS, place->state.rip, 1, false))
		return VECTOR_GP;
	count = page_walk_fetch(&place->space, first, code, sizeof(code));
	switch (insn_decode(mode, code, count, &insn)) {
	case 0:
		return execute(place, &insn, exception);
	case -ENODATA:
		return fetch_fault(place, first + count, exception);
	case -E2BIG:
		return VECTOR_GP;
	default:
		return VECTOR_UD;
	}
}

int first_exception_find(const struct first_exception_place *place, struct first_exception *ret_exception)
{
	*ret_exception = (struct first_exception){0};
	ret_exception->vector = fetch_and_execute(place, ret_exception);
	ret_exception->has_error_code = !ret_exception->asked_for && ret_exception->vector >= VECTOR_SS &&
					ret_exception->vector <= VECTOR_PF;
	return ret_exception->vector == VECTOR_NONE ? -ENOENT : 0;
}
