/* SPDX-License-Identifier: GPL-2.0-only */
/* What policy_lint() looks at, and what it says. */
#ifndef VIEWS_LINT_SUBJECT_H
#define VIEWS_LINT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/policy.h"

/*
 * What a policy permits that its author may not have meant: name, key for
 * machines, text for people. None of it is refused.
 */
#define LINT_TABLE(X) \
	X(WRITE_EXECUTE, "write-execute", \
	  "pages that can be written can also be executed") \
	X(WRITE_EXECUTE_ALIAS, "write-execute-alias", \
	  "a page can be written at one address and executed at another") \
	X(WRITE_EXECUTE_ACROSS, "write-execute-across", \
	  "a view can write what another view executes") \
	X(VMFUNC, "vmfunc-outside-gate", \
	  "an executable page that is no gate of the view holds the bytes of a VMFUNC") \
	X(GATE_NOT_EXECUTABLE, "gate-not-executable", \
	  "the view is entered through a page that it may not execute") \
	X(GATE_ALONE, "gate-alone", \
	  "no other view may execute the gate, so nobody comes through it") \
	X(GATE_DIFFERS, "gate-differs", \
	  "a view shows another page at the gate, so the code behind its VMFUNC is not that in front") \
	X(GATE_WITHOUT_VMFUNC, "gate-without-vmfunc", \
	  "the gate does not hold the bytes of a VMFUNC") \
	X(GATE_WRITABLE, "gate-writable", "a gate can be written") \
	X(NEED, "need", \
	  "the view keeps from the guest what the processor or the VMM has it use") \
	X(VE_PAGE, "ve-page", \
	  "violations of the view are #VE, and it keeps from the guest the page that says which") \
	X(START, "start", "the first view may not execute where the guest starts")

enum lint_kind {
	LINT_INVALID,
#define LINT_ENUM(name, key, text) LINT_##name,
	LINT_TABLE(LINT_ENUM)
#undef LINT_ENUM
	LINT_COUNT
};

/* What the author has said about a view beyond the policy. */
struct lint_view {
	const uint32_t *gates; /* regions from which the view is entered */
	size_t gate_count;
	bool writes_code; /* that what it executes can be written is meant */
};

/* What guest memory holds before the guest runs; the rest is zero. */
struct lint_bytes {
	gpa_t gpa;
	uint64_t size;
	const uint8_t *bytes;
};

/* Memory that every view should give these rights to, unless it has a rule for
 * the region of that name. */
struct lint_need {
	const char *name;
	struct gpa_range range;
	unsigned rights;
};

/* Regions of a view. */
struct lint_regions {
	const uint32_t *regions;
	size_t count;
};

struct lint_subject {
	const struct view_policy *policy; /* valid for this memory */
	const struct guest_memory *memory;
	const struct lint_view *views;	 /* one for each of the policy's */
	const struct lint_bytes *bytes; /* ascending, not overlapping */
	size_t bytes_count;
	const struct lint_need *needs;
	size_t need_count;
	struct lint_need ve_page; /* of views whose violations are #VE; no name: nothing */
	/* One for each view: where its rule says nothing but that violations are not #VE. NULL: nowhere. */
	const struct lint_regions *suppressed;
	gpa_t start; /* the guest's first instruction */
};

/* Fields that do not apply are POLICY_NO_INDEX or 0. */
struct lint_warning {
	enum lint_kind kind;
	uint32_t view;
	uint32_t region; /* POLICY_NO_INDEX also: memory without a region */
	uint32_t other_view; /* GATE_DIFFERS: that shows the other page;
				WRITE_EXECUTE_ACROSS: that executes */
	uint32_t other_region; /* WRITE_EXECUTE_ALIAS: the other address */
	uint32_t need;	       /* NEED: its index */
	gpa_t gpa;	       /* where in the view */
	uint64_t count; /* WRITE_EXECUTE, WRITE_EXECUTE_ACROSS: bytes; VMFUNC:
			   how many in the page */
};

/* Takes a warning; returns whether to look for more. */
typedef bool lint_warning_fn(void *data, const struct lint_warning *warning);

#endif
