/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the reference model say their predictions with. */
#ifndef VIEWS_EXPECT_RULES_H
#define VIEWS_EXPECT_RULES_H

#include "views/expectation.h"

#define EXPECT_NONE ((struct expect_count){EXPECT_EXACTLY, 0})
#define EXPECT_ONE ((struct expect_count){EXPECT_EXACTLY, 1})
#define EXPECT_SOME ((struct expect_count){EXPECT_AT_LEAST, 1})
#define EXPECT_NO_RULE ((struct expect_count){EXPECT_ANY, 0})

static inline struct expect_count expect_exactly(unsigned count)
{
	return (struct expect_count){EXPECT_EXACTLY, count};
}

/* So many in all repetitions together. */
static inline struct expect_count expect_total(const struct expectation *expectation, uint64_t total)
{
	const uint32_t repetitions = expectation->repetitions;

	return total % repetitions == 0 ? expect_exactly((unsigned)(total / repetitions))
					: (struct expect_count){EXPECT_TOTAL, (unsigned)total};
}

/* Every repetition raises an exception. */
static inline void expect_vector(struct expectation *expectation, uint32_t vector)
{
	expectation->vector = vector;
	expectation->faults = expectation->repetitions;
}

static inline void expect_value(struct expectation *expectation, uint64_t value)
{
	expectation->value_known = true;
	expectation->value = value;
}

/*
 * Exits at L0 of an instruction that hardware with the given backend takes `vmx` or `svm` exits for.
 * The pvm backend interprets every instruction at CPL 0, so somebody always steps in.
 */
static inline struct expect_count expect_l0(const struct expect_environment *environment,
					    struct expect_count vmx, struct expect_count svm)
{
	switch (environment->backend) {
	case HOST_BACKEND_VMX:
		return vmx;
	case HOST_BACKEND_SVM:
		return svm;
	case HOST_BACKEND_PVM:
		return EXPECT_SOME;
	default:
		return EXPECT_NO_RULE;
	}
}

/* What L0 hands to the VMM past the relay: without an L0 the relay has it first. */
static inline void expect_passed(const struct expect_environment *environment, struct expectation *expectation)
{
	if (environment->backend == HOST_BACKEND_BARE && expectation->exits[LEVEL_MONITOR].count == 0)
		expectation->exits[LEVEL_MONITOR] = expectation->exits[LEVEL_VMM];
}

/*
 * What exits to the relay cost at L0, `passed` of which it passes on to the VMM. KVM hands an exit on and carries out
 * the VMRESUME or VMRUN (arch/x86/kvm/vmx/nested.c, arch/x86/kvm/svm/nested.c): 2. The relay passes it on by an OUT: 1.
 * A VMCB is memory; of the fields of a VMCS that the relay accesses KVM shadows all but the EPT pointer
 * (arch/x86/kvm/vmx/vmcs_shadow_fields.h), which it reads for the VMM: 1. `more` are further ones, on VMX.
 */
static inline uint64_t l0_of_relay(const struct expect_environment *environment, uint64_t exits,
				   uint64_t passed, uint64_t more)
{
	return environment->engine == ENGINE_VMX ? 2 * exits + 2 * passed + more : 2 * exits + passed;
}

/* The same as what is expected in all repetitions. Without shadowing every access of a field is one more. */
static inline struct expect_count expect_l0_of_relay(const struct expect_environment *environment,
						     const struct expectation *expectation, uint64_t total)
{
	const bool known = environment->engine != ENGINE_VMX ||
			   environment->traits >> TRAIT_VMCS_SHADOWING & 1;

	return known ? expect_total(expectation, total)
		     : (struct expect_count){EXPECT_AT_LEAST, (unsigned)(total / expectation->repetitions)};
}

/* In each repetition so many exits to the relay, some of which it passes on, and without any `alone` at L0. */
static inline void expect_relay(const struct expect_environment *environment, unsigned exits,
				unsigned passed, unsigned more, unsigned alone,
				struct expectation *expectation)
{
	const uint64_t each = l0_of_relay(environment, exits, passed, more);
	const struct expect_count l0 =
		exits ? expect_l0_of_relay(environment, expectation, each * expectation->repetitions)
		      : expect_exactly(alone);

	expectation->exits[LEVEL_MONITOR] = expect_exactly(exits);
	expectation->exits[LEVEL_L0] = expect_l0(environment, l0, l0);
}

#endif
