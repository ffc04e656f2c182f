/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

unsigned share_count(const struct vcpu *first)
{
	return first->vm->plan->share_vcpu ? first->vm->plan->vms : 1;
}

struct vcpu *share_vcpu(const struct vcpu *first, unsigned number)
{
	return &first->vm[number].vcpus[first->index];
}

struct vcpu *share_running(struct vcpu *first)
{
	return first->vm->ops->running(first->vm);
}

unsigned share_alive(const struct vcpu *first)
{
	unsigned count = 0;

	for (unsigned i = 0; i < share_count(first); i++)
		count += !share_is_over(share_vcpu(first, i));
	return count;
}

void share_stop(const struct vcpu *first, enum stop_cause cause, int status, const char *text)
{
	for (unsigned i = 0; i < share_count(first); i++)
		vm_stop(share_vcpu(first, i)->vm, cause, status, "%s", text);
}

/* An NMI takes the vCPU to the relay before its guest goes on. */
static void take(struct vcpu *first)
{
	char text[64];

	if (ioctl(first->fd, KVM_NMI, 0) == 0)
		return;
	snprintf(text, sizeof(text), "KVM_NMI: %s", strerror(errno));
	share_stop(first, STOP_HOST, STATUS_INTERNAL, text);
}

/* Where the host or the monitor has failed one of them, it has failed all. */
static void spread_failure(const struct vcpu *first, struct vm *vm)
{
	struct stop why;

	pthread_mutex_lock(&vm->stop_lock);
	why = vm->why;
	pthread_mutex_unlock(&vm->stop_lock);
	if (why.cause == STOP_HOST)
		share_stop(first, STOP_HOST, why.status, why.text);
}

/* The relay looks itself whether a guest is over before it enters it: once it has been answered nobody has to take the
 * vCPU from that one. */
void share_hand_over(struct vcpu *vcpu)
{
	struct vcpu *first = &vcpu->vm->leader->vcpus[vcpu->index];
	const bool halted = vcpu->run->exit_reason == KVM_EXIT_HLT;
	const bool over = share_is_over(vcpu);

	if (over) {
		spread_failure(first, vcpu->vm);
		vcpu->vm->ops->retire(vcpu);
	}
	if ((over && !vcpu->entry_pending && share_alive(first) > 0) || (halted && share_alive(first) > 1))
		take(first);
}

void share_tick(struct vcpu *first)
{
	atomic_store(&first->vm->tick, true);
}

void share_end_slice(struct vcpu *first)
{
	if (atomic_exchange(&first->vm->tick, false) && share_alive(first) > 1)
		take(first);
}
