/* SPDX-License-Identifier: GPL-2.0-only */
/* What sidestep asks a processor with VMX for, under KVM or without. */
#ifndef SIDESTEP_RELAY_VMX_CONTROLS_H
#define SIDESTEP_RELAY_VMX_CONTROLS_H

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
	X(VE, secondary, 18, false, "EPT-violation #VE")                                           \
	X(XSAVES, secondary, 20, false, "enable XSAVES/XRSTORS")                                   \
	X(SAVE_DEBUG, exit, 2, true, "save debug controls")                                        \
	X(HOST_64, exit, 9, true, "host address-space size")                                       \
	X(SAVE_EFER, exit, 20, true, "save IA32_EFER")                                             \
	X(LOAD_HOST_EFER, exit, 21, true, "load IA32_EFER on exit")                                \
	X(LOAD_DEBUG, entry, 2, true, "load debug controls")                                       \
	X(GUEST_64, entry, 9, true, "IA-32e mode guest")                                           \
	X(LOAD_EFER, entry, 15, true, "load IA32_EFER on entry")

#endif
