/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/code_capture.h"

#include <stdio.h>
#include <string.h>

#include "vmm/emulate/page_walk.h"

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

static void fetch(struct vcpu *vcpu, struct record_code *record)
{
	const struct engine *engine = vcpu->vm->plan->engine;
	int view = engine->view_current(vcpu);
	struct page_walk_space space = {.vm = vcpu->vm, .view = view < 0 ? 0 : (uint32_t)view};
	struct kvm_sregs sregs;
	uint64_t address;

	if (engine->guest_sregs(vcpu, &sregs) != 0)
		return;
	space.cr3 = sregs.cr3;
	space.mode = cpu_mode_of(&sregs);
	address = cpu_mode_linear(&space.mode, SEGMENT_CS, record->rip);
	record->width = (uint16_t)space.mode.code;
	record->before = (uint8_t)fetch_before(&space, address, record->bytes);
	record->count = (uint8_t)(record->before +
				  page_walk_fetch(&space, address,
					       record->bytes + record->before,
					       CODE_BYTES - CODE_BEFORE));
}

static void name(const struct vcpu *vcpu, struct record_code *record)
{
	const struct image_symbol *symbol =
		image_symbol_at(&vcpu->vm->plan->image, record->rip);

	if (!symbol || record->rip - symbol->address > UINT32_MAX)
		return;
	record->offset = (uint32_t)(record->rip - symbol->address);
	snprintf(record->symbol, sizeof(record->symbol), "%s", symbol->name);
}

int code_capture_init(struct vcpu *vcpu)
{
	return keyset_reserve(&vcpu->noted, CODE_CAPTURES_MAX);
}

void code_capture(struct vcpu *vcpu, uint64_t rip)
{
	struct record_code record = {
		.record = {.type = RECORD_CODE, .size = sizeof(record),
			   .vm = (uint8_t)vcpu->vm->index, .vcpu = (uint8_t)vcpu->index},
		.rip = rip,
	};
	size_t known = vcpu->noted.count;

	if (!vcpu->vm->ledger || known == CODE_CAPTURES_MAX)
		return;
	if (keyset_add(&vcpu->noted, (struct key){rip, 0}) != (int64_t)known)
		return;
	fetch(vcpu, &record);
	name(vcpu, &record);
	ledger_append(vcpu->vm->ledger, &record.record);
}
