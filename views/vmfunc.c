/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/vmfunc.h"

#include <stddef.h>

#define VMFUNC_LEAVES 64u
#define VMFUNC_LEAF_EPTP_SWITCHING 0u

struct row {
	enum vmfunc_outcome outcome;
	const char *key;
	const char *text;
};

static const struct row rows[VMFUNC_REASON_COUNT] = {
#define VMFUNC_REASON_ROW(name, outcome, key, text) \
	[VMFUNC_REASON_##name] = { VMFUNC_##outcome, key, text },
	VMFUNC_REASON_TABLE(VMFUNC_REASON_ROW)
#undef VMFUNC_REASON_ROW
};

static const char *const outcome_keys[VMFUNC_OUTCOME_COUNT] = {
#define VMFUNC_OUTCOME_KEY(name, key) [VMFUNC_##name] = key,
	VMFUNC_OUTCOME_TABLE(VMFUNC_OUTCOME_KEY)
#undef VMFUNC_OUTCOME_KEY
};

/*
 * The checks of Intel SDM volume 3C, 26.5.6.2 (general operation) and then
 * 26.5.6.3 (EPTP switching). The two that raise #UD come first: they take
 * precedence over the exits.
 */
static enum vmfunc_reason find_reason(const struct vmfunc_state *state,
				      uint32_t eax, uint32_t ecx,
				      enum eptp_rule *ret_rule)
{
	if (!state->enabled)
		return VMFUNC_REASON_NOT_ENABLED;
	if (eax >= VMFUNC_LEAVES)
		return VMFUNC_REASON_LEAF_TOO_LARGE;
	if (!(state->function_controls >> eax & 1))
		return VMFUNC_REASON_LEAF_NOT_ENABLED;
	if (eax != VMFUNC_LEAF_EPTP_SWITCHING)
		return VMFUNC_REASON_LEAF_UNDEFINED;
	if (ecx >= EPTP_LIST_ENTRIES)
		return VMFUNC_REASON_INDEX_TOO_LARGE;
	*ret_rule = eptp_check(state->list[ecx], &state->caps);
	if (*ret_rule != EPTP_VALID)
		return VMFUNC_REASON_ENTRY_NOT_VALID;
	return state->list[ecx] == state->eptp ? VMFUNC_REASON_ENTRY_CURRENT :
						 VMFUNC_REASON_ENTRY_OTHER;
}

struct vmfunc_result vmfunc_decide(const struct vmfunc_state *state,
				   uint32_t eax, uint32_t ecx)
{
	enum eptp_rule rule = EPTP_RULE_INVALID;
	const enum vmfunc_reason reason = find_reason(state, eax, ecx, &rule);
	const enum vmfunc_outcome outcome = rows[reason].outcome;

	return (struct vmfunc_result){
		.outcome = outcome,
		.reason = reason,
		.rule = rule,
		.eptp = outcome == VMFUNC_SWITCHED ? state->list[ecx] :
						     state->eptp,
	};
}

const char *vmfunc_outcome_key(enum vmfunc_outcome outcome)
{
	return (unsigned)outcome < VMFUNC_OUTCOME_COUNT ? outcome_keys[outcome] :
							  NULL;
}

const char *vmfunc_reason_key(enum vmfunc_reason reason)
{
	return (unsigned)reason < VMFUNC_REASON_COUNT ? rows[reason].key : NULL;
}

const char *vmfunc_reason_text(enum vmfunc_reason reason)
{
	return (unsigned)reason < VMFUNC_REASON_COUNT ? rows[reason].text : NULL;
}

enum vmfunc_outcome vmfunc_reason_outcome(enum vmfunc_reason reason)
{
	return (unsigned)reason < VMFUNC_REASON_COUNT ? rows[reason].outcome :
							VMFUNC_OUTCOME_INVALID;
}
