/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What exits that the relay passes on are about, for whoever answers them: the VMM, or the bare monitor. Freestanding.
 */
#ifndef SIDESTEP_RELAY_EVENTS_H
#define SIDESTEP_RELAY_EVENTS_H

#include <stdint.h>

#include "guestfw/abi.h"

/* The vendor's reasons are translated into these. */
enum monitor_event {
	EVENT_HYPERCALL,
	EVENT_CR0_WRITE,   /* the relay knows what the guest wants to load */
	EVENT_CR4_WRITE,
	EVENT_CR0_OPERAND, /* an access whose operand is in memory, which the relay has not decoded */
	EVENT_VIOLATION,
	EVENT_VMFUNC,
	EVENT_TRIPLE_FAULT,
	EVENT_UNDEFINED, /* an instruction that the guest does not have */
	EVENT_PROTECTED, /* an access that the guest may not make: #GP */
	EVENT_IGNORED,   /* an instruction to step over */
	EVENT_UNKNOWN,
};

/* Exit reasons of VMX that may be passed on with our controls: X(name in vmx_reason.def, event). */
#define VMX_EVENTS(X)                                                                              \
	X(TRIPLE_FAULT, TRIPLE_FAULT)                                                              \
	X(TASK_SWITCH, UNKNOWN)                                                                    \
	X(CPUID, UNKNOWN)                                                                          \
	X(GETSEC, UNDEFINED)                                                                       \
	X(INVD, IGNORED)                                                                           \
	X(VMCALL, HYPERCALL)                                                                       \
	X(VMCLEAR, UNDEFINED)                                                                      \
	X(VMLAUNCH, UNDEFINED)                                                                     \
	X(VMPTRLD, UNDEFINED)                                                                      \
	X(VMPTRST, UNDEFINED)                                                                      \
	X(VMREAD, UNDEFINED)                                                                       \
	X(VMRESUME, UNDEFINED)                                                                     \
	X(VMWRITE, UNDEFINED)                                                                      \
	X(VMXOFF, UNDEFINED)                                                                       \
	X(VMXON, UNDEFINED)                                                                        \
	X(CONTROL_REGISTER_ACCESS, CR0_WRITE)                                                      \
	X(RDMSR, PROTECTED) /* one that no bitmap has: the guest has none of these */              \
	X(WRMSR, PROTECTED)                                                                        \
	X(ENTRY_INVALID_STATE, UNKNOWN)                                                            \
	X(ENTRY_MSR_LOADING, UNKNOWN)                                                              \
	X(EPT_VIOLATION, VIOLATION)                                                                \
	X(EPT_MISCONFIGURATION, UNKNOWN)                                                           \
	X(INVEPT, UNDEFINED)                                                                       \
	X(INVVPID, UNDEFINED)                                                                      \
	X(XSETBV, UNKNOWN)                                                                         \
	X(VMFUNC, VMFUNC)                                                                          \
	X(SEAMCALL, UNDEFINED)                                                                     \
	X(TDCALL, UNDEFINED)

/* Of control registers only CR0 and CR4 have a decision; the qualification of the access names the register (Intel SDM
 * vol. 3C, table 28-3). */
static inline enum monitor_event vmx_register_event(uint64_t qualification)
{
	switch (qualification & 15) {
	case 0:
		return EVENT_CR0_WRITE;
	case 4:
		return EVENT_CR4_WRITE;
	default:
		return EVENT_PROTECTED;
	}
}

/* Exit qualification of an EPT violation: bits 2:0 are read, write, fetch; 7: the linear address is valid; 8: the access
 * was to what that translates to, not in the guest's page tables (Intel SDM vol. 3C, 28.2.1). */
static inline unsigned vmx_access(uint64_t qualification)
{
	return qualification & 2 ? SS_ACCESS_WRITE : qualification & 4 ? SS_ACCESS_FETCH : SS_ACCESS_READ;
}

static inline int vmx_gla_known(uint64_t qualification)
{
	return qualification >> 7 & 1;
}

static inline int vmx_walk(uint64_t qualification)
{
	return (qualification >> 7 & 3) == 1;
}

/* The same for #VMEXIT codes of SVM, as vmcb.h names them. Of #UD the relay passes on only VMFUNC. */
#define SVM_EVENTS(X)                                                                              \
	X(EXCEPTION_UD, VMFUNC)                                                                    \
	X(CPUID, UNKNOWN)                                                                          \
	X(CR0_READ, CR0_OPERAND)                                                                   \
	X(CR0_WRITE, CR0_WRITE)                                                                    \
	X(CR4_READ, UNKNOWN)                                                                       \
	X(CR4_WRITE, CR4_WRITE)                                                                    \
	X(CR8_READ, PROTECTED)                                                                     \
	X(CR8_WRITE, PROTECTED)                                                                    \
	X(INVLPGA, UNDEFINED)                                                                      \
	X(SHUTDOWN, TRIPLE_FAULT)                                                                  \
	X(VMRUN, UNDEFINED)                                                                        \
	X(VMMCALL, HYPERCALL)                                                                      \
	X(VMLOAD, UNDEFINED)                                                                       \
	X(VMSAVE, UNDEFINED)                                                                       \
	X(STGI, UNDEFINED)                                                                         \
	X(CLGI, UNDEFINED)                                                                         \
	X(SKINIT, UNDEFINED)                                                                       \
	X(NPF, VIOLATION)                                                                          \
	X(INVALID, UNKNOWN)

/* EXITINFO1 of a nested page fault is a page-fault error code, bit 1 write, bit 4 fetch; bit 33: in the guest's page
 * tables (AMD APM vol. 2, 15.25.6). */
static inline unsigned svm_access(uint64_t error_code)
{
	return error_code & 2 ? SS_ACCESS_WRITE : error_code & 16 ? SS_ACCESS_FETCH : SS_ACCESS_READ;
}

static inline int svm_walk(uint64_t error_code)
{
	return error_code >> 33 & 1;
}

#define NO_VECTOR UINT64_MAX

/*
 * What a page fault becomes that is raised while an event is being delivered (Intel SDM vol. 3A, table 6-5): itself, a
 * double fault, or, after one of these, nothing that the processor would survive: NO_VECTOR. The event is as both vendors
 * write it: vector in bits 7:0, type in 10:8, of which 3 is an exception, valid in 31.
 */
static inline uint64_t fault_during(uint32_t event)
{
	enum { DF = 8, PF = 14, VE = 20, EXCEPTION = 3 };

	if (!(event >> 31) || (event >> 8 & 7) != EXCEPTION)
		return PF;
	switch (event & 0xff) {
	case DF:
		return NO_VECTOR;
	case PF:
	case VE:
		return DF;
	default:
		return PF;
	}
}

#endif
