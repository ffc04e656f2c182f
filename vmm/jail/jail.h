/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this process gives up before the guest's first instruction (docs/security.md). Every thread gives up
 * its part itself: no new privileges, no capabilities, no files or network by Landlock, and no system call
 * but those that jail.def lists for its role. All of it is for good.
 */
#ifndef VMM_JAIL_JAIL_H
#define VMM_JAIL_JAIL_H

#include "vmm/base/error.h"
#include "vmm/jail/jail_filter.h"

/* What the kernel offers for it. */
struct jail_support {
	char seccomp[64];  /* why there are no system call filters; empty: there are */
	char landlock[64]; /* why there is no Landlock; empty: there is */
	int landlock_abi;
};

void jail_probe(struct jail_support *support);

/* "abi 4", or "missing: " and why. */
const char *jail_landlock_text(const struct jail_support *support, char text[80]);

/*
 * Seals the calling thread. Missing Landlock is no failure, jail_probe() has told. Returns 0 or a negative
 * errno with the reason in `error`; the thread must not go on then.
 */
int jail_enter(const struct jail_thread *thread, struct error *error);

#endif
