/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/emulation_failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/emulate/isa.h"
#include "vmm/service/vm_function.h"
#include "vmm/vm/vcpu.h"

#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_GP 13
#define USER 3
#define RFLAGS_VM 0x20000u

static enum service_mode caller_mode(const struct vcpu *vcpu, const struct cpu_mode *mode)
{
	if (mode->real || vcpu_regs(vcpu)->rflags & RFLAGS_VM)
		return SERVICE_MODE_REAL;
	return !mode->legacy && mode->code == WIDTH_64 ? SERVICE_MODE_64 : SERVICE_MODE_PROTECTED;
}

static bool complete_vmfunc(struct vcpu *vcpu, const struct kvm_sregs *sregs,
			    const struct cpu_mode *mode, unsigned length)
{
	const struct kvm_regs *regs = vcpu_regs(vcpu);
	struct invocation invocation = {
		.number = (uint32_t)regs->rax,
		.index = (uint32_t)regs->rcx,
		.arg = {regs->rdx, regs->rbx},
		.cpl = sregs->ss.dpl,
		.mode = caller_mode(vcpu, mode),
	};
	unsigned vector;
	uint64_t rax;

	if (vm_function_execute(vcpu, &invocation, &vector, &rax) != 0)
		return false;
	if (vector)
		return vcpu_inject(vcpu, (uint8_t)vector) == 0;
	vcpu_change_regs(vcpu)->rax = rax;
	return vcpu_step(vcpu, length) == 0;
}

/* WAIT raises #NM if TS and MP are both set (Intel SDM vol. 2D, WAIT/FWAIT). Pending x87 exceptions
 * cannot exist: unmasking one takes an instruction that the same interpreter does not know. */
static bool complete_wait(struct vcpu *vcpu, const struct kvm_sregs *sregs, unsigned length)
{
	const uint64_t both = SS_CR0_TS | SS_CR0_MP;

	if ((sregs->cr0 & both) == both)
		return vcpu_inject(vcpu, VECTOR_NM) == 0;
	return vcpu_step(vcpu, length) == 0;
}

/* What KVM has fetched, and behind that what it did not need: it gives up at the first byte that it does
 * not know. */
static int decode(const struct page_walk_space *space, uint64_t rip, const uint8_t *bytes,
		  unsigned length, struct insn *ret_insn)
{
	uint64_t next = cpu_mode_linear(&space->mode, SEGMENT_CS, rip + length);
	uint8_t code[INSN_MAX];

	memcpy(code, bytes, length);
	length += page_walk_fetch(space, next, code + length, INSN_MAX - length);
	return insn_decode(&space->mode, code, length, ret_insn);
}

/* Fills in where the instruction lies. Returns 0 or a negative errno. */
static int space_of(struct vcpu *vcpu, struct kvm_sregs *ret_sregs, struct page_walk_space *ret_space)
{
	int view = vcpu->vm->ops->view_current(vcpu);

	if (vcpu_sregs(vcpu, ret_sregs) != 0)
		return -EIO;
	*ret_space = (struct page_walk_space){
		.vm = vcpu->vm,
		.view = view < 0 ? 0 : (uint32_t)view,
		.cr3 = ret_sregs->cr3,
		.user = ret_sregs->ss.dpl == USER,
		.mode = cpu_mode_of(ret_sregs),
	};
	return 0;
}

void emulation_failure_describe(struct vcpu *vcpu, const uint8_t *bytes, unsigned length, char *text, size_t size)
{
	const char *module = host_backend_modules[vcpu->vm->host->backend];
	uint64_t rip = vcpu_regs(vcpu)->rip;
	struct page_walk_space space;
	struct kvm_sregs sregs;
	char code[96] = "";
	struct insn insn;
	int at;

	if (length == 0) {
		snprintf(text, size, "there is no code in memory where KVM (%s) should interpret it", module);
		return;
	}
	if (space_of(vcpu, &sregs, &space) == 0 && decode(&space, rip, bytes, length, &insn) == 0) {
		insn_text(&insn, rip, code, sizeof(code));
		length = insn.decoded.length < length ? insn.decoded.length : length;
	}
	at = snprintf(text, size, "KVM (%s) does not interpret %s:", module, code[0] ? code : "the instruction");
	for (unsigned i = 0; i < length && at > 0 && (size_t)at < size; i++)
		at += snprintf(text + at, size - (size_t)at, " %02x", bytes[i]);
}

bool emulation_failure_complete(struct vcpu *vcpu, const uint8_t *bytes, unsigned length)
{
	struct page_walk_space space;
	struct kvm_sregs sregs;
	struct insn insn;
	struct isa isa;
	int rc;

	if (length > INSN_MAX || space_of(vcpu, &sregs, &space) != 0)
		return false;
	rc = decode(&space, vcpu_regs(vcpu)->rip, bytes, length, &insn);
	if (rc == -ENODATA)
		return false;
	if (rc != 0)
		return vcpu_inject(vcpu, rc == -E2BIG ? VECTOR_GP : VECTOR_UD) == 0;
	if (insn.decoded.mnemonic == ZYDIS_MNEMONIC_VMFUNC && !engine_has_monitor(vcpu->vm->plan->engine))
		return complete_vmfunc(vcpu, &sregs, &space.mode, insn.decoded.length);
	if (insn.decoded.mnemonic == ZYDIS_MNEMONIC_FWAIT)
		return complete_wait(vcpu, &sregs, insn.decoded.length);
	isa = isa_of(vcpu, &sregs);
	return !isa_has(&isa, &space.mode, &insn) && vcpu_inject(vcpu, VECTOR_UD) == 0;
}

bool emulation_failure_for_user(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	return vcpu_sregs(vcpu, &sregs) == 0 && sregs.ss.dpl == USER &&
	       vcpu_inject(vcpu, VECTOR_UD) == 0;
}
