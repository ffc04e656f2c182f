/* SPDX-License-Identifier: GPL-2.0-only */
/* All VMs of one run, their threads, and how the run ends. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "seal.h"
#include "vm.h"

struct machine {
	const struct plan *plan;
	const struct host *host;
	struct vm *vms;
	unsigned vms_created;
	struct console console;
	struct ledger ledger;
	bool ledger_kept;
	struct seal seal;
	atomic_bool ending; /* timeout or signal: nothing waits for a reader of guest output any more */
	int done_fd; /* eventfd: a vCPU thread has ended */
	struct summary *summary; /* of all vCPUs, after machine_run() */
	struct stop why;         /* the worst of the VMs' ends, after machine_run() */
	char trace_missing[200]; /* why tracepoints were not counted; empty: they were, or not wanted */
	int signal;              /* the signal that ended the run, or 0 */
};

/* Creates the VMs and, last, the ledger. Guest output goes to `console_fd` (-1: nowhere), the report to
 * `output` (NULL: there is none). Returns 0
 * or a negative errno with the reason in `error`; machine_destroy() is due in both cases. */
int machine_create(struct machine *machine, const struct plan *plan, const struct host *host,
		   int console_fd, const struct output *output, struct error *error);

/*
 * Puts all threads into the jail, and runs all vCPUs to the end, the timeout, or SIGINT, SIGTERM or SIGHUP. With `progress` the current
 * operation is shown on standard error from time to time. Returns 0, or a negative errno if no
 * thread could be started, or the jail not be closed. How the run ended is in machine->why.
 */
int machine_run(struct machine *machine, bool progress, struct error *error);

void machine_destroy(struct machine *machine);

#endif
