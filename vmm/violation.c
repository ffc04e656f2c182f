/* SPDX-License-Identifier: GPL-2.0-only */
#include "violation.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdio.h>

#include "report.h"
#include "service.h"
#include "vcpu.h"

#define INSN_MAX 15u

void report_violation(struct vcpu *vcpu, const struct violation *violation)
{
	struct vm *vm = vcpu->vm;
	const struct view_policy *policy = &vm->policy;
	struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)},
		.operation = vcpu_operation(vcpu),
		.view = violation->view,
		.gpa = violation->gpa,
		.rip = violation->rip,
		.access = violation->access,
		.size = violation->size,
	};

	vcpu_record(vcpu, &record.record);
	if (vm->plan->on_violation != ON_VIOLATION_STOP)
		return;
	vm_stop(vm, STOP_GUEST, STATUS_FAILED,
		"view %u (%.40s) forbids a %s at 0x%llx; vcpu%u at rip 0x%llx in operation %s",
		violation->view,
		violation->view < policy->view_count ? policy->views[violation->view].name : "?",
		access_name(violation->access), (unsigned long long)violation->gpa, vcpu->index,
		(unsigned long long)violation->rip,
		image_operation_name(&vm->plan->image, record.operation));
}

/* All ones in the part of a register that an operand of this width fills; 32 bits clear the rest. */
static void fill_register(uint64_t regs[16], ZydisRegister reg)
{
	int index = ZydisRegisterGetId(reg);
	ZyanU16 width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (index < 0 || index > 15)
		return;
	if (width == 64)
		regs[index] = UINT64_MAX;
	else if (width == 32)
		regs[index] = UINT32_MAX;
	else
		regs[index] |= (UINT64_C(1) << width) - 1;
}

static bool fillable(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	/* AH, CH, DH and BH are parts in the middle of a register. */
	return class == ZYDIS_REGCLASS_GPR64 || class == ZYDIS_REGCLASS_GPR32 ||
	       class == ZYDIS_REGCLASS_GPR16 ||
	       (class == ZYDIS_REGCLASS_GPR8 &&
		!(reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH));
}

int refuse_access(const struct linear_space *space, uint64_t rip, uint64_t regs[16],
		  unsigned *ret_length)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	uint8_t code[INSN_MAX];
	unsigned count = linear_fetch(space, rip, code, sizeof(code));

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, count, &instruction, operands)) ||
	    instruction.mnemonic != ZYDIS_MNEMONIC_MOV || instruction.operand_count < 2)
		return -EOPNOTSUPP;
	if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY) {
		if (!fillable(operands[0].reg.value))
			return -EOPNOTSUPP;
		fill_register(regs, operands[0].reg.value);
	} else if (operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY) {
		return -EOPNOTSUPP;
	}
	*ret_length = instruction.length;
	return 0;
}
