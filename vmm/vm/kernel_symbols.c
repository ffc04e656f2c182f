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

	if (!symbol_file_offset(&vm->plan->symbols.kernel->file, address, &offset))
		return false;
	atomic_store(&vm->kernel_offset, offset);
	atomic_store(&vm->kernel_found, true);
	return true;
}

static bool is_sought(const struct vm *vm)
{
	return vm->plan->symbols.kernel && !atomic_load(&vm->kernel_found);
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
	const bool found = atomic_load(&vm->kernel_found);
	const uint64_t moved = atomic_load(&vm->kernel_offset);
	const struct image_symbol *symbol;

	if (vm->plan->symbols.count)
		return symbol_set_at(&vm->plan->symbols, address, found ? &moved : NULL, ret_offset);
	symbol = image_symbol_at(&vm->plan->image, address);
	if (symbol)
		*ret_offset = address - symbol->address;
	return symbol;
}

const char *kernel_symbols_place(const struct vm *vm, uint64_t address, unsigned cpl)
{
	if (!vm->plan->symbols.kernel || is_kernel(address))
		return NULL;
	if (engine_has_monitor(vm->plan->engine) && address - RELAY_IMAGE < RELAY_IMAGE_MAX)
		return "[monitor]";
	if (cpl == USER)
		return "[user]";
	return address < FIRMWARE_END || image_segment_at(&vm->plan->image, address) ? "[boot]" : "[user]";
}
