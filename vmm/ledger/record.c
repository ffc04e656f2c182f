/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/record.h"

#include "views/list.h"
#include "views/policy.h"

const char *const exit_reason_keys[EXIT_REASON_COUNT] = {
#define EXIT(number, name, handler, key) [number] = #key,
#include "vmm/ledger/exit.def"
#undef EXIT
};

const char *exit_reason_key(uint32_t reason)
{
	return reason < EXIT_REASON_COUNT ? exit_reason_keys[reason] : "?";
}

const char *access_name(uint32_t access)
{
	return access & VIEW_WRITE ? "write" : access & VIEW_EXECUTE ? "fetch" : "read";
}

const char *const l0_flag_keys[L0_FLAG_COUNT] = {
#define X(name, bit, tracepoint, key, text) key,
	L0_FLAGS(X)
#undef X
};

const char *const agreement_keys[AGREEMENT_COUNT] = {AGREEMENTS(LIST_KEY)};
