/* SPDX-License-Identifier: GPL-2.0-only */
#include "insn.h"

#include <errno.h>

#define GENERAL_REGISTERS 16

int insn_decode(const uint8_t *code, unsigned size, struct insn *ret_insn)
{
	ZydisDecoder decoder;

	*ret_insn = (struct insn){0};
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, size, &ret_insn->decoded,
					       ret_insn->operands)))
		return -EOPNOTSUPP;
	return 0;
}

int insn_fetch(const struct linear_space *space, uint64_t rip, struct insn *ret_insn)
{
	uint8_t code[INSN_MAX];

	return insn_decode(code, linear_fetch(space, rip, code, sizeof(code)), ret_insn);
}

static void set_registers(ZydisRegisterContext *context, const struct insn_state *state)
{
	*context = (ZydisRegisterContext){0};
	for (ZyanU8 i = 0; i < GENERAL_REGISTERS; i++) {
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR64, i)] = state->regs[i];
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, i)] =
			(uint32_t)state->regs[i];
	}
	context->values[ZYDIS_REGISTER_RIP] = state->rip;
	context->values[ZYDIS_REGISTER_EIP] = (uint32_t)state->rip;
}

/* Of segments only FS and GS have a base in 64-bit mode. */
static uint64_t base_of(ZydisRegister segment, const struct insn_state *state)
{
	switch (segment) {
	case ZYDIS_REGISTER_FS:
		return state->fs_base;
	case ZYDIS_REGISTER_GS:
		return state->gs_base;
	default:
		return 0;
	}
}

int insn_address(const struct insn *insn, const ZydisDecodedOperand *operand,
		 const struct insn_state *state, uint64_t *ret_address)
{
	ZydisRegisterContext context;
	ZyanU64 address;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return -EOPNOTSUPP;
	set_registers(&context, state);
	if (ZYAN_FAILED(ZydisCalcAbsoluteAddressEx(&insn->decoded, operand, state->rip, &context,
						   &address)))
		return -EOPNOTSUPP;
	*ret_address = address + base_of(operand->mem.segment, state);
	return 0;
}
