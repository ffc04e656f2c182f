/* SPDX-License-Identifier: GPL-2.0-only */
#include "operand.h"

#include <Zydis/Zydis.h>
#include <errno.h>

#define INSN_MAX 15u
#define GENERAL_REGISTERS 16

static void set_registers(ZydisRegisterContext *context, uint64_t rip, const uint64_t regs[16])
{
	*context = (ZydisRegisterContext){0};
	for (ZyanU8 i = 0; i < GENERAL_REGISTERS; i++) {
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR64, i)] = regs[i];
		context->values[ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, i)] = (uint32_t)regs[i];
	}
	context->values[ZYDIS_REGISTER_RIP] = rip;
	context->values[ZYDIS_REGISTER_EIP] = (uint32_t)rip;
}

/* Of segments only FS and GS have a base in 64-bit mode. */
static uint64_t base_of(ZydisRegister segment, const struct kvm_sregs *segments)
{
	switch (segment) {
	case ZYDIS_REGISTER_FS:
		return segments->fs.base;
	case ZYDIS_REGISTER_GS:
		return segments->gs.base;
	default:
		return 0;
	}
}

int operand_decode(const struct linear_space *space, uint64_t rip, const uint64_t regs[16],
		   const struct kvm_sregs *segments, struct operand *ret_operand)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	ZydisRegisterContext context;
	ZydisDecoder decoder;
	ZyanU64 address;
	uint8_t code[INSN_MAX];
	unsigned count = linear_fetch(space, rip, code, sizeof(code));

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, count, &instruction, operands)) ||
	    (instruction.mnemonic != ZYDIS_MNEMONIC_LMSW &&
	     instruction.mnemonic != ZYDIS_MNEMONIC_SMSW) ||
	    operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return -EOPNOTSUPP;
	set_registers(&context, rip, regs);
	if (ZYAN_FAILED(ZydisCalcAbsoluteAddressEx(&instruction, &operands[0], rip, &context,
						   &address)))
		return -EOPNOTSUPP;
	*ret_operand = (struct operand){
		.store = instruction.mnemonic == ZYDIS_MNEMONIC_SMSW,
		.address = address + base_of(operands[0].mem.segment, segments),
		.length = instruction.length,
	};
	return 0;
}
