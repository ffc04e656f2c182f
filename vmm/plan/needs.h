/* SPDX-License-Identifier: GPL-2.0-only */
/* What operations of a catalogue need, by the words of docs/guest-abi.md, and why a run does not have it. */
#ifndef VMM_PLAN_NEEDS_H
#define VMM_PLAN_NEEDS_H

#include "vmm/plan/engine.h"

/* The need of operations that switch through a full list. */
#define NEEDS_ALL_VIEWS "views512"

/* What an engine without a monitor does with the flags that it could mask, for messages. */
#define NEEDS_NO_MASKS "leaves control registers to KVM's own policy"

/* A run, as far as operations depend on it. */
struct needs_run {
	const struct engine *engine;
	const struct host *host; /* NULL: nothing will be run */
	enum ss_embodiment embodiment;
	uint64_t services;  /* bit n: every VM has service n */
	unsigned vcpus;     /* of each VM */
	bool default_views; /* or the guest is not the built-in one, and knows its views */
	bool scratch_disk, share_vcpu, bare, has_ve; /* as of struct plan */
};

/* Why an operation is not performed, "needs: ...; host: ..."; NULL: it is. */
const char *needs_lacking(const struct needs_run *run, const struct ss_operation *op);

#endif
