/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/guest_access.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "views/effect.h"
#include "vmm/emulate/violation.h"
#include "vmm/vm/vcpu.h"

#define RFLAGS_IOPL(rflags) ((rflags) >> 12 & 3)

static size_t left_in_page(uint64_t gpa)
{
	return GPA_PAGE_SIZE - gpa % GPA_PAGE_SIZE;
}

static uint64_t next_page(uint64_t gpa)
{
	return gpa + left_in_page(gpa);
}

int guest_access_through(const struct vm *vm, uint32_t view, gpa_t gpa, size_t size, unsigned rights,
			 struct guest_span *ret_span)
{
	size_t first = size < left_in_page(gpa.v) ? size : left_in_page(gpa.v);
	struct guest_span span = {.size = {first, size - first}};
	gpa_t target;

	assert(size <= GPA_PAGE_SIZE);
	for (unsigned i = 0; i < 2 && span.size[i] > 0; i++) {
		if (!policy_grants(&vm->policy, view, i ? gpa_add(gpa, first) : gpa, rights, &target))
			return -EACCES;
		span.part[i] = guest_ram_at(&vm->ram, target, span.size[i]);
		if (!span.part[i])
			return -EFAULT;
	}
	*ret_span = span;
	return 0;
}

void guest_span_split(const struct guest_span *span, size_t offset, void *read, const void *write,
		      size_t size)
{
	for (size_t done = 0, count; done < size; done += count) {
		unsigned part = offset + done >= span->size[0];
		size_t inside = offset + done - (part ? span->size[0] : 0);

		count = span->size[part] - inside;
		count = count < size - done ? count : size - done;
		if (read)
			memcpy((uint8_t *)read + done, span->part[part] + inside, count);
		else
			memcpy(span->part[part] + inside, (const uint8_t *)write + done, count);
	}
}

/* Not by an instruction of the guest's that could be given a page fault: it is not carried out, and the
 * guest learns that from what it has asked for. */
static int refuse(const struct guest_access *access, uint32_t view, uint64_t gpa, size_t size)
{
	struct vcpu *vcpu = access->vcpu;
	gpa_t target;
	/* What is not asked for does not count. */
	bool readable = policy_grants(&vcpu->vm->policy, view, gpa_at(gpa), access->rights & VIEW_READ,
				      &target);
	const struct violation violation = {
		.view = view,
		.access = access->rights & VIEW_WRITE && readable ? VIEW_WRITE : VIEW_READ,
		.size = (uint32_t)size,
		.gpa = gpa,
		.rip = vcpu->exit.rip,
		.user = access->cpl == 3,
	};

	violation_record(vcpu, &violation,
			 vcpu->vm->plan->on_violation == ON_VIOLATION_STOP ? VIOLATION_STOPPED
									  : VIOLATION_REFUSED);
	return -EACCES;
}

/* The page where a guest has its requests is most often the one of the last. */
static bool is_open(struct vm *vm, uint64_t gpa)
{
	uint64_t page = gpa / GPA_PAGE_SIZE + 1;

	if (vm->open_page == page)
		return true;
	if (!policy_all_grant(&vm->policy, gpa_at(gpa), VIEW_READ | VIEW_WRITE))
		return false;
	vm->open_page = page;
	return true;
}

static bool all_grant(struct vm *vm, uint64_t gpa, uint64_t size, unsigned rights)
{
	for (uint64_t at = gpa; at - gpa < size; at = next_page(at))
		if (!is_open(vm, at) && !policy_all_grant(&vm->policy, gpa_at(at), rights))
			return false;
	return true;
}

/* Whether the view that is active does; if `itself`, it must also show the pages themselves. */
static int ask_view(const struct guest_access *access, uint32_t view, uint64_t gpa, uint64_t size,
		    bool itself)
{
	const struct view_policy *policy = &access->vcpu->vm->policy;
	uint64_t end = gpa + size;
	gpa_t target;

	for (uint64_t at = gpa; at < end; at = next_page(at)) {
		bool granted = policy_grants(policy, view, gpa_at(at), access->rights, &target);

		if (!granted || (itself && !gpa_equal(target, gpa_at(at))))
			return refuse(access, view, at, end - at < left_in_page(at) ? end - at
										     : left_in_page(at));
	}
	return 0;
}

/*
 * What is there without views, and the view through which to look at it: -1 if that makes no difference.
 * Which one is active takes a system call in the engine vmx, so it is asked for only if it matters.
 */
static int find(const struct guest_access *access, uint64_t gpa, uint64_t size, bool itself,
		uint8_t **ret_memory, int *ret_view)
{
	struct vm *vm = access->vcpu->vm;

	if (access->cpl != 0)
		return -EPERM;
	*ret_memory = guest_ram_at(&vm->ram, gpa_at(gpa), size);
	*ret_view = -1;
	if (!*ret_memory)
		return -EFAULT;
	if (all_grant(vm, gpa, size, access->rights))
		return 0;
	/* Here -1 is no view that we know, which grants nothing. */
	*ret_view = vm->ops->view_current(access->vcpu);
	return ask_view(access, (uint32_t)*ret_view, gpa, size, itself);
}

int guest_access(const struct guest_access *access, uint64_t gpa, size_t size,
		 struct guest_span *ret_span)
{
	uint8_t *memory;
	int view, rc = find(access, gpa, size, false, &memory, &view);

	if (rc != 0)
		return rc;
	if (view >= 0)
		return guest_access_through(access->vcpu->vm, (uint32_t)view, gpa_at(gpa), size,
					    access->rights, ret_span);
	*ret_span = (struct guest_span){{memory, NULL}, {size, 0}};
	return 0;
}

int guest_access_device(const struct guest_access *access, uint64_t gpa, uint64_t size,
			uint8_t **ret_memory)
{
	uint8_t *memory;
	int view, rc = find(access, gpa, size, true, &memory, &view);

	if (rc == 0)
		*ret_memory = memory;
	return rc;
}

int guest_access_read(const struct guest_access *access, uint64_t gpa, void *data, size_t size)
{
	struct guest_span span;
	int rc = guest_access(access, gpa, size, &span);

	if (rc == 0)
		guest_span_read(&span, 0, data, size);
	return rc;
}

int guest_access_write(const struct guest_access *access, uint64_t gpa, const void *data, size_t size)
{
	struct guest_span span;
	int rc = guest_access(access, gpa, size, &span);

	if (rc == 0)
		guest_span_write(&span, 0, data, size);
	return rc;
}

unsigned guest_access_port_cpl(const struct vcpu *vcpu)
{
	struct kvm_sregs sregs = {0};

	if (RFLAGS_IOPL(vcpu_regs(vcpu)->rflags) != 3 && !vcpu->vm->own_tss)
		return 0;
	/* Who cannot be asked is taken for the least. */
	return ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) == 0 ? sregs.ss.dpl : 3;
}
