/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services that the VMM configures for a guest and that VMFUNC invokes: number in EAX, index in ECX.
 * The processor knows number 0 only, the switch of views; whoever carries out the others, or 0 where
 * the processor has no VMFUNC, decides by the table here.
 */
#ifndef VIEWS_SERVICE_H
#define VIEWS_SERVICE_H

#include "views/vmfunc.h"

/* Services by number, those of guestfw/abi.h. The processor's own: */
#define SERVICE_VIEW 0u

/* Index of an invocation whose parameters are in memory, of every service: no list of the processor's has it. */
#define SERVICE_IN_MEMORY UINT32_MAX

/*
 * What becomes of an invocation. A service that is not enabled is an instruction that does not exist;
 * one that the caller may not use is a protection violation, like an instruction at the wrong CPL; unless
 * the table makes both an exit. What the processor leaves to the hypervisor by an exit, because of the operand, is refused by a number, as
 * a hypercall would be.
 */
enum service_verdict {
	SERVICE_VERDICT_INVALID,
	SERVICE_UNDEFINED, /* not enabled for this guest, or no such service: #UD */
	SERVICE_FORBIDDEN, /* not for callers of this privilege: #GP(0) */
	SERVICE_REFUSED,   /* a negative errno in RAX */
	SERVICE_SWITCH,    /* a view becomes active, or stays so */
	SERVICE_PERFORM,   /* a service of the VMM */
	/* Where the table says that the VMM gets those, instead of an exception: -ENOSYS, -EPERM in RAX */
	SERVICE_EXIT_DISABLED,
	SERVICE_EXIT_FORBIDDEN,
};

enum service_mode {
	SERVICE_MODE_64,
	SERVICE_MODE_PROTECTED, /* compatibility mode included */
	SERVICE_MODE_REAL,      /* virtual-8086 mode included */
};

struct service_call {
	uint32_t number; /* EAX */
	uint32_t index;  /* ECX */
	unsigned cpl;
	bool home; /* the caller is in view 0 */
	enum service_mode mode;
};

struct service_decision {
	enum service_verdict verdict;
	int error;     /* REFUSED: -ERANGE for an index beyond the list, -EINVAL for an entry of
			  it that is no valid EPTP; EXIT_DISABLED: -ENOSYS; EXIT_FORBIDDEN: -EPERM */
	uint64_t eptp; /* the view that is active afterwards */
};

/* Decides an invocation. Checked in this order: enabled, caller, operand. With SERVICE_IN_MEMORY as its index the
 * switch of views is performed by the VMM as well, which then decides about the index that memory holds. */
struct service_decision service_decide(const struct vmfunc_state *state,
				       const struct service_call *call);
struct service_decision service_decide_view(const struct vmfunc_state *state, uint32_t index);

/* Whether an enabled service is for this caller. */
bool service_permits(const struct service_table *table, const struct service_call *call);

/* Whether the VMM has a part in what becomes of the invocation. */
static inline bool service_reaches_vmm(enum service_verdict verdict)
{
	return verdict >= SERVICE_PERFORM;
}

/* A verdict about a number as records have it: never 0. Numbers that no service can have are one. */
static inline uint16_t service_code(uint32_t number, enum service_verdict verdict)
{
	return (uint16_t)((number < SERVICE_NUMBERS ? number : SERVICE_NUMBERS) |
			  (uint32_t)verdict << 8);
}

/* Exception of a verdict, by vector; 0: none. */
unsigned service_vector(enum service_verdict verdict);

/* Puts a table in place: with it the processor's own controls, which know the switch of views only. */
void service_configure(struct vmfunc_state *state, const struct service_table *table);

#endif
