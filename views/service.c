/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/service.h"

#include <errno.h>

#define VECTOR_UD 6u
#define VECTOR_GP 13u

static bool is_enabled(const struct vmfunc_state *state, uint32_t number)
{
	return state->enabled && number < SERVICE_NUMBERS &&
	       state->services.enabled >> number & 1;
}

static bool is_permitted(const struct service_table *table, const struct service_call *call)
{
	if (table->cpl0 >> call->number & 1 && call->cpl != 0)
		return false;
	return !(table->home >> call->number & 1) || call->home;
}

/* The processor's decision in the words of a service. */
static struct service_decision decide_view(const struct vmfunc_state *state, uint32_t index)
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
	struct service_decision decision = { .eptp = state->eptp };

	if (!is_enabled(state, call->number))
		decision.verdict = SERVICE_UNDEFINED;
	else if (!is_permitted(&state->services, call))
		decision.verdict = SERVICE_FORBIDDEN;
	else if (call->number == SERVICE_VIEW)
		decision = decide_view(state, call->index);
	else
		decision.verdict = SERVICE_PERFORM;
	return decision;
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
	state->enabled = table->enabled != 0;
	state->function_controls = table->enabled & UINT64_C(1) << SERVICE_VIEW;
}
