/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits at L0, put together from the tracepoints that the kernel passes while it handles each. Where KVM
 * interprets the guest, an interpreted instruction takes the place of an exit.
 */
#ifndef VMM_OBSERVE_L0_EXIT_H
#define VMM_OBSERVE_L0_EXIT_H

#include "vmm/observe/trace_format.h"

/* What else happened before the next entry: L0_FLAG(NAME, bit, tracepoint, key, "meaning"). */
#define L0_FLAGS_OF_TRACEPOINTS(X)                                                                 \
	X(NESTED, 0, kvm_nested_vmexit, "nested", "the exit was one of a nested guest")            \
	X(INJECTED, 1, kvm_nested_vmexit_inject, "injected", "it went to the relay")               \
	X(RESUMED, 2, kvm_nested_vmenter, "resumed", "it was the relay's, who entered the guest")  \
	X(USERSPACE, 3, kvm_userspace_exit, "userspace", "it went to the sidestep process")        \
	X(EMULATED, 4, kvm_emulate_insn, "emulated", "KVM interpreted an instruction")             \
	X(FAULT, 5, kvm_page_fault, "page_fault", "a second-level page fault was handled")         \
	X(CR, 6, kvm_cr, "cr", "KVM handled the access of a control register")                     \
	X(PIO, 7, kvm_pio, "pio", "KVM handled the access of a port")

/*
 * KVM_RUN also returns where it finds the interrupt window open that we have asked for: vcpu_run() of
 * arch/x86/kvm/x86.c, when vcpu_enter_guest() has turned back for the scheduler or the exit was the host's interrupt.
 */
#define L0_FLAGS(X)                                                                                \
	L0_FLAGS_OF_TRACEPOINTS(X)                                                                 \
	X(UNPROMPTED, 8, kvm_userspace_exit, "unprompted",                                         \
	  "since the exit before, KVM_RUN had returned without one of the guest")

enum l0_flag {
#define X(name, bit, tracepoint, key, text) L0_##name = 1 << (bit),
	L0_FLAGS(X)
#undef X
};

enum {
#define X(name, bit, tracepoint, key, text) L0_BIT_##name = (bit),
	L0_FLAGS(X)
#undef X
	L0_FLAG_COUNT
};

extern const char *const l0_flag_keys[L0_FLAG_COUNT];

struct l0_exit {
	uint64_t time; /* of the clock of the samples */
	uint64_t cost; /* until the next entry; 0: not seen */
	uint64_t rip;
	uint64_t info1, info2;
	uint32_t reason;
	uint32_t operation; /* by the marker, once it is known */
	bool attributed;    /* it is known */
	uint8_t isa;        /* whose reasons: 1 VMX, 2 SVM, 0 an interpreted instruction */
	uint16_t flags;     /* enum l0_flag */
};

typedef void l0_exit_fn(void *opaque, struct l0_exit *exit);

struct l0_assembler {
	enum trace_id start; /* the tracepoint that begins an exit */
	l0_exit_fn *emit;
	void *opaque;
	bool pending;    /* `exit` is being handled */
	bool handled;    /* it was, and the vCPU entered */
	bool unprompted; /* flag of the next one */
	struct l0_exit exit;
	uint64_t seen[TRACE_COUNT]; /* samples of each tracepoint */
};

/* Takes a sample into account; calls `emit` for each exit that is complete. */
void l0_assemble(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		 const uint8_t *raw, size_t size);

/* Emits the exit that is being handled, if there is one, as it is. */
void l0_assemble_end(struct l0_assembler *assembler);

#endif
