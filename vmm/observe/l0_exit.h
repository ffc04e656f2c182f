/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits at L0, put together from the tracepoints that the kernel passes while it handles each. Where KVM
 * interprets the guest, an interpreted instruction takes the place of an exit.
 */
#ifndef VMM_OBSERVE_L0_EXIT_H
#define VMM_OBSERVE_L0_EXIT_H

#include "vmm/ledger/record.h"
#include "vmm/observe/trace_format.h"

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

/* A return of KVM_RUN. */
struct l0_return {
	uint64_t time;
	uint64_t cost;   /* until the next entry, or until KVM_RUN returned again; 0: not seen */
	uint64_t rip;    /* of the exit that led to it; 0: none was seen */
	uint32_t reason; /* KVM's */
	bool nested;     /* that exit was one of a nested guest */
};

typedef void l0_return_fn(void *opaque, const struct l0_return *back);

struct l0_assembler {
	enum trace_id start; /* the tracepoint that begins an exit */
	bool sparse;         /* only one in many of these is recorded: what else is recorded belongs to none of them */
	l0_exit_fn *emit;
	void *opaque;
	bool pending;    /* `exit` is being handled */
	bool handled;    /* it was, and the vCPU entered */
	bool unprompted; /* flag of the next one */
	struct l0_exit exit;
	uint64_t seen[TRACE_COUNT]; /* samples of each tracepoint */
	/* Of the VM of another process: gets every return of KVM_RUN, also those that a signal has caused. NULL: nobody
	 * asks for them. */
	l0_return_fn *emit_return;
	bool outside; /* `back` goes on */
	struct l0_return back;
	bool vcpu_known;
	uint32_t vcpu; /* KVM's number of the vCPU that entered last */
};

/* Takes a sample into account; calls `emit` for each exit that is complete. */
void l0_assemble(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		 const uint8_t *raw, size_t size);

/* Emits the exit that is being handled, if there is one, as it is. */
void l0_assemble_end(struct l0_assembler *assembler);

#endif
