/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differential runs: the guest performs random programs of CR0 or CR4 accesses and every value it reads, and
 * every exit to relay and VMM, must be what the reference model predicts. The first program that
 * differs is shrunk, in the same run, to a shortest one that still does.
 */
#ifndef VMM_SERVICE_DIFFERENTIAL_H
#define VMM_SERVICE_DIFFERENTIAL_H

#include <pthread.h>
#include <stdio.h>

#include "views/program.h"
#include "vmm/vm/vm.h"

#define DIFFERENTIAL_STEPS 32

struct differential {
	pthread_mutex_t lock; /* VMs take turns, each in a thread of its own or all in one */

	/* What to run: programs `shard`, `shard` + `shards`, ... below `count` of a seed; or one that
	 * was read from a file. */
	uint64_t seed, count, shard, shards;
	bool replay;
	struct ss_program given;
	struct expect_environment environment;

	/* The program that the guest of each VM has, and what had exited before it. */
	struct differential_turn {
		bool running;
		struct ss_program program;
		uint64_t index;
		uint64_t monitor_before, vmm_before;
	} turns[PLAN_VMS_MAX];
	uint64_t next; /* the index to be issued, whoever asks */

	/* Shrinking, which is one VM's: `smallest` differs; steps from `at` on, `size` at a time, are tried
	 * without. The others get no more programs. */
	bool shrinking;
	unsigned differing_vm;
	uint64_t failed_index;
	struct ss_program smallest;
	uint32_t at, size;
	char difference[160]; /* of `smallest` */

	uint64_t performed; /* programs that were compared, shrinking not counted */
	bool differed;
};

/* Takes the results of the last program, and puts the next one into the vCPU page with its masks in
 * place. Returns 0 with *ret_more, or a negative errno. */
int differential_step(struct vcpu *vcpu, bool *ret_more);

/* A program as text, and back. The text names the engine and the seed in a comment. */
void differential_write(const struct ss_program *program, FILE *stream);
int differential_read(FILE *stream, const char *name, struct ss_program *program,
		      struct error *error);

#endif
