/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/mark.h"

#include <string.h>
#include <x86intrin.h>

#include "vmm/guest/marks.h"
#include "vmm/observe/recorder.h"
#include "vmm/service/service.h"
#include "vmm/service/services.h"

static unsigned writer(void *opaque)
{
	const struct vcpu *vcpu = ((const struct vm *)opaque)->active;

	return vcpu->index;
}

static void end(void *opaque)
{
	struct vcpu *vcpu = ((struct vm *)opaque)->active;
	const uint32_t operation = vcpu->recorder->batch.operation;

	/* An exit by which a guest says what it does is none of what it does. */
	vcpu->exit.operation = 0;
	recorder_mark(vcpu->recorder, 0);
	if (operation)
		service_end_batch(vcpu, operation, vcpu->exit.time);
}

static void begin(struct vcpu *vcpu, uint32_t operation)
{
	recorder_batch_begin(vcpu->recorder, operation, 1, vcpu->exit.time);
	recorder_mark(vcpu->recorder, operation);
}

static void tell_name(void *opaque, uint32_t number, const char *name)
{
	struct record_operation record = {
		.record = {.type = RECORD_OPERATION, .size = sizeof(record)},
		.number = number,
	};

	_Static_assert(sizeof(record.name) > SS_MARK_NAME_MAX, "names end with a NUL");
	strncpy(record.name, name, sizeof(record.name) - 1);
	recorder_add(((struct vcpu *)opaque)->recorder, &record.record);
}

static uint32_t begin_name(void *opaque, const char *name)
{
	struct vm *vm = opaque;
	const uint32_t number = marks_number(vm->plan->image.marks, name, tell_name, vm->active);

	if (number)
		begin(vm->active, number);
	return number;
}

static bool begin_number(void *opaque, uint32_t number)
{
	struct vm *vm = opaque;

	if (number > marks_count(vm->plan->image.marks))
		return false;
	begin(vm->active, number);
	return true;
}

static void refuse(void *opaque, const char *what)
{
	marks_refuse(((struct vm *)opaque)->plan->image.marks, what);
}

int mark_attach(struct vm *vm)
{
	const struct mark_owner owner = {writer, end, begin_name, begin_number, refuse, vm};
	struct mark_port *port = &vm->services->mark_port;

	if (!vm->plan->image.marks)
		return 0;
	mark_port_init(port, &owner);
	return bus_claim(&vm->ports, SS_PORT_MARK, SS_MARK_PORTS, &mark_port_ops, port);
}

void mark_finish(struct vcpu *vcpu)
{
	const uint32_t operation = vcpu->recorder->batch.operation;

	if (!operation || !vcpu->vm->plan->image.marks)
		return;
	pthread_mutex_lock(&vcpu->vm->lock);
	service_end_batch(vcpu, operation, __rdtsc());
	pthread_mutex_unlock(&vcpu->vm->lock);
}
