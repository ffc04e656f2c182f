/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/violation_look.h"

#include <string.h>

#include "vmm/emulate/access_emulation.h"

static bool is_repeated(struct vcpu *vcpu, const struct violation *violation)
{
	const struct violation_seen *last = &vcpu->seen;
	const struct violation_seen seen = {violation->rip, violation->gpa, vcpu_operation(vcpu), violation->view,
					    violation->access};
	const bool same = last->rip == seen.rip && last->gpa == seen.gpa && last->operation == seen.operation &&
			  last->view == seen.view && last->access == seen.access;

	vcpu->seen = seen;
	return same;
}

static void look(struct violation *violation, const struct page_walk_space *space, const uint64_t *regs)
{
	uint64_t address = cpu_mode_linear(&space->mode, SEGMENT_CS, violation->rip);
	uint8_t code[INSN_MAX];
	struct insn insn;

	if (violation->flags & VIOLATION_RIP_BEHIND || violation->access == VIEW_EXECUTE ||
	    insn_decode(&space->mode, code, page_walk_fetch(space, address, code, sizeof(code)), &insn) != 0)
		return;
	violation->width = (uint16_t)space->mode.code;
	violation->code_size = insn.decoded.length;
	memcpy(violation->code, code, insn.decoded.length);
	if (space->vm->plan->on_violation == ON_VIOLATION_STOP)
		insn_text(&insn, violation->rip, violation->instruction, sizeof(violation->instruction));
	if (violation->access == VIEW_WRITE && !(violation->flags & VIOLATION_WALK) && violation->value_size == 0)
		violation->value_size = (uint8_t)access_stored(&insn, regs, &violation->value);
}

void violation_look(struct vcpu *vcpu, struct violation *violation, const struct page_walk_space *space,
		    const uint64_t *regs)
{
	if (is_repeated(vcpu, violation))
		violation->value_size = 0;
	else
		look(violation, space, regs);
}
