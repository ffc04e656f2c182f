/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/service.h"

#include <errno.h>

#define VECTOR_UD 6u
#define VECTOR_GP 13u

static bool is_enabled(const struct vmfunc_state *state, uint32_t number)
{
	/* The processor's own service needs the processor's controls too. */
	return state->enabled && number < SERVICE_NUMBERS &&
	       (number != SERVICE_VIEW || state->function_controls & 1) &&
	       state->services.enabled >> number & 1;
}

bool service_permits(const struct service_table *table, const struct service_call *call)
{
	uint64_t asked = 0;

	if (call->cpl != 0)
		asked |= table->cpl0;
	if (!call->home)
		asked |= table->home;
	if (call->mode != SERVICE_MODE_64)
		asked |= table->mode64;
	if (call->mode == SERVICE_MODE_REAL)
		asked |= table->protected;
	return !(asked >> call->number & 1);
}

/* By an exception, or by an exit if the table says so, which the processor must let happen. */
static struct service_decision withhold(const struct vmfunc_state *state, uint32_t number, bool enabled)
{
	const bool exits = state->enabled && number < SERVICE_NUMBERS &&
			   state->services.exits >> number & 1;
	struct service_decision decision = {.eptp = state->eptp};

	if (exits) {
		decision.verdict = enabled ? SERVICE_EXIT_FORBIDDEN : SERVICE_EXIT_DISABLED;
		decision.error = enabled ? -EPERM : -ENOSYS;
	} else {
		decision.verdict = enabled ? SERVICE_FORBIDDEN : SERVICE_UNDEFINED;
	}
	return decision;
}

/* The processor's decision in the words of a service. */
struct service_decision service_decide_view(const struct vmfunc_state *state, uint32_t index)
{
	const struct vmfunc_result result = vmfunc_decide(state, SERVICE_VIEW, index);
	struct service_decision decision = { .eptp = result.eptp };

	switch (result.reason) {
	case VMFUNC_REASON_ENTRY_CURRENT:
	case VMFUNC_REASON_ENTRY_OTHER:
		decision.verdict = SERVICE_SWITCH;
		break;
	case VMFUNC_REASON_INDEX_TOO_LARGE:
		decision.verdict = SERVICE_REFUSED;
		decision.error = -ERANGE;
		break;
	case VMFUNC_REASON_ENTRY_NOT_VALID:
		decision.verdict = SERVICE_REFUSED;
		decision.error = -EINVAL;
		break;
	default:
		decision.verdict = SERVICE_UNDEFINED;
	}
	return decision;
}

struct service_decision service_decide(const struct vmfunc_state *state,
				       const struct service_call *call)
{
	const bool enabled = is_enabled(state, call->number);

	if (!enabled || !service_permits(&state->services, call))
		return withhold(state, call->number, enabled);
	if (call->number == SERVICE_VIEW && call->index != SERVICE_IN_MEMORY)
		return service_decide_view(state, call->index);
	return (struct service_decision){.verdict = SERVICE_PERFORM, .eptp = state->eptp};
}

unsigned service_vector(enum service_verdict verdict)
{
	switch (verdict) {
	case SERVICE_UNDEFINED:
		return VECTOR_UD;
	case SERVICE_FORBIDDEN:
		return VECTOR_GP;
	default:
		return 0;
	}
}

void service_configure(struct vmfunc_state *state, const struct service_table *table)
{
	state->services = *table;
	state->enabled = (table->enabled | table->exits) != 0;
	state->function_controls = table->enabled & UINT64_C(1) << SERVICE_VIEW;
}
