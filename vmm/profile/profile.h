/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits while the run goes on. Every vCPU's thread counts for itself, without a lock; now and then it is
 * kicked out of the guest, hands over what it has, and starts or stops recording exits at L0.
 */
#ifndef VMM_PROFILE_PROFILE_H
#define VMM_PROFILE_PROFILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "vmm/analysis/disassembly.h"
#include "vmm/analysis/group_key.h"
#include "vmm/observe/recorder.h"
#include "vmm/profile/profile_table.h"
#include "vmm/vm/vm.h"

/* What exits by symbol are counted by, in place of a reason. */
enum { PROFILE_SYMBOL, PROFILE_NEIGHBOURHOOD };

/* What one may be counted by. */
struct profile_exit {
	uint64_t rip;    /* 0: not known */
	uint64_t symbol; /* what stands for the function; 0: none is known */
	uint32_t operation, reason;
	uint32_t instruction; /* of disassembly_mnemonic() */
	unsigned vm, vcpu;
	uint8_t level, isa, nested; /* as in struct profile_key */
};

/* Whether profiles can be by this, and what to say if not. */
#define PROFILE_BY_UNKNOWN "--by %s: profile counts by operation, reason, rip, symbol, level, vcpu or instruction"
bool profile_by_known(enum group_key by);

struct profile_key profile_key_of(enum group_key by, const struct profile_exit *exit);

/* The value by vCPU: number of the VM, and of the vCPU in it. */
uint64_t profile_vcpu_value(unsigned vm, unsigned vcpu);

struct profile_counts {
	struct profile_table *table;
	bool l0_known;
	uint64_t l0;                             /* exits at L0, by the kernel's counters */
	uint64_t batch[SS_MAX_OPERATIONS + 1];   /* of these, those inside batches, by operation */
};

struct profile {
	enum host_backend backend;
	enum group_key by; /* what exits are counted by, of those that profile_by_known() has */
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
	bool by_operation;       /* and nothing else: what is quickest */
	atomic_uint done;        /* value of `wanted` that was last obeyed */
	/* By instruction: addresses where the vCPU exits, and the code at each. There is room for all from the start, as
	 * for what it decodes to: the thread may not allocate memory. */
	struct keyset places;
	struct record_code *codes;
	struct disassembly_mnemonics mnemonics;
};

/* Both return 0 or -ENOMEM; the other one is due in any case. */
int profile_create(struct profile *profile, enum host_backend backend, enum group_key by, int fd);
void profile_destroy(struct profile *profile);

int profile_counts_create(struct profile_counts *counts, enum group_key by);
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
