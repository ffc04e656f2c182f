/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_VMFUNC_H
#define VIEWS_VMFUNC_H

#include <stdbool.h>
#include <stdint.h>

#include "views/eptp.h"
#include "views/paging.h"
#include "views/service_table.h"

/* What becomes of a VMFUNC: name, key. */
#define VMFUNC_OUTCOME_TABLE(X) \
	X(SWITCHED, "switched") \
	X(SAME, "same") \
	X(UD, "ud") \
	X(EXIT, "exit")

enum vmfunc_outcome {
	VMFUNC_OUTCOME_INVALID,
#define VMFUNC_OUTCOME_ENUM(name, key) VMFUNC_##name,
	VMFUNC_OUTCOME_TABLE(VMFUNC_OUTCOME_ENUM)
#undef VMFUNC_OUTCOME_ENUM
	VMFUNC_OUTCOME_COUNT
};

/*
 * Why, in the order of the checks: name, outcome, key, text. An exit has basic
 * exit reason 59 and leaves the EPTP as it was (Intel SDM volume 3C, 26.5.6.2
 * and 26.5.6.3).
 */
#define VMFUNC_REASON_TABLE(X) \
	X(NOT_ENABLED, UD, "not-enabled", "VM functions are not enabled") \
	X(LEAF_TOO_LARGE, UD, "leaf-too-large", "EAX is greater than 63") \
	X(LEAF_NOT_ENABLED, EXIT, "leaf-not-enabled", \
	  "the VM function in EAX is not enabled") \
	X(LEAF_UNDEFINED, EXIT, "leaf-undefined", \
	  "the VM function in EAX is enabled but not defined") \
	X(INDEX_TOO_LARGE, EXIT, "index-too-large", "ECX is greater than 511") \
	X(ENTRY_NOT_VALID, EXIT, "entry-not-valid", \
	  "the entry of the EPTP list is no valid EPTP") \
	X(ENTRY_CURRENT, SAME, "entry-current", \
	  "the entry of the EPTP list is the current EPTP") \
	X(ENTRY_OTHER, SWITCHED, "entry-other", \
	  "the entry of the EPTP list is another EPTP")

enum vmfunc_reason {
	VMFUNC_REASON_INVALID,
#define VMFUNC_REASON_ENUM(name, outcome, key, text) VMFUNC_REASON_##name,
	VMFUNC_REASON_TABLE(VMFUNC_REASON_ENUM)
#undef VMFUNC_REASON_ENUM
	VMFUNC_REASON_COUNT
};

/* What the control structure and the processor say when VMFUNC is executed. */
struct vmfunc_state {
	bool enabled;               /* "enable VM functions", secondary control 13 */
	uint64_t function_controls; /* VM-function controls */
	const uint64_t *list;       /* EPTP list, EPTP_LIST_ENTRIES long */
	uint64_t eptp;              /* current EPTP, valid */
	struct paging_caps caps;
	struct service_table services; /* no processor looks at them: see service.h */
};

struct vmfunc_result {
	enum vmfunc_outcome outcome;
	enum vmfunc_reason reason;
	enum eptp_rule rule; /* EPTP_RULE_INVALID if no entry was looked at */
	uint64_t eptp;       /* EPTP afterwards */
};

/*
 * Decides a VMFUNC as the processor does. Privilege does not matter: VMFUNC is
 * allowed at every CPL. list may be NULL if bit 0 of the function controls is
 * clear.
 *
 * The manual knows no "same": a switch to the current EPTP is a switch. It is
 * told apart because nothing observable follows from it. LEAF_UNDEFINED cannot
 * happen on a processor, whose VM entry refuses such function controls; an L0
 * that emulates VMFUNC exits.
 */
struct vmfunc_result vmfunc_decide(const struct vmfunc_state *state,
				   uint32_t eax, uint32_t ecx);

/* Names; NULL for no row of the tables. */
const char *vmfunc_outcome_key(enum vmfunc_outcome outcome);
const char *vmfunc_reason_key(enum vmfunc_reason reason);
const char *vmfunc_reason_text(enum vmfunc_reason reason);

/* The outcome that a reason leads to. */
enum vmfunc_outcome vmfunc_reason_outcome(enum vmfunc_reason reason);

#endif
