/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lines of the guest's source its violations were in. */
#ifndef VMM_RUN_VIOLATION_SOURCES_H
#define VMM_RUN_VIOLATION_SOURCES_H

#include "vmm/guest/source_lines.h"
#include "vmm/ledger/ledger.h"
#include "vmm/ledger/summary.h"
#include "vmm/vm/vm.h"

/* So many records there are at most, of all VMs of a run. */
#define VIOLATION_SOURCES_MAX 512

struct violation_sources {
	struct source_lines *lines; /* NULL: the image has none */
	unsigned recorded;
};

/* In the sealed main thread, when no vCPU of the VM runs any more, with the summary of them all: adds the lines to it, to
 * the ledger (NULL: there is none), and to the message of the VM if a violation has ended it. */
void violation_sources_add(struct violation_sources *sources, struct vm *vm, struct summary *summary,
			   struct ledger *ledger);

#endif
