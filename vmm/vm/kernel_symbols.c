/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/kernel_symbols.h"

#include "guestfw/relay/relay.h"
#include "vmm/vm/vcpu_msr.h"

#define MSR_LSTAR 0xc0000082
#define USER 3
#define FIRMWARE_END 0x100000 /* below: where processors start in real mode */

/* Linux has the upper half of the address space. */
static bool is_kernel(uint64_t address)
{
	return address >> 63;
}

static bool note(struct vm *vm, uint64_t address)
{
	uint64_t offset;

	if (!symbol_file_offset(&vm->plan->symbols, address, &offset))
		return false;
	atomic_store(&vm->kernel_offset, offset);
	atomic_store(&vm->kernel_found, true);
	return true;
}

static bool is_sought(const struct vm *vm)
{
	return vm->plan->symbols.anchor_count != 0 && !atomic_load(&vm->kernel_found);
}

void kernel_symbols_look(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	struct vm *vm = vcpu->vm;
	uint64_t lstar;

	if (!is_sought(vm) || note(vm, sregs->idt.base))
		return;
	if (vcpu_msr(vcpu, MSR_LSTAR, &lstar))
		note(vm, lstar);
}

void kernel_symbols_find(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	if (is_sought(vcpu->vm) && vcpu->vm->ops->guest_sregs(vcpu, &sregs) == 0)
		kernel_symbols_look(vcpu, &sregs);
}

const struct image_symbol *kernel_symbols_at(const struct vm *vm, uint64_t address, uint64_t *ret_offset)
{
	const struct symbol_file *file = &vm->plan->symbols;
	const struct image_symbol *symbol;
	uint64_t moved = 0;

	if (file->count == 0) {
		symbol = image_symbol_at(&vm->plan->image, address);
	} else if (file->anchor_count && (!is_kernel(address) || !atomic_load(&vm->kernel_found))) {
		symbol = NULL;
	} else {
		moved = file->anchor_count ? atomic_load(&vm->kernel_offset) : 0;
		symbol = symbol_file_at(file, address - moved);
	}
	if (symbol)
		*ret_offset = address - moved - symbol->address;
	return symbol;
}

const char *kernel_symbols_place(const struct vm *vm, uint64_t address, unsigned cpl)
{
	if (vm->plan->symbols.anchor_count == 0 || is_kernel(address))
		return NULL;
	if (engine_has_monitor(vm->plan->engine) && address - RELAY_IMAGE < RELAY_IMAGE_MAX)
		return "[monitor]";
	if (cpl == USER)
		return "[user]";
	return address < FIRMWARE_END || image_segment_at(&vm->plan->image, address) ? "[boot]" : "[user]";
}
