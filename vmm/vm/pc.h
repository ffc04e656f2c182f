/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform `pc` around a VM: the interrupt controllers and the timer that KVM has (PIC, IOAPIC, local APICs, PIT),
 * and the devices of devices/pc_map.h. No PCI, no firmware. Interrupts of the serial line reach KVM through an eventfd.
 */
#ifndef VMM_VM_PC_H
#define VMM_VM_PC_H

#include "devices/acpi_pm.h"
#include "devices/clock.h"
#include "devices/cmos.h"
#include "devices/fw_cfg.h"
#include "devices/panic_text.h"
#include "devices/power.h"
#include "devices/test_device.h"
#include "vmm/vm/vm.h"

struct pc_vcpu_page {
	struct ss_vcpu_page page;
} __attribute__((aligned(4096)));

struct pc {
	struct vm *vm;
	struct pc_start start;
	struct clock clock;
	uint64_t epoch_ns, epoch_tsc, tsc_khz; /* the clock's beginning */
	struct power power;
	struct panic_text panic; /* of what the guest prints */
	struct cmos cmos;
	struct acpi_pm acpi_pm;
	struct fw_cfg fw_cfg;
	struct test_device test;
	int serial_irq; /* eventfd */
	int wake_fd;	/* eventfd of whoever types, told that there is room again; -1: nobody */
	/* Of each vCPU, for the recorder and the relay: no address of the guest's leads there. Whole pages. */
	struct pc_vcpu_page *pages;
};

/* For a VM with memory, whether KVM has it already or not: fills the memory. Then, for one that KVM has, and no vCPU yet:
 * creates the controllers. Return 0 or a negative errno with the reason in `error`; pc_destroy() is due in any case. */
int pc_fill_memory(struct vm *vm, struct error *error);
int pc_create(struct vm *vm, struct error *error);
void pc_destroy(struct vm *vm);

/* Puts the devices where they belong. Returns 0 or a negative errno. */
int pc_claim(struct vm *vm);

/* The state in which the boot protocol has the first vCPU start; what it says nothing about stays as it is. Others wait
 * for a start-up IPI. */
void pc_start_state(const struct vm *vm, struct kvm_sregs *sregs, struct kvm_regs *ret_regs);

/* The clock runs from here on. `tsc_khz`: the frequency of the time stamp counter, 0: not known. */
void pc_start_clock(struct vm *vm, uint64_t tsc_khz);

/* After an access to a device: ends the VM if the guest has turned its computer off, has reset it, or has panicked. */
void pc_look_at_power(struct vm *vm);

/* In the thread of a vCPU that has been called out of the guest: whether it waits for what cannot come any more. KVM
 * keeps a vCPU that halts and does not tell. Returns whether that was so of all vCPUs twice in a row. */
bool pc_all_halted(struct vcpu *vcpu);

/* Bytes typed into the serial line; returns how many it has taken. When it refuses some, `wake_fd` is written when there
 * is room again. In any thread. */
size_t pc_type(struct vm *vm, const uint8_t *bytes, size_t count);

#endif
