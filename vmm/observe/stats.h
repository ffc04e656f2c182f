/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of KVM_GET_STATS_FD of one vCPU (Documentation/virt/kvm/api.rst, 4.133). */
#ifndef VMM_OBSERVE_STATS_H
#define VMM_OBSERVE_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/ledger/stat.h"

struct stats {
	int fd;
	bool present[STAT_FD_COUNT];
	off_t first; /* where reading starts, and how much covers all counters */
	size_t span;
	uint32_t offset[STAT_FD_COUNT]; /* from `first` */
	uint8_t *buffer;
};

/* Opens the counters of a vCPU. Returns 0 or a negative errno: the kernel has none, and
 * stats_read() then observes nothing. */
int stats_open(struct stats *stats, int vcpu_fd);
void stats_close(struct stats *stats);

/* Reads all counters with one system call. */
void stats_read(const struct stats *stats, struct stat_values *values);

#endif
