/* SPDX-License-Identifier: GPL-2.0-only */
#include "violation.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdio.h>

#include "report.h"
#include "service.h"
#include "vcpu.h"

#define PTE_PRESENT 1u
#define PTE_LARGE 0x80u
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
#define INSN_MAX 15u

void report_violation(struct vcpu *vcpu, const struct violation *violation)
{
	struct vm *vm = vcpu->vm;
	const struct view_policy *policy = &vm->plan->policy;
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

/* Walks the guest's four-level page tables. Views do not hide a guest's own page tables from us. */
static int translate(const struct vm *vm, uint64_t cr3, uint64_t linear, uint64_t *ret_gpa)
{
	uint64_t table = cr3 & PTE_ADDRESS;

	for (unsigned level = 4; level >= 1; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t entry, offset = (UINT64_C(1) << shift) - 1;

		if (guest_ram_read(&vm->ram, gpa_at(table + (linear >> shift & 511) * 8), &entry,
				   sizeof(entry)) != 0 ||
		    !(entry & PTE_PRESENT))
			return -EFAULT;
		if (level == 1 || (level <= 3 && entry & PTE_LARGE)) {
			*ret_gpa = (entry & PTE_ADDRESS & ~offset) | (linear & offset);
			return 0;
		}
		table = entry & PTE_ADDRESS;
	}
	return -EFAULT;
}

/* Copies up to 15 bytes of code; fewer at the end of what is mapped. */
static unsigned fetch(const struct vm *vm, uint64_t cr3, uint64_t rip, uint8_t *code)
{
	unsigned count = 0;

	while (count < INSN_MAX) {
		uint64_t gpa;

		if (translate(vm, cr3, rip + count, &gpa) != 0 ||
		    guest_ram_read(&vm->ram, gpa_at(gpa), code + count, 1) != 0)
			break;
		count++;
	}
	return count;
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

int refuse_access(struct vm *vm, uint64_t cr3, uint64_t rip, uint64_t regs[16],
		  unsigned *ret_length)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	uint8_t code[INSN_MAX];
	unsigned count = fetch(vm, cr3, rip, code);

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
