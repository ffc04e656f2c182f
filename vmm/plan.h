/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything a run needs, decided before the first ioctl that creates something. */
#ifndef VMM_PLAN_H
#define VMM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "host.h"
#include "image.h"
#include "views/policy.h"

#define PLAN_MEMORY_DEFAULT (UINT64_C(16) << 20)
#define PLAN_VMS_MAX 64

/* What to do when a view forbids an access. */
enum on_violation {
	ON_VIOLATION_REPORT, /* record it; reads give all ones, writes are dropped */
	ON_VIOLATION_STOP,   /* record it and end the VM as a guest failure */
};

struct differential;

/* As asked for on the command line, before it is checked against the host. */
struct plan_request {
	const char *engine; /* key, or "auto" */
	const char *guest;  /* path; NULL: the built-in firmware */
	const char *ledger; /* path or NULL */
	uint64_t memory;    /* bytes */
	unsigned vcpus, vms;
	unsigned timeout_ms; /* 0: none */
	uint32_t iterations; /* 0: each operation's own count */
	enum on_violation on_violation;
	bool trace; /* count kvm tracepoints where permitted; costs ticks */
	bool owned_given;
	uint64_t owned, kept; /* CR0 flags of --own and --shadow */
	struct differential *differential; /* run programs, not the catalogue; NULL: none */
	const char *const *patterns; /* operations to perform; NULL or empty: all */
	size_t pattern_count;
};

struct plan {
	const struct engine *engine;
	struct image image;
	struct view_policy policy;
	uint64_t memory;
	unsigned vcpus, vms;
	unsigned timeout_ms;
	uint32_t iterations;
	enum on_violation on_violation;
	bool trace;
	struct differential *differential;
	const char *guest, *ledger;
	uint64_t cr0_masked; /* CR0 flags that the guest does not own */
	uint64_t cr0_kept;   /* of these, the ones that the monitor keeps in the shadow */
	gpa_t frames;        /* pages that views show as their tag */
	struct gpa_range kernel; /* the guest's read-only part, for the default views */
	uint64_t selected[SS_MAX_OPERATIONS / 64];
	uint64_t hidden[SS_MAX_OPERATIONS / 64]; /* performed for calibration, not asked for */
	const char *skipped[SS_MAX_OPERATIONS];  /* why a selected operation is not performed */
};

/* Returns 0 or a negative errno with the reason in `error`. The strings of the request are used,
 * not copied. `host` may be NULL if nothing will be run: the plan then only selects. */
int plan_make(struct plan *plan, const struct plan_request *request, const struct host *host,
	      struct error *error);
void plan_finish(struct plan *plan);

static inline bool plan_bit(const uint64_t *set, uint32_t number)
{
	return set[(number - 1) / 64] >> (number - 1) % 64 & 1;
}

#endif
