/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits while the run goes on. Every vCPU's thread counts for itself, without a lock; now and then it is
 * kicked out of the guest, hands over what it has, and starts or stops recording exits at L0.
 */
#ifndef VMM_PROFILE_PROFILE_H
#define VMM_PROFILE_PROFILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "vmm/observe/recorder.h"
#include "vmm/profile/profile_table.h"
#include "vmm/vm/vm.h"

struct profile_counts {
	struct profile_table *table;
	bool l0_known;
	uint64_t l0;                             /* exits at L0, by the kernel's counters */
	uint64_t batch[SS_MAX_OPERATIONS + 1];   /* of these, those inside batches, by operation */
};

struct profile {
	enum host_backend backend;
	pthread_mutex_t lock;
	struct profile_counts fresh; /* what has been handed over and not been taken yet */
	atomic_uint wanted;          /* rises when everybody shall hand over */
	atomic_bool recording;       /* exits at L0 shall be recorded now */
	int fd;                      /* eventfd: somebody has handed over; not its own */
};

struct profile_vcpu {
	struct record_watch watch; /* first: what the recorder has */
	struct vcpu *vcpu;
	struct profile *profile;
	struct profile_counts own;
	struct stat_values last; /* counters at the last hand-over */
	atomic_uint done;        /* value of `wanted` that was last obeyed */
};

/* Both return 0 or -ENOMEM; the other one is due in any case. */
int profile_create(struct profile *profile, enum host_backend backend, int fd);
void profile_destroy(struct profile *profile);

int profile_counts_create(struct profile_counts *counts);
void profile_counts_destroy(struct profile_counts *counts);

/* Adds what `from` holds. */
void profile_counts_merge(struct profile_counts *into, const struct profile_counts *from);
void profile_counts_clear(struct profile_counts *counts);

/* Makes a vCPU count for the profile; profile_detach() is due, NULL data is allowed. */
int profile_attach(struct profile *profile, struct vcpu *vcpu);
void profile_detach(struct vcpu *vcpu);

/* Whether a vCPU has handed over since `wanted` was raised to this; nothing is known of one that is not attached. */
bool profile_has_obeyed(const struct vcpu *vcpu, unsigned wanted);

/* Moves what has been handed over. */
void profile_take(struct profile *profile, struct profile_counts *into);

#endif
