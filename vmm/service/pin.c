/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/pin.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/observe/recorder.h"
#include "vmm/service/services.h"

uint64_t pin_limit(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static void record_event(struct vcpu *vcpu, enum pin_event event, const struct pinned *pinned,
			 int status)
{
	struct record_pin record = {
		.record = {.type = RECORD_PIN, .size = sizeof(record)},
		.time = __rdtsc(),
		.operation = vcpu_operation(vcpu),
		.handle = pinned->handle,
		.gpa = pinned->gpa.v,
		.size = pinned->size,
		.total = vcpu->vm->services->pins.bytes,
		.limit = event == PIN_HOST_REFUSED ? vcpu->vm->services->pin_limit : 0,
		.status = status,
		.event = event,
	};

	recorder_add(vcpu->recorder, &record.record);
}

static void *memory_of(const struct vm *vm, const struct pinned *pinned)
{
	return guest_ram_at(&vm->ram, pinned->gpa, pinned->size);
}

static int check(struct vcpu *vcpu, const struct pin_request *request)
{
	const struct vm *vm = vcpu->vm;
	const struct gpa_range ranges[] = {
		{gpa_at(0), guest_ram_low(&vm->ram)},
		{gpa_at(RAM_HIGH_BASE), guest_ram_high(&vm->ram)},
	};
	const struct pin_scope scope = {
		.memory = {ranges, ranges[1].size ? 2 : 1},
		.policy = &vm->policy,
		/* -1, no view that we know, allows nothing. */
		.view = (uint32_t)vm->ops->view_current(vcpu),
	};

	return pins_check(&vm->services->pins, &scope, request);
}

int pin_buffer(struct vcpu *vcpu, const struct pin_request *request, uint32_t *ret_handle)
{
	struct pins *pins = &vcpu->vm->services->pins;
	struct pinned asked = {.gpa = gpa_at(request->gpa), .size = request->size};
	int rc = check(vcpu, request);

	if (rc != 0) {
		record_event(vcpu, PIN_REFUSED, &asked, rc);
		return rc;
	}
	/* Whatever the host's reason, the guest learns that there is no memory to be had. */
	if (mlock(memory_of(vcpu->vm, &asked), asked.size) != 0) {
		record_event(vcpu, PIN_HOST_REFUSED, &asked, -errno);
		return -ENOMEM;
	}
	*ret_handle = pins_add(pins, request);
	record_event(vcpu, PIN_PINNED, pins_find(pins, *ret_handle), 0);
	return 0;
}

static void release(struct vcpu *vcpu, const struct pinned *pinned, enum pin_event event)
{
	struct pinned gone = *pinned;

	/* Cannot fail for memory that is mapped and was locked. */
	munlock(memory_of(vcpu->vm, &gone), gone.size);
	pins_remove(&vcpu->vm->services->pins, gone.handle);
	record_event(vcpu, event, &gone, 0);
}

int pin_release(struct vcpu *vcpu, uint64_t handle)
{
	const struct pinned *pinned = pins_find(&vcpu->vm->services->pins, handle);

	if (!pinned)
		return -ENOENT;
	release(vcpu, pinned, PIN_UNPINNED);
	return 0;
}

void pin_release_all(struct vm *vm)
{
	for (unsigned i = 0; i < PINS_MAX && vm->vcpus_created > 0; i++)
		if (vm->services->pins.buffers[i].handle != 0)
			release(&vm->vcpus[0], &vm->services->pins.buffers[i], PIN_RELEASED);
}

int pin_memory(struct vcpu *vcpu, unsigned cpl, uint64_t handle, unsigned right, uint8_t **ret_memory,
	       uint64_t *ret_size)
{
	const struct pinned *pinned = pins_find(&vcpu->vm->services->pins, handle);
	const struct guest_access access = {vcpu, cpl, right};

	if (!pinned)
		return -ENOENT;
	if (right & ~pinned->access ||
	    guest_access_device(&access, pinned->gpa.v, pinned->size, ret_memory) != 0)
		return -EACCES;
	*ret_size = pinned->size;
	return 0;
}
