/* SPDX-License-Identifier: GPL-2.0-only */
/* All VMs of one run, their threads, and how the run ends. */
#ifndef VMM_RUN_MACHINE_H
#define VMM_RUN_MACHINE_H

#include "vmm/plan/vm_plan.h"
#include "vmm/run/output_readers.h"
#include "vmm/run/pid_file.h"
#include "vmm/run/seal.h"
#include "vmm/run/tracing.h"
#include "vmm/run/vcpu_thread.h"
#include "vmm/run/violation_sources.h"
#include "vmm/vm/vm.h"

struct machine;

/* Somebody who looks at a run while it goes on, in the thread that waits for its end. */
struct machine_watch {
	int fd; /* what it reads from, when there is something to be read; -1: nothing. It may change from look to look. */
	/* When look() is due at the latest, in ms of machine_now(). */
	uint64_t (*due)(const struct machine *machine, void *opaque);
	void (*look)(struct machine *machine, void *opaque);
	void (*signals)(sigset_t *signals); /* adds what is to end the run, besides the usual ones */
	void (*suspend)(void);              /* what SIGTSTP, if it is one of them, does instead */
	void *opaque;
};

struct machine {
	const struct plan *plan;
	const struct host *host;
	struct vm *vms;
	unsigned vms_created;
	struct vcpu_thread *threads; /* of all vCPUs, in order of the VMs */
	unsigned thread_count;
	struct console console;
	struct ledger ledger;
	bool ledger_kept;
	struct violation_sources sources; /* opened if there are views */
	struct seal seal;
	struct pid_file pid_file;
	atomic_bool ending; /* timeout or signal: nothing waits for a reader of guest output any more */
	uint64_t tsc_khz;
	uint64_t halt_look; /* when vCPUs are looked at next, in ms of machine_now() */
	uint64_t slice_end; /* of VMs that share a vCPU, in ms of machine_now() */
	int done_fd; /* eventfd: a vCPU thread has ended, or handed over what it counted */
	struct summary *summary; /* of all vCPUs, after machine_run() */
	struct summary **vm_summaries; /* the same of each VM; NULL if there is only one */
	char plan_texts[PLAN_VMS_MAX][VM_PLAN_TEXT_SIZE];
	struct stop why;         /* the worst of the VMs' ends, after machine_run() */
	struct tracing tracing;
	const struct machine_watch *watch; /* NULL: nobody */
	struct output_readers readers;
	sigset_t mask;           /* of signals, from before those that end a run were held back */
	bool signals_held;
	int signal;              /* the signal that ended the run, or 0; SIGPIPE: nobody reads what it writes */
};

/* Creates the VMs and, last, the ledger. Guest output goes to `console_fd` (-1: nowhere), the report to
 * `output` (NULL: there is none). Returns 0 or a negative errno with the reason in `error`; machine_destroy() is due
 * in both cases. */
int machine_create(struct machine *machine, const struct plan *plan, const struct host *host,
		   int console_fd, const struct output *output, struct error *error);

/*
 * Puts all threads into the jail, and runs all vCPUs to the end, the timeout, or SIGINT, SIGTERM or SIGHUP. With
 * `progress` the current operation is shown from time to time (progress.h). Returns 0, or a negative errno if
 * no thread could be started, or the jail not be closed. How the run ended is in machine->why.
 */
int machine_run(struct machine *machine, bool progress, struct error *error);

/* For those who watch: makes every vCPU leave the guest for a moment; ends the run because somebody
 * wants it. */
void machine_kick(struct machine *machine);
void machine_quit(struct machine *machine);

/* After machine_run(): it ended because nobody reads what it writes any more. */
bool machine_reader_gone(const struct machine *machine);

uint64_t machine_now(const struct machine *machine);

void machine_destroy(struct machine *machine);

#endif
