/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/vcpu_thread.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/base/thread.h"
#include "vmm/run/run_loop.h"
#include "vmm/vm/vcpu.h"

static void *run(void *argument)
{
	struct vcpu_thread *thread = argument;
	struct vcpu *vcpu = thread->vcpu;
	char name[VCPU_NAME_SIZE];

	/* Shown by top, perf and gdb. */
	vcpu_thread_name(vcpu, name);
	pthread_setname_np(pthread_self(), name);
	/* Not being permitted leaves the other sources; the report names what is missing. */
	tracing_start_thread(thread->tracing, vcpu);
	thread->tid = gettid();
	seal_vcpu(thread->seal, vcpu);
	run_vcpu(vcpu);
	vcpu_describe(vcpu, thread->where, sizeof(thread->where));
	atomic_store(&thread->finished, true);
	eventfd_write(thread->done_fd, 1);
	return NULL;
}

int vcpu_thread_start(struct vcpu_thread *thread, struct error *error)
{
	int rc = thread_start(&thread->thread, run, thread);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "pthread_create: %s", strerror(-rc));
	thread->started = true;
	return 0;
}

void vcpu_thread_join(struct vcpu_thread *thread)
{
	if (thread->started)
		pthread_join(thread->thread, NULL);
	thread->started = false;
}

bool vcpu_thread_running(const struct vcpu_thread *thread)
{
	return thread->started && !atomic_load(&thread->finished);
}

void vcpu_thread_kick(struct vcpu_thread *thread)
{
	if (vcpu_thread_running(thread))
		pthread_kill(thread->thread, KICK_SIGNAL);
}
