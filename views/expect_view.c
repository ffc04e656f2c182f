/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/expect_view.h"

#include <errno.h>

#include "views/expect_rules.h"

#define VECTOR_PF 14
#define VECTOR_VE 20

/* Error code of a page fault (Intel SDM vol. 3A, 4.7). */
#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_FETCH 16

/* Views 1 and 2 in turn. */
static uint32_t rotate_last(uint32_t count)
{
	return count & 1 ? 1 : 2;
}

static uint32_t vmfunc_last_index(const struct ss_operation *op, uint32_t count)
{
	if (op->flags & SS_OP_PAIR)
		return 0;
	if (op->flags & SS_OP_ROTATE)
		return rotate_last(count);
	if (op->flags & SS_OP_CYCLE)
		return count % (uint32_t)op->arg;
	return (uint32_t)op->arg;
}

static void set_view(struct expectation *expectation, uint32_t view)
{
	expect_value(expectation, SS_VIEW_TAG | view);
	expectation->view_known = true;
	expectation->view = view;
}

static uint32_t vmfunc_number(const struct ss_operation *op)
{
	return (uint32_t)(op->arg >> 32);
}

/* Without VMFUNC in the processor the VMM carries it out: an interpreter hands it every one, else the
 * guest's #UD handler asks, for numbers that can exist, also if the VMM has said #UD before. */
static unsigned flat_vmfunc_exits(const struct expect_environment *environment,
				  const struct ss_operation *op, enum service_verdict verdict)
{
	bool interpreted = environment->backend == HOST_BACKEND_PVM && !(op->flags & SS_OP_CPL3);

	if (verdict == SERVICE_UNDEFINED)
		return (interpreted ? 1 : 0) + (vmfunc_number(op) < SERVICE_NUMBERS ? 1 : 0);
	return op->flags & SS_OP_PAIR ? 2 : 1;
}

static void flat_vmfunc(const struct expect_environment *environment, const struct ss_operation *op,
			enum service_verdict verdict, struct expectation *expectation)
{
	expectation->exits[LEVEL_VMM] = expect_exactly(flat_vmfunc_exits(environment, op, verdict));
	expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_SOME, EXPECT_SOME);
	if (environment->backend == HOST_BACKEND_PVM && op->flags & SS_OP_CPL3)
		expectation->exits[LEVEL_L0] = EXPECT_NO_RULE;
}

/* Whether the relay has to read which view is active before it can decide about a number that a service can have. */
static bool asks_home(const struct vmfunc_state *state, uint32_t number)
{
	return state->services.enabled >> number & 1 && state->services.home >> number & 1;
}

/* Whether the relay writes the EPT pointer for the VMM, which has read the index. */
static bool loads_view(uint32_t number, enum service_verdict verdict)
{
	return number == SERVICE_VIEW && verdict == SERVICE_PERFORM;
}

/* KVM emulates VMFUNC of a nested guest in L0; what is not done there is the relay's. What the
 * processor itself finds undefined is #UD, which KVM intercepts and gives to the guest. */
static void vmx_vmfunc(const struct expect_environment *environment, const struct ss_operation *op,
		       enum service_verdict verdict, const struct vmfunc_state *state,
		       struct expectation *expectation)
{
	const uint32_t number = vmfunc_number(op);

	const struct expect_count switches = expect_exactly(op->flags & SS_OP_PAIR ? 2 : 1);

	if (!state->enabled || number >= SERVICE_NUMBERS)
		expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_ONE, EXPECT_ONE);
	else if (verdict == SERVICE_SWITCH)
		expectation->exits[LEVEL_L0] = expect_l0(environment, switches, switches);
	else
		expect_relay(environment, 1, service_reaches_vmm(verdict),
			     asks_home(state, number) + loads_view(number, verdict), 0, expectation);
}

/* The relay intercepts the #UD that VMFUNC raises, where VM functions are enabled. */
static void svm_vmfunc(const struct expect_environment *environment, const struct ss_operation *op,
		       enum service_verdict verdict, bool enabled, struct expectation *expectation)
{
	unsigned count = op->flags & SS_OP_PAIR ? 2 : 1;

	expect_relay(environment, enabled ? count : 0, service_reaches_vmm(verdict) ? count : 0, 0, count,
		     expectation);
}

static void expect_vmfunc_exits(const struct expect_environment *environment,
				const struct ss_operation *op, enum service_verdict verdict,
				const struct vmfunc_state *state, struct expectation *expectation)
{
	if (environment->engine == ENGINE_FLAT) {
		flat_vmfunc(environment, op, verdict, expectation);
		return;
	}
	if (environment->engine == ENGINE_SVM)
		svm_vmfunc(environment, op, verdict, state->enabled, expectation);
	else
		vmx_vmfunc(environment, op, verdict, state, expectation);
	if (service_reaches_vmm(verdict))
		expectation->exits[LEVEL_VMM] = EXPECT_ONE;
}

