/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread of another process that may run a vCPU: what tracepoints tell of it. */
#ifndef VMM_ATTACH_ATTACHED_THREAD_H
#define VMM_ATTACH_ATTACHED_THREAD_H

#include "vmm/observe/trace.h"

/* An exit at one level, as it is counted and recorded. */
struct attached_exit {
	uint64_t time, cost; /* ns; cost 0: not seen to its end */
	uint64_t rip;        /* 0: not known */
	uint64_t info1, info2;
	uint32_t reason; /* the processor's, at level vmm KVM's */
	uint8_t level, isa;
	bool nested;
	uint16_t flags; /* enum l0_flag, at level l0 */
};

struct attached_thread {
	pid_t id;
	size_t process; /* number of the process that it is of */
	struct trace trace;
	struct l0_assembler assembler;
	bool open;     /* its tracepoints are looked at */
	bool active;   /* it runs a vCPU: it has passed one of them */
	bool unwanted; /* its vCPU is not the one that was asked for */
	bool gone;     /* it has ended */
	bool numbered; /* `vcpu` has been said */
	bool reflected; /* `l2_exit` was handed to the hypervisor in the VM, which has not resumed its guest yet */
	struct l0_exit l2_exit;
	uint32_t vcpu; /* KVM's number of it, once that is known; where KVM interprets, which does not tell it, a number in the
			* order in which threads were seen to run one */
	uint64_t exits;    /* at l0 */
	uint64_t lost;     /* samples, of the time up to the last attached_thread_close() */
	uint64_t interpreted; /* hits of kvm_emulate_insn that have been taken note of */
	void (*exit)(void *opaque, struct attached_thread *thread, const struct attached_exit *exit);
	void *opaque;
};

/*
 * Begins to look. `exit` and `opaque` have been set. Returns 0, and in `reason` what tracepoints this kernel has not; or a
 * negative errno with the reason, -ESRCH if the thread is no more.
 */
int attached_thread_open(struct attached_thread *thread, const struct trace_plan *plan, char *reason, size_t size);

/* What begins then, without a tracepoint: samples are put together from the start. */
void attached_thread_begin(struct attached_thread *thread, bool interpreted);

/* Takes out what has been recorded, and calls `exit` for each. */
void attached_thread_drain(struct attached_thread *thread);

/* Looks no longer, after a last drain, and finds out what was lost. */
void attached_thread_close(struct attached_thread *thread);

/* How many instructions KVM has interpreted since the last call. */
uint64_t attached_thread_interpreted(struct attached_thread *thread);

#endif
