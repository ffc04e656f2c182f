/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/expect_io.h"

#include <errno.h>

#include "views/expect_rules.h"

/* Port accesses are exits to the VMM, which no relay sees if there is an L0, and nothing else. */
static void add_ports(const struct expect_environment *environment, unsigned count,
		      struct expectation *expectation)
{
	expectation->exits[LEVEL_VMM].count += count;
	if (environment->backend == HOST_BACKEND_BARE)
		expectation->exits[LEVEL_MONITOR].count += count;
	expectation->exits[LEVEL_L0] =
		expect_l0(environment, expect_exactly(count), expect_exactly(count));
}

/* Each repetition ends with an interrupt that KVM is given. */
static void add_interrupt(const struct expect_environment *environment, struct expectation *expectation)
{
	if (environment->backend == HOST_BACKEND_VMX)
		expectation->exits[LEVEL_L0].count += environment->traits >> TRAIT_PREEMPTION_TIMER & 1;
}

/* Services: of some the relay says itself what becomes of them, if there is one; others it passes on to the VMM. */
static void add_services(const struct expect_environment *environment, unsigned by_vmm, unsigned by_relay,
			 struct expectation *expectation)
{
	const bool flat = environment->engine == ENGINE_FLAT;

	expectation->exits[LEVEL_VMM].count += by_vmm + (flat ? by_relay : 0);
	expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_SOME, EXPECT_SOME);
	if (!flat)
		expect_relay(environment, by_vmm + by_relay, by_vmm, 0, 0, expectation);
}

/* Held, raised twice, let go: the two are one. That one is pending then, so letting it go is the VMM's. */
static void expect_release(const struct expect_environment *environment,
			   struct expectation *expectation)
{
	expect_value(expectation, expectation->repetitions);
	if (environment->backend == HOST_BACKEND_BARE) {
		/* The interrupt is part of the answer. */
		expectation->exits[LEVEL_MONITOR] = expect_exactly(2 + 2);
		expectation->exits[LEVEL_VMM] = expect_exactly(2 + 1);
		return;
	}
	add_ports(environment, 2, expectation);
	add_services(environment, 1, 1, expectation);
	/* An interpreter ends the service at an exit with interrupts on. Elsewhere they are off then, in
	 * the relay or in the guest's #UD handler, and KVM is to say when they are on: a further exit.
	 * Of a nested guest it says so too early as well (vmm/service/interrupt.c). */
	if (environment->backend != HOST_BACKEND_PVM)
		expectation->exits[LEVEL_VMM].count++;
	if (environment->engine == ENGINE_FLAT)
		return;
	expectation->exits[LEVEL_VMM].how = EXPECT_AT_LEAST;
	expectation->exits[LEVEL_L0].how = EXPECT_AT_LEAST;
	expectation->exits[LEVEL_L0].count += 2 + 1; /* the ports, and that exit */
}

/* In the low half those that were taken while the vector was so, in the high half those after it was set
 * to be delivered again. */
void expect_interrupt(const struct expect_environment *environment, const struct ss_operation *op,
		      struct expectation *expectation)
{
	if (op->flags & SS_OP_PAIR) {
		expect_value(expectation, 0);
		add_services(environment, 0, 2, expectation);
		return;
	}
	if (op->insn == SS_INSN_VMFUNC) {
		expect_release(environment, expectation);
		return;
	}
	add_ports(environment, 1, expectation);
	switch (op->arg >> 8) {
	case SS_INTERRUPT_DELIVER:
		expect_value(expectation, expectation->repetitions);
		add_interrupt(environment, expectation);
		break;
	case SS_INTERRUPT_HOLD:
		expect_value(expectation, UINT64_C(1) << 32);
		break;
	default:
		expect_value(expectation, 0);
	}
}

/* What the service answers, without a reason to refuse 0 from giving the buffer back. */
static int pin_answer(const struct expect_environment *environment, uint64_t access, uint32_t view,
		      uint64_t page)
{
	gpa_t gpa = gpa_add(environment->window, page * GPA_PAGE_SIZE);
	struct view_effect effect;

	switch (page) {
	case SS_PIN_OWN:
		return 0;
	case SS_PIN_ODD:
		return -EINVAL;
	case SS_PIN_OUTSIDE:
		return -EFAULT;
	default:
		effect = policy_effect(environment->policy, view, gpa);
		return (access & ~(uint64_t)effect.rights) == 0 && gpa_equal(effect.target, gpa)
			       ? 0
			       : -EACCES;
	}
}

void expect_pin(const struct expect_environment *environment, const struct ss_operation *op,
		struct expectation *expectation)
{
	int answer = pin_answer(environment, op->arg >> 16, (uint32_t)(op->arg >> 8 & 0xff),
				op->arg & 0xff);

	expect_value(expectation, (uint64_t)(int64_t)answer);
	add_services(environment, answer == 0 ? 2 : 1, 0, expectation);
	/* To lock pages takes them out of L0's tables, in which it then misses them; how many is the host's affair. */
	if (answer == 0)
		expectation->exits[LEVEL_L0].how = EXPECT_AT_LEAST;
}

/* A command, and its status. */
void expect_disk(const struct expect_environment *environment, const struct ss_operation *op,
		 struct expectation *expectation)
{
	add_ports(environment, 2, expectation);
	if (op->arg & SS_DISK_UNPINNED)
		expect_value(expectation, SS_DISK_STATUS_BAD_BUFFER);
	else if (op->arg & SS_DISK_INTERRUPT) {
		expect_value(expectation, expectation->repetitions);
		add_interrupt(environment, expectation);
	} else
		expect_value(expectation, SS_DISK_PATTERN);
}
