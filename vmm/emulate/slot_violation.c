/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/slot_violation.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "views/effect.h"
#include "vmm/emulate/access_emulation.h"
#include "vmm/emulate/guest_access.h"
#include "vmm/emulate/violation_look.h"
#include "vmm/vm/vcpu.h"

/* A vCPU's registers in the processor's numbering, and its address space. */
struct place {
	uint64_t regs[16];
	struct insn_state state;
	struct page_walk_space space;
};

static int find_place(struct vcpu *vcpu, struct place *place)
{
	const struct kvm_regs *regs = vcpu_regs(vcpu);
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return -errno;
	*place = (struct place){
		.state = {.rip = regs->rip},
		.space = {.vm = vcpu->vm, .view = vcpu->vm->view, .cr3 = sregs.cr3,
			  .user = sregs.ss.dpl == 3, .mode = cpu_mode_of(&sregs)},
	};
	vcpu_number_regs(regs, place->regs);
	place->state.regs = place->regs;
	return 0;
}

/* A load exits before the instruction has changed anything, a store when it is over. */
static void locate(struct vcpu *vcpu, const struct place *place, struct violation *violation)
{
	const struct kvm_run *run = vcpu->run;
	struct store store = {.gpa = run->mmio.phys_addr, .size = run->mmio.len};
	int rc;

	memcpy(&store.data, run->mmio.data, sizeof(store.data));
	if (!run->mmio.is_write)
		rc = access_find(&place->space, &place->state, store.gpa, &violation->gva);
	else
		rc = access_find_store(&place->space, &place->state, &store, &violation->rip,
				       &violation->gva);
	if (rc == 0)
		violation->flags |= VIOLATION_GVA_KNOWN;
	else if (run->mmio.is_write)
		violation->flags |= VIOLATION_RIP_BEHIND;
	if (run->mmio.is_write && store.size) {
		violation->value = store.data & (UINT64_MAX >> (64 - 8 * store.size));
		violation->value_size = (uint8_t)store.size;
	}
	violation_look(vcpu, violation, &place->space, place->regs);
}

/* Undoes a PUSH: of the instructions that access_find_store() finds it alone moves a register that the
 * guest needs to repeat it. */
static void step_back(struct vcpu *vcpu, const struct place *place,
		      const struct violation *violation)
{
	struct kvm_regs *regs = vcpu_change_regs(vcpu);
	struct insn insn;

	regs->rip = violation->rip;
	if (insn_fetch(&place->space, violation->rip, &insn) == 0 &&
	    insn.decoded.mnemonic == ZYDIS_MNEMONIC_PUSH)
		regs->rsp += violation->size;
}

/* Gives the guest a page fault in front of the instruction, which KVM has begun or finished. */
static int raise_fault(struct vcpu *vcpu, const struct place *place,
		       const struct violation *violation)
{
	struct kvm_regs before = *vcpu_regs(vcpu);
	int rc = vcpu_finish_access(vcpu);

	if (rc != 0)
		return rc;
	if (violation->access == VIEW_READ)
		*vcpu_change_regs(vcpu) = before;
	else if (!(violation->flags & VIOLATION_RIP_BEHIND))
		step_back(vcpu, place, violation);
	return vcpu_inject_page_fault(vcpu, violation->gva, violation_error_code(violation));
}

static void fail(struct vcpu *vcpu, const struct violation *violation, int rc)
{
	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
		"no page fault could be raised for what view %u forbids at 0x%llx: %s; vcpu%u at rip "
		"0x%llx",
		violation->view, (unsigned long long)violation->gpa, strerror(-rc), vcpu->index,
		(unsigned long long)violation->rip);
}

/* A page whose rights another vCPU is changing has no slot for a moment either: then the access is
 * carried out. */
static bool permitted(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	struct kvm_run *run = vcpu->run;
	struct guest_span span;

	if (guest_access_through(vm, vm->view, gpa_at(run->mmio.phys_addr), run->mmio.len,
				 run->mmio.is_write ? VIEW_WRITE : VIEW_READ, &span) != 0)
		return false;
	if (run->mmio.is_write)
		guest_span_write(&span, 0, run->mmio.data, run->mmio.len);
	else
		guest_span_read(&span, 0, run->mmio.data, run->mmio.len);
	return true;
}

static void refuse(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct violation violation = {
		.view = vcpu->vm->view,
		.gpa = run->mmio.phys_addr,
		.rip = vcpu_regs(vcpu)->rip,
		.access = run->mmio.is_write ? VIEW_WRITE : VIEW_READ,
		.size = run->mmio.len,
	};
	enum violation_answer answer = violation_answer(vcpu, &violation, true);
	struct place place;
	int rc = find_place(vcpu, &place);

	if (rc == 0) {
		violation.user = place.space.user;
		locate(vcpu, &place, &violation);
	}
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	violation_record(vcpu, &violation, answer);
	if (rc == 0 && answer == VIOLATION_FAULTED)
		rc = raise_fault(vcpu, &place, &violation);
	if (rc != 0)
		fail(vcpu, &violation, rc);
}

void slot_violation_access(struct vcpu *vcpu)
{
	if (!permitted(vcpu))
		refuse(vcpu);
}

/* Where the bytes end that can be fetched: at RIP, or at the end of its page. */
static bool find_hidden(const struct vm *vm, const struct place *place, struct violation *violation)
{
	uint64_t first = cpu_mode_linear(&place->space.mode, SEGMENT_CS, violation->rip);
	const uint64_t ends[] = {first, (first | (GPA_PAGE_SIZE - 1)) + 1};
	struct insn insn;

	if (insn_fetch(&place->space, violation->rip, &insn) == 0)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		violation->gva = ends[i];
		if (page_walk_translate(&place->space, ends[i], &violation->gpa) != 0 ||
		    !guest_ram_contains(vm->ram.size, gpa_at(violation->gpa), 1))
			return false;
		if (!(policy_effect(&vm->policy, vm->view, gpa_at(violation->gpa)).rights & VIEW_READ))
			return true;
	}
	return false;
}

bool slot_violation_fetch(struct vcpu *vcpu)
{
	struct violation violation = {
		.view = vcpu->vm->view,
		.rip = vcpu_regs(vcpu)->rip,
		.access = VIEW_EXECUTE,
		.flags = VIOLATION_GVA_KNOWN,
	};
	enum violation_answer answer;
	struct place place;
	int rc = 0;

	if (find_place(vcpu, &place) != 0 || !find_hidden(vcpu->vm, &place, &violation))
		return false;
	violation.user = place.space.user;
	answer = violation_answer(vcpu, &violation, false);
	violation_record(vcpu, &violation, answer);
	if (answer == VIOLATION_FAULTED)
		rc = vcpu_inject_page_fault(vcpu, violation.gva, violation_error_code(&violation));
	if (rc != 0)
		fail(vcpu, &violation, rc);
	return true;
}
