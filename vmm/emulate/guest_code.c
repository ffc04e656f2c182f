/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/guest_code.h"

#include <stdio.h>

#include "vmm/emulate/page_walk.h"
#include "vmm/vm/kernel_symbols.h"

#define PAGE_SIZE UINT64_C(4096)

/* Bytes in front of an address; if the page before is not there, those of its own page. */
static unsigned fetch_before(const struct page_walk_space *space, uint64_t rip, uint8_t *bytes)
{
	unsigned inside = (unsigned)(rip % PAGE_SIZE);

	if (rip >= CODE_BEFORE &&
	    page_walk_fetch(space, rip - CODE_BEFORE, bytes, CODE_BEFORE) == CODE_BEFORE)
		return CODE_BEFORE;
	return inside < CODE_BEFORE ? page_walk_fetch(space, rip - inside, bytes, inside) : 0;
}

static void name_function(struct vcpu *vcpu, const struct kvm_sregs *sregs, struct record_code *record)
{
	const struct image_symbol *symbol;
	const char *name;
	uint64_t offset = 0;

	kernel_symbols_look(vcpu, sregs);
	symbol = kernel_symbols_at(vcpu->vm, record->rip, &offset);
	name = symbol ? symbol->name : kernel_symbols_place(vcpu->vm, record->rip, sregs->cs.dpl);
	if (!name || offset > UINT32_MAX)
		return;
	record->offset = (uint32_t)offset;
	snprintf(record->symbol, sizeof(record->symbol), "%s", name);
}

void guest_code_fetch(void *opaque, bool outer, struct record_code *record)
{
	struct vcpu *vcpu = opaque;
	int view = vcpu->vm->ops->view_current(vcpu);
	struct page_walk_space space = {.vm = vcpu->vm, .view = view < 0 ? 0 : (uint32_t)view};
	struct kvm_sregs sregs;
	uint64_t address;

	if (outer && vcpu->vm->ops->own_code && vcpu->vm->ops->own_code(vcpu, record))
		return;
	if (vcpu->vm->ops->guest_sregs(vcpu, &sregs) != 0)
		return;
	name_function(vcpu, &sregs, record);
	space.cr3 = sregs.cr3;
	space.mode = cpu_mode_of(&sregs);
	address = cpu_mode_linear(&space.mode, SEGMENT_CS, record->rip);
	record->width = (uint16_t)space.mode.code;
	record->before = (uint8_t)fetch_before(&space, address, record->bytes);
	record->count = (uint8_t)(record->before +
				  page_walk_fetch(&space, address, record->bytes + record->before,
						  CODE_BYTES - CODE_BEFORE));
}
