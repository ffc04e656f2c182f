/* SPDX-License-Identifier: GPL-2.0-only */
/* How a guest runs, on what, and who can step in. */
#ifndef VIEWS_LEVELS_H
#define VIEWS_LEVELS_H

/* How a guest runs: ENGINE(NAME, key, meaning). */
#define ENGINES(X)                                                                                 \
	X(FLAT, "flat", "as L1, on any KVM; views are memory-slot layouts")                        \
	X(VMX, "vmx", "as L2 under a vmcs12; views are EPT hierarchies")                           \
	X(SVM, "svm", "as L2 under a vmcb12; views are NPT hierarchies")

enum engine_id {
	ENGINE_INVALID,
#define X(name, key, meaning) ENGINE_##name,
	ENGINES(X)
#undef X
	ENGINE_COUNT
};

/* What drives the host's KVM: BACKEND(NAME, key, module). BARE: nothing is below our own monitor, so there is no L0. */
#define HOST_BACKENDS(X)                                                                           \
	X(UNKNOWN, "unknown", "unknown")                                                           \
	X(VMX, "vmx", "kvm_intel")                                                                 \
	X(SVM, "svm", "kvm_amd")                                                                   \
	X(PVM, "pvm", "kvm_pvm")                                                                   \
	X(BARE, "bare", "no KVM")

enum host_backend {
#define X(name, key, module) HOST_BACKEND_##name,
	HOST_BACKENDS(X)
#undef X
	HOST_BACKEND_COUNT
};

/*
 * Where processors differ in what they leave to a hypervisor: TRAIT(NAME, key, meaning).
 *
 * LMSW_SELECTIVE: to the selective CR0-write intercept LMSW is like a full one (AMD APM vol. 2, table
 * 15-7), but QEMU's translator has it share the code of MOV to CR0, which compares what changes
 * (target/i386/tcg/sysemu/misc_helper.c, helper_write_crN).
 * GP_INTERCEPTED: before Zen 3, VMRUN and its kin raise #GP for some legal addresses, so KVM looks at
 * every #GP of a guest with SVM (arch/x86/kvm/svm/svm.c, svm_gp_erratum_intercept).
 * VMCS_SHADOWING: L1 reads and writes most fields of its VMCS without an exit (Intel SDM vol. 3C, 25.10), if KVM uses
 * that (kvm_intel.enable_shadow_vmcs).
 * PREEMPTION_TIMER: an interrupt that the VMM injects is still pending to KVM when it has been put into the entry, which
 * therefore is to exit at once (arch/x86/kvm/x86.c, kvm_check_and_inject_events() without a local APIC of KVM's). KVM has
 * this timer do so (kvm_intel.preemption_timer, off where the time stamp counter is too fast for it); without, it sends
 * itself an interrupt, which is the host's own.
 * DECODE_ASSISTS: an intercepted MOV to a control register says from where (AMD APM vol. 2, 15.33). Without it KVM
 * interprets the instruction (arch/x86/kvm/svm/svm.c, cr_interception), as the pvm backend does, and its interpreter
 * drops bits 63:32 of the value, which are a #GP otherwise (arch/x86/kvm/x86.c, mk_cr_64).
 */
#define PROCESSOR_TRAITS(X)                                                                        \
	X(LMSW_SELECTIVE, "lmsw-selective",                                                        \
	  "an emulated processor, whose selective CR0-write intercept ignores LMSW of TS and MP")  \
	X(GP_INTERCEPTED, "gp-intercepted", "#GP of guests with SVM is intercepted by KVM")        \
	X(VMCS_SHADOWING, "vmcs-shadowing", "most fields of a nested VMCS are accessed without an exit") \
	X(PREEMPTION_TIMER, "preemption-timer", "an interrupt that the VMM injects is an exit more, by the preemption timer") \
	X(DECODE_ASSISTS, "decode-assists", "KVM need not interpret MOV to a control register of an SVM guest")

enum processor_trait {
#define X(name, key, meaning) TRAIT_##name,
	PROCESSOR_TRAITS(X)
#undef X
	TRAIT_COUNT
};

/* Who can step in, from the inside out: LEVEL(NAME, key, meaning). */
#define LEVELS(X)                                                                                  \
	X(L0, "l0", "the hypervisor in the host kernel")                                           \
	X(MONITOR, "monitor", "the relay in front of the VMM")                                     \
	X(VMM, "vmm", "the sidestep process")

enum level {
#define X(name, key, meaning) LEVEL_##name,
	LEVELS(X)
#undef X
	LEVEL_COUNT
};

/* Where an operation was completed: the outermost that had to step in. */
#define PLACEMENTS(X)                                                                              \
	X(UNKNOWN, "unknown")                                                                      \
	X(CPU, "cpu")                                                                              \
	X(L0, "l0")                                                                                \
	X(MONITOR, "monitor")                                                                      \
	X(VMM, "vmm")

enum placement {
#define X(name, key) PLACEMENT_##name,
	PLACEMENTS(X)
#undef X
};

extern const char *const engine_keys[ENGINE_COUNT];
extern const char *const engine_meanings[ENGINE_COUNT];
extern const char *const host_backend_keys[HOST_BACKEND_COUNT];
extern const char *const host_backend_modules[HOST_BACKEND_COUNT];
extern const char *const processor_trait_keys[TRAIT_COUNT];
extern const char *const processor_trait_meanings[TRAIT_COUNT];
extern const char *const level_keys[LEVEL_COUNT];
extern const char *const level_meanings[LEVEL_COUNT];
extern const char *const placement_keys[];

#endif
