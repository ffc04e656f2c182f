/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/instruction.h"

#include <errno.h>
#include <stdio.h>

#define GENERAL_REGISTERS 16

static ZydisMachineMode machine_mode(const struct cpu_mode *mode)
{
	switch (mode->code) {
	case WIDTH_32:
		return mode->legacy ? ZYDIS_MACHINE_MODE_LEGACY_32
				    : ZYDIS_MACHINE_MODE_LONG_COMPAT_32;
	case WIDTH_16:
		if (mode->real)
			return ZYDIS_MACHINE_MODE_REAL_16;
		return mode->legacy ? ZYDIS_MACHINE_MODE_LEGACY_16
				    : ZYDIS_MACHINE_MODE_LONG_COMPAT_16;
	default:
		return ZYDIS_MACHINE_MODE_LONG_64;
	}
}

static ZydisStackWidth stack_width(const struct cpu_mode *mode)
{
	if (mode->code == WIDTH_64)
		return ZYDIS_STACK_WIDTH_64;
	return mode->stack == WIDTH_16 ? ZYDIS_STACK_WIDTH_16 : ZYDIS_STACK_WIDTH_32;
}

int insn_decode(const struct cpu_mode *mode, const uint8_t *code, unsigned size,
		struct insn *ret_insn)
{
	ZydisDecoder decoder;
	ZyanStatus status;

	*ret_insn = (struct insn){0};
	ZydisDecoderInit(&decoder, machine_mode(mode), stack_width(mode));
	status = ZydisDecoderDecodeFull(&decoder, code, size, &ret_insn->decoded,
					ret_insn->operands);
	if (ZYAN_SUCCESS(status))
		return 0;
	if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
		return -E2BIG;
	return status == ZYDIS_STATUS_NO_MORE_DATA ? -ENODATA : -EOPNOTSUPP;
}

void insn_text(const struct insn *insn, uint64_t address, char *text, size_t size)
{
	ZydisFormatter formatter;

	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
	if (ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &insn->decoded, insn->operands,
							insn->decoded.operand_count_visible, text, size, address,
							NULL)))
		snprintf(text, size, "?");
}

int insn_fetch(const struct page_walk_space *space, uint64_t rip, struct insn *ret_insn)
{
	uint64_t address = cpu_mode_linear(&space->mode, SEGMENT_CS, rip);
	uint8_t code[INSN_MAX];

	return insn_decode(&space->mode, code, page_walk_fetch(space, address, code, sizeof(code)),
			   ret_insn);
}

bool insn_register(const uint64_t regs[16], ZydisRegister reg, uint64_t *ret_value)
{
	const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return false;
	*ret_value = regs[ZydisRegisterGetId(whole)];
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		*ret_value >>= 8;
	return true;
}

static void set_registers(ZydisRegisterContext *context, const struct insn_state *state)
{
	*context = (ZydisRegisterContext){0};
	for (ZyanU8 i = 0; i < GENERAL_REGISTERS; i++) {
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR64, i)] = state->regs[i];
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, i)] =
			(uint32_t)state->regs[i];
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR16, i)] =
			(uint16_t)state->regs[i];
	}
}

/* RSP, ESP or SP, by the width of the stack and not by that of addresses. */
static bool is_stack_pointer(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_ESP || reg == ZYDIS_REGISTER_SP;
}

int insn_offset(const struct insn *insn, const ZydisDecodedOperand *operand,
		const struct insn_state *state, enum cpu_segment *ret_segment, uint64_t *ret_offset)
{
	ZydisRegisterContext context;
	ZyanI8 segment;
	ZyanU64 offset;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return -EOPNOTSUPP;
	segment = ZydisRegisterGetId(operand->mem.segment);
	set_registers(&context, state);
	if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	    is_stack_pointer(operand->mem.base))
		offset = context.values[operand->mem.base];
	else if (ZYAN_FAILED(ZydisCalcAbsoluteAddressEx(&insn->decoded, operand, state->rip,
							&context, &offset)))
		return -EOPNOTSUPP;
	if (ZydisRegisterGetClass(operand->mem.segment) != ZYDIS_REGCLASS_SEGMENT)
		segment = SEGMENT_DS;
	*ret_segment = (enum cpu_segment)segment;
	*ret_offset = offset;
	return 0;
}

int insn_address(const struct cpu_mode *mode, const struct insn *insn,
		 const ZydisDecodedOperand *operand, const struct insn_state *state,
		 uint64_t *ret_address)
{
	enum cpu_segment segment;
	uint64_t offset;

	if (insn_offset(insn, operand, state, &segment, &offset) != 0)
		return -EOPNOTSUPP;
	*ret_address = cpu_mode_linear(mode, segment, offset);
	return 0;
}
