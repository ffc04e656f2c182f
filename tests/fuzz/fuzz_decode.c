/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code of a guest, in every mode: the relay's decoder against the VMM's, which is Zydis, and what the VMM
 * makes of operands, limits and CPUID. The first byte chooses the mode, the next four the segment's base.
 */
#include <errno.h>

#include "fuzz.h"
#include "guestfw/relay/decode.h"
#include "vmm/emulate/isa.h"

static enum relay_insn_kind kind_of(const struct insn *insn)
{
	const ZydisDecodedOperand *to = &insn->operands[0], *from = &insn->operands[1];

	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_CLTS:
		return RELAY_INSN_CLTS;
	case ZYDIS_MNEMONIC_CPUID:
		return RELAY_INSN_CPUID;
	case ZYDIS_MNEMONIC_WRMSR:
		return RELAY_INSN_WRMSR;
	case ZYDIS_MNEMONIC_VMFUNC:
		return RELAY_INSN_VMFUNC;
	case ZYDIS_MNEMONIC_VMMCALL:
		return RELAY_INSN_VMMCALL;
	case ZYDIS_MNEMONIC_LMSW:
		return to->type == ZYDIS_OPERAND_TYPE_REGISTER ? RELAY_INSN_LMSW : RELAY_INSN_OTHER;
	case ZYDIS_MNEMONIC_SMSW:
		return to->type == ZYDIS_OPERAND_TYPE_REGISTER ? RELAY_INSN_SMSW : RELAY_INSN_OTHER;
	case ZYDIS_MNEMONIC_MOV:
		if (to->reg.value == ZYDIS_REGISTER_CR0)
			return RELAY_INSN_MOV_TO_CR0;
		if (to->reg.value == ZYDIS_REGISTER_CR4)
			return RELAY_INSN_MOV_TO_CR4;
		if (from->reg.value == ZYDIS_REGISTER_CR4)
			return RELAY_INSN_MOV_FROM_CR4;
		return from->reg.value == ZYDIS_REGISTER_CR0 ? RELAY_INSN_MOV_FROM_CR0 : RELAY_INSN_OTHER;
	default:
		return RELAY_INSN_OTHER;
	}
}

static void check_operands(const struct cpu_mode *mode, const struct insn *insn)
{
	const uint64_t regs[16] = {1, UINT64_MAX, 0x80000000, 0xffff, 0x7fffffffffff, 0xfffffff0};
	const struct insn_state state = {.rip = 0xfffffffe, .regs = regs};

	for (unsigned i = 0; i < insn->decoded.operand_count; i++) {
		enum cpu_segment segment = SEGMENT_COUNT;
		uint64_t offset, address;
		unsigned vector;

		if (insn_offset(insn, &insn->operands[i], &state, &segment, &offset) != 0)
			continue;
		MUST(segment < SEGMENT_COUNT);
		MUST(mode->code == WIDTH_64 || offset <= UINT32_MAX);
		MUST(insn_address(mode, insn, &insn->operands[i], &state, &address) == 0);
		MUST(mode->code == WIDTH_64 || address <= UINT32_MAX);
		vector = cpu_mode_fault(mode, segment, offset, 2, true);
		MUST(vector == 0 || vector == (segment == SEGMENT_SS ? 12 : 13));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum relay_mode relay_modes[WIDTH_COUNT] = {RELAY_MODE_64, RELAY_MODE_32,
								 RELAY_MODE_16};
	static struct kvm_cpuid2 cpuid;
	const struct isa isa = {.cpuid = &cpuid};
	struct fuzz_input input = {data, size};
	struct cpu_mode mode = {0};
	struct relay_insn relay;
	struct insn insn;
	unsigned chosen = (unsigned)fuzz_take(&input, 1), count;
	int rc;

	mode.code = (enum cpu_width)(chosen % WIDTH_COUNT);
	mode.stack = mode.code == WIDTH_64 ? WIDTH_64 : chosen & 64 ? WIDTH_16 : WIDTH_32;
	mode.legacy = chosen & 128;
	for (unsigned i = 0; i < SEGMENT_COUNT; i++)
		mode.segment[i] = (struct kvm_segment){.base = fuzz_take(&input, i ? 0 : 4),
						       .limit = 0xfffff, .type = 3, .db = 1};
	count = input.size > INSN_MAX ? INSN_MAX : (unsigned)input.size;
	rc = insn_decode(&mode, input.data, count, &insn);
	relay = relay_decode(input.data, count, relay_modes[mode.code]);
	MUST(rc == 0 || rc == -ENODATA || rc == -EOPNOTSUPP || rc == -E2BIG);
	if (rc != 0) {
		MUST(relay.kind == RELAY_INSN_OTHER);
		return 0;
	}
	MUST(insn.decoded.length <= count);
	MUST(relay.kind == kind_of(&insn));
	MUST(relay.kind == RELAY_INSN_OTHER || relay.length == insn.decoded.length);
	check_operands(&mode, &insn);
	isa_has(&isa, &mode, &insn);
	return 0;
}
