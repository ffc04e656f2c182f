/* SPDX-License-Identifier: GPL-2.0-only */
/* What nested VMX the host offers, and the controls computed from it. */
#ifndef VMM_PLAN_VMX_CAPS_H
#define VMM_PLAN_VMX_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guestfw/relay/vmx_controls.h"
#include "views/paging.h"
#include "vmm/base/error.h"

/* Layout of vmcs12 that vmcs12.def describes (arch/x86/kvm/vmx/vmcs12.h). */
#define VMCS12_REVISION 0x11e57ed0

enum vmx_control_word { VMX_WORD_pin, VMX_WORD_primary, VMX_WORD_secondary, VMX_WORD_exit,
			VMX_WORD_entry, VMX_WORD_COUNT };

enum vmx_control_bit {
#define X(name, word, bit, needed, text) VMX_##name = 1u << (bit),
	VMX_CONTROLS(X)
#undef X
};

struct vmx_caps {
#define X(name, index) uint64_t name;
	VMX_CAPABILITY_MSRS(X)
#undef X
	uint8_t maxphyaddr;
	struct paging_caps paging;
	uint32_t controls[VMX_WORD_COUNT]; /* what a guest gets: allowed, needed and wanted bits */
};

/*
 * Reads the capabilities of the host (descriptor of /dev/kvm) or of a vCPU, whose CPUID may have taken
 * some away, and computes the controls. Returns 0, or a negative errno with the missing thing by name
 * in `reason`.
 */
int vmx_caps_read(int fd, uint8_t maxphyaddr, struct vmx_caps *caps, char *reason, size_t size);

/* Those of a processor that has all that sidestep needs or wants and nothing else: what it is planned with where the
 * processor is not known. The bare monitor takes away again what there is not. */
void vmx_caps_assume(uint8_t maxphyaddr, struct vmx_caps *caps);

/* As above, from values of the MSRs in the order of VMX_CAPABILITY_MSRS: the part without ioctl. */
int vmx_caps_compute(struct vmx_caps *caps, char *reason, size_t size);

/* Must-be-one and may-be-one bits of a control word. */
uint32_t vmx_allowed0(const struct vmx_caps *caps, enum vmx_control_word word);
uint32_t vmx_allowed1(const struct vmx_caps *caps, enum vmx_control_word word);

#endif
