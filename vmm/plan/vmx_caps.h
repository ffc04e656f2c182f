/* SPDX-License-Identifier: GPL-2.0-only */
/* What nested VMX the host offers, and the controls computed from it. */
#ifndef VMM_PLAN_VMX_CAPS_H
#define VMM_PLAN_VMX_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/paging.h"
#include "vmm/base/error.h"

/* Layout of vmcs12 that vmcs12.def describes (arch/x86/kvm/vmx/vmcs12.h). */
#define VMCS12_REVISION 0x11e57ed0

/* The capability MSRs (Intel SDM vol. 3D, appendix A): MSR(name, index). */
#define VMX_CAPABILITY_MSRS(X)                                                                     \
	X(basic, 0x480)                                                                            \
	X(cr0_fixed0, 0x486)                                                                       \
	X(cr0_fixed1, 0x487)                                                                       \
	X(cr4_fixed0, 0x488)                                                                       \
	X(cr4_fixed1, 0x489)                                                                       \
	X(secondary, 0x48b)                                                                        \
	X(ept_vpid, 0x48c)                                                                         \
	X(pin, 0x48d)                                                                              \
	X(primary, 0x48e)                                                                          \
	X(exit, 0x48f)                                                                             \
	X(entry, 0x490)                                                                            \
	X(vmfunc, 0x491)

/* Controls that sidestep needs or wants: CONTROL(NAME, word, bit, needed, "name in the SDM"). */
#define VMX_CONTROLS(X)                                                                            \
	X(MSR_BITMAPS, primary, 28, true, "use MSR bitmaps")                                       \
	X(SECONDARY, primary, 31, true, "activate secondary controls")                             \
	X(EPT, secondary, 1, true, "enable EPT")                                                   \
	X(RDTSCP, secondary, 3, false, "enable RDTSCP")                                            \
	X(VPID, secondary, 5, false, "enable VPID")                                                \
	X(UNRESTRICTED, secondary, 7, false, "unrestricted guest")                                 \
	X(INVPCID, secondary, 12, false, "enable INVPCID")                                         \
	X(VMFUNC, secondary, 13, true, "enable VM functions")                                      \
	X(XSAVES, secondary, 20, false, "enable XSAVES/XRSTORS")                                   \
	X(SAVE_DEBUG, exit, 2, true, "save debug controls")                                        \
	X(HOST_64, exit, 9, true, "host address-space size")                                       \
	X(SAVE_EFER, exit, 20, true, "save IA32_EFER")                                             \
	X(LOAD_HOST_EFER, exit, 21, true, "load IA32_EFER on exit")                                \
	X(LOAD_DEBUG, entry, 2, true, "load debug controls")                                       \
	X(GUEST_64, entry, 9, true, "IA-32e mode guest")                                           \
	X(LOAD_EFER, entry, 15, true, "load IA32_EFER on entry")

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

/* As above, from values of the MSRs in the order of VMX_CAPABILITY_MSRS: the part without ioctl. */
int vmx_caps_compute(struct vmx_caps *caps, char *reason, size_t size);

/* Must-be-one and may-be-one bits of a control word. */
uint32_t vmx_allowed0(const struct vmx_caps *caps, enum vmx_control_word word);
uint32_t vmx_allowed1(const struct vmx_caps *caps, enum vmx_control_word word);

#endif
