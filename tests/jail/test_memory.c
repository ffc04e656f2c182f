/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread of a vCPU asks for no memory while its guest runs: its list has no system call to get any. The
 * whole catalogue is performed in this process, without a jail, and with a ledger of several blocks.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/patience.h"
#include "vmm/command/session.h"
#include "vmm/run/run_loop.h"

static _Thread_local bool guest_runs;
static atomic_uint asked;

void __real_run_vcpu(struct vcpu *vcpu);
void __wrap_run_vcpu(struct vcpu *vcpu);
void __wrap_run_vcpu(struct vcpu *vcpu)
{
	guest_runs = true;
	__real_run_vcpu(vcpu);
	guest_runs = false;
}

static void note(const char *what)
{
	if (!guest_runs)
		return;
	guest_runs = false; /* printing may allocate */
	if (atomic_fetch_add(&asked, 1) < 10)
		fprintf(stderr, "%s, called while the guest runs\n", what);
	guest_runs = true;
}

#define WRAP(result, name, parameters, arguments)                                                  \
	result __real_##name parameters;                                                           \
	result __wrap_##name parameters;                                                           \
	result __wrap_##name parameters                                                            \
	{                                                                                          \
		note(#name);                                                                       \
		return __real_##name arguments;                                                    \
	}
WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(void *, mmap64, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
     (at, size, prot, flags, fd, offset))
WRAP(int, munmap, (void *at, size_t size), (at, size))
WRAP(int, open64, (const char *path, int flags, unsigned mode), (path, flags, mode))

int main(int argc, char **argv)
{
	static struct session session;
	struct settings settings = {
		.plan = {.engine = "flat", .vcpus = 1, .vms = 1, .iterations = 60, .timeout_ms = 1000 * patient(20)},
	};
	struct error error = {0};
	int status = 1;

	if (argc != 2)
		return 2;
	settings.plan.ledger = argv[1];
	if (session_start(&session, &settings, -1, &error) != 0) {
		printf("skipped: needs: kvm; host: %s\n", error.text);
		status = 77;
	} else if (session_run(&session, false, &error) == 0 &&
		   session.machine.why.status == STATUS_SUCCESS) {
		printf("%llu bytes recorded, %u calls\n",
		       (unsigned long long)session.machine.ledger.header->used, asked);
		status = asked != 0 || session.machine.ledger.header->used <= LEDGER_BLOCK;
	} else {
		fprintf(stderr, "%s%s\n", error.text, session.machine.why.text);
	}
	session_finish(&session);
	unlink(argv[1]);
	return status;
}
