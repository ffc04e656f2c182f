/* SPDX-License-Identifier: GPL-2.0-only */
/* A workload of the built-in firmware: which operations, and how often each. */
#ifndef VMM_PLAN_WORKLOAD_H
#define VMM_PLAN_WORKLOAD_H

#include <stddef.h>

#include "guestfw/abi.h"
#include "vmm/base/error.h"

#define WORKLOAD_RATE_MAX 1e6

struct workload {
	/* Of operation n at n - 1; count 0: it has no part in the workload. */
	struct ss_pace pace[SS_MAX_OPERATIONS];
};

/*
 * Reads PATTERN[@RATE],...: shell patterns of operation names, each with how many repetitions a second
 * each vCPU shall do of every operation that matches; without a rate, as many as it can. If several match
 * an operation, the last counts. Returns 0 or a negative errno with the reason in `error`.
 */
int workload_parse(struct workload *workload, const char *text, const struct ss_operation *operations,
		   size_t count, struct error *error);

#endif