void expect_vmfunc(const struct expect_environment *environment,
		   const struct ss_operation *op, struct expectation *expectation)
{
	const struct service_call call = {
		.number = vmfunc_number(op),
		.index = op->flags & SS_OP_IN_MEMORY
				 ? SERVICE_IN_MEMORY
				 : vmfunc_last_index(op, expectation->repetitions),
		.cpl = op->flags & SS_OP_CPL3 ? 3 : 0,
		.home = true,
	};
	struct vmfunc_state state = environment->vmfunc;
	uint64_t list[EPTP_LIST_ENTRIES];
	struct service_decision decision;

	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		list[i] = environment->vmfunc.list[i];
	state.list = list;
	setup_apply(op, &state, list);
	decision = service_decide(&state, &call);
	if (service_vector(decision.verdict))
		expect_vector(expectation, service_vector(decision.verdict));
	else if (decision.error)
		expect_value(expectation, (uint64_t)(int64_t)decision.error);
	else if (decision.verdict == SERVICE_SWITCH ||
		 (call.number == SERVICE_VIEW && op->flags & SS_OP_IN_MEMORY))
		set_view(expectation, vmfunc_last_index(op, expectation->repetitions));
	expect_vmfunc_exits(environment, op, decision.verdict, &state, expectation);
}

/* Hypercalls that the relay knows. */
void expect_hypercall_service(const struct expect_environment *environment,
			      const struct ss_operation *op, struct expectation *expectation)
{
	if (op->arg == SS_HYPERCALL_VIEW)
		set_view(expectation, rotate_last(expectation->repetitions));
	else
		expect_value(expectation, 0);
	/* On VMX the relay writes the EPT pointer to switch. */
	expect_relay(environment, 1, op->arg == SS_HYPERCALL_NULL_VMM, op->arg == SS_HYPERCALL_VIEW, 0,
		     expectation);
	expectation->exits[LEVEL_VMM] = op->arg == SS_HYPERCALL_NULL_VMM ? EXPECT_ONE : EXPECT_NONE;
}

/* What the built-in guest has on its pages. */
static const uint64_t contents[] = {
	[SS_WINDOW_SHARED] = SS_WINDOW_SHARED_VALUE,
	[SS_WINDOW_PRIVATE] = SS_WINDOW_PRIVATE_VALUE,
	[SS_PAGE_KERNEL] = SS_PAGE_KERNEL_VALUE,
};

#define PAGES (sizeof(contents) / sizeof(contents[0]))

/* A refused read gives all ones, a refused write changes nothing. A store that is allowed writes what is
 * there already. What is called only returns, and there is nothing to be called instead: such a fetch is a
 * fault also if others are not. */
static void set_accessed(const struct expect_environment *environment, const struct ss_operation *op,
			 uint32_t page, bool permitted, struct expectation *expectation)
{
	bool call = op->insn == SS_INSN_CALL, load = op->insn == SS_INSN_LOAD;

	expect_value(expectation, call ? 0 : permitted || !load ? contents[page] : UINT64_MAX);
	if (permitted || !(environment->inject || call))
		return;
	expect_vector(expectation, VECTOR_PF);
	expectation->error_code = PF_PRESENT | (call ? PF_FETCH : load ? 0 : PF_WRITE);
	expectation->value_known = !load;
}

/* The processor raises it, whatever a violation that exits would be answered with; there is no error code. */
static void set_ve(const struct ss_operation *op, struct expectation *expectation)
{
	expect_vector(expectation, VECTOR_VE);
	expectation->error_code = 0;
	expectation->value_known = op->insn != SS_INSN_LOAD;
}

static unsigned needed_right(const struct expect_environment *environment, uint32_t insn)
{
	if (insn == SS_INSN_STORE)
		return VIEW_WRITE;
	/* Memory slots that can be read can be executed. */
	return insn == SS_INSN_CALL && environment->engine != ENGINE_FLAT ? VIEW_EXECUTE : VIEW_READ;
}

