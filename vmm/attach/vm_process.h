/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that runs VMs, seen from outside through /proc: its descriptors of vCPUs, and its threads. What is needed to
 * look again is opened at the start, so that a look needs no right to open anything.
 */
#ifndef VMM_ATTACH_VM_PROCESS_H
#define VMM_ATTACH_VM_PROCESS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vmm/base/error.h"

#define VM_PROCESS_NAME_SIZE 16 /* TASK_COMM_LEN */

struct vm_process {
	pid_t pid;
	int pidfd; /* poll(2) finds it readable when the process has ended */
	DIR *threads, *descriptors;
	char name[VM_PROCESS_NAME_SIZE]; /* as the process gives it: it may hold anything */
};

/* Returns 0 or a negative errno with the reason in `error`: no such process, not permitted. vm_process_close() is due
 * either way. */
int vm_process_open(struct vm_process *process, pid_t pid, struct error *error);
void vm_process_close(struct vm_process *process);

/* How many vCPUs it has: descriptors that KVM has made for one, told by the name that KVM gives them (anon_inode of
 * virt/kvm/kvm_main.c, create_vcpu_fd()). Returns a negative errno if they cannot be looked at. */
int vm_process_vcpus(const struct vm_process *process);

/* Its threads, at most `most`, in *ret_count how many there are. Returns 0 or a negative errno. */
int vm_process_threads(const struct vm_process *process, pid_t *threads, size_t most, size_t *ret_count);

/* Whether it has ended. */
bool vm_process_ended(const struct vm_process *process);

/* Looks for the processes of this host that have a vCPU, in an open /proc; calls `found` for each until it returns
 * something else than 0. Returns that, 0, or a negative errno. */
int vm_process_each(DIR *proc, int (*found)(void *opaque, pid_t pid), void *opaque);

#endif