void expect_view_access(const struct expect_environment *environment,
			const struct ss_operation *op, struct expectation *expectation)
{
	unsigned right = needed_right(environment, op->insn);
	uint32_t page = op->arg & 0xff;
	struct view_effect effect;
	bool permitted, by_processor;

	expectation->exits[LEVEL_L0] = EXPECT_NO_RULE;
	if (page >= PAGES)
		return;
	effect = policy_effect(environment->policy, (uint32_t)(op->arg >> 8),
			       page == SS_PAGE_KERNEL
				       ? environment->kernel
				       : gpa_add(environment->window, page * GPA_PAGE_SIZE));
	permitted = effect.rights & right;
	by_processor = permitted || (effect.ve && op->setup == SS_SETUP_VE);
	set_accessed(environment, op, page, permitted, expectation);
	if (by_processor && !permitted)
		set_ve(op, expectation);
	if (by_processor) {
		expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_NONE, EXPECT_NONE);
		return;
	}
	expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_SOME, EXPECT_SOME);
	if (environment->engine != ENGINE_FLAT)
		expect_relay(environment, 1, 1, 0, 0, expectation);
	expectation->exits[LEVEL_VMM] = EXPECT_ONE;
}

static bool can_express(enum engine_id engine, unsigned rights)
{
	/* A memory slot that can be read can be executed, and one that cannot is not there. */
	if (engine == ENGINE_FLAT)
		return rights == 0 || rights == (VIEW_READ | VIEW_EXECUTE) ||
		       rights == VIEW_RIGHTS_ALL;
	/* Nothing without the right to read: EPT has "execute only" at most, where it is offered. */
	return rights == 0 || rights & VIEW_READ;
}

/* What the service says: the checks in the VMM's order. */
static int map_error(const struct expect_environment *environment, const struct ss_operation *op)
{
	const struct view_policy *policy = environment->policy;
	const unsigned rights = (unsigned)(op->arg >> 16);

	if ((op->arg >> 8 & 0xff) >= policy->view_count || (op->arg & 0xff) >= policy->region_count)
		return -ENOENT;
	return can_express(environment->engine, rights) ? 0 : -EOPNOTSUPP;
}

/* How many calls, in all repetitions, the relay leaves to the VMM. A vCPU that has the views to itself makes a change by
 * itself that the VMM has made before: in the first repetition it has made none. */
static uint64_t passed_calls(const struct expect_environment *environment, const struct ss_operation *op, int error,
			     uint32_t repetitions)
{
	const unsigned calls = op->flags & SS_OP_PAIR ? 2 : 1;
	/* The bare monitor changes tables where they are, so that there is nothing to be made again. */
	const bool known = environment->alone && environment->backend != HOST_BACKEND_BARE && error == 0 &&
			   !(op->flags & SS_OP_IN_MEMORY);
	/* Those that the second call gives back. */
	const bool alike = (unsigned)(op->arg >> 16) == VIEW_RIGHTS_ALL;

	if (!known)
		return (uint64_t)calls * repetitions;
	return alike ? 1 : calls;
}

void expect_map(const struct expect_environment *environment, const struct ss_operation *op,
		struct expectation *expectation)
{
	const unsigned rights = (unsigned)(op->arg >> 16);
	const bool accessed = op->insn == SS_INSN_LOAD || op->insn == SS_INSN_STORE;
	const bool permitted = rights & (op->insn == SS_INSN_STORE ? VIEW_WRITE : VIEW_READ);
	const int error = map_error(environment, op);
	const unsigned calls = op->flags & SS_OP_PAIR ? 2 : 1;
	const uint64_t all = expectation->repetitions;
	unsigned exits = calls, violations = 0;
	uint64_t passed, l0;

	expect_value(expectation, (uint64_t)(int64_t)error);
	if (accessed && error == 0) {
		set_accessed(environment, op, op->arg & 0xff, permitted, expectation);
		violations = permitted ? 0 : 1;
		exits += violations;
	}
	if (environment->engine == ENGINE_FLAT) {
		expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_SOME, EXPECT_SOME);
		expectation->exits[LEVEL_VMM] = expect_exactly(exits);
		return;
	}
	passed = violations * all + passed_calls(environment, op, error, expectation->repetitions);
	l0 = l0_of_relay(environment, exits * all, passed,
			 asks_home(&environment->vmfunc, SS_SERVICE_MAP) ? calls * all : 0);
	expectation->exits[LEVEL_MONITOR] = expect_exactly(exits);
	expectation->exits[LEVEL_VMM] = expect_total(expectation, passed);
	expectation->exits[LEVEL_L0] = expect_l0_of_relay(environment, expectation, l0);
	/* Where rights change L0 notices that tables are written, and makes its own anew: it depends on what it has. */
	if (op->flags & SS_OP_PAIR)
		expectation->exits[LEVEL_L0] =
			(struct expect_count){EXPECT_AT_LEAST, (unsigned)(l0 / all)};
}
