/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/triple_fault.h"

#include <stdio.h>
#include <string.h>

#include "vmm/emulate/first_exception.h"
#include "vmm/ledger/hw_reason.h"

#define VECTOR_PF 14
#define VECTORS_NAMED 32
#define SVM_EXCEPTION 0x40 /* #VMEXIT codes of exceptions begin there: their names serve for both vendors */
#define GATE_PRESENT 0x80u
#define GATE_MAX 16
#define CODE_SHOWN 72

/* What the vCPU is after INIT (Intel SDM vol. 3A, table 10-1). */
#define RESET_RIP 0xfff0u
#define RESET_CS 0xf000u

/* On AMD's processors KVM has nothing left of the guest, and gives the vCPU the state after INIT. */
static bool is_reset(const struct kvm_sregs *sregs, uint64_t rip)
{
	return rip == RESET_RIP && sregs->cs.selector == RESET_CS && !(sregs->cr0 & 1);
}

/* Bytes of an entry of the IDT (Intel SDM vol. 3A, 6.10 and 6.14.1; in real mode 21.1.4). */
static unsigned gate_size(const struct cpu_mode *mode)
{
	return !mode->legacy ? GATE_MAX : mode->real ? 4 : 8;
}

/* Why the exception went nowhere. */
static void describe_idt(const struct first_exception_place *place, const struct kvm_dtable *idt, int vector, char *text,
			 size_t size)
{
	const unsigned length = gate_size(&place->space.mode);
	const uint64_t end = vector < 0 ? length : ((uint64_t)vector + 1) * length;
	struct page_walk_space space = place->space;
	struct page_walk_fault fault;
	uint8_t gate[GATE_MAX];

	space.user = false;
	if (idt->limit + 1u < length)
		snprintf(text, size, "no IDT is loaded");
	else if (vector < 0)
		snprintf(text, size, "the IDT is at 0x%llx, limit 0x%x", (unsigned long long)idt->base, idt->limit);
	else if (end > idt->limit + 1u)
		snprintf(text, size, "the IDT at 0x%llx ends before, limit 0x%x", (unsigned long long)idt->base, idt->limit);
	else if (page_walk_read(&space, idt->base + end - length, gate, length, &fault) != 0)
		snprintf(text, size, "the IDT at 0x%llx cannot be read", (unsigned long long)idt->base);
	else if (!space.mode.real && !(gate[5] & GATE_PRESENT))
		snprintf(text, size, "its gate in the IDT at 0x%llx is not present", (unsigned long long)idt->base);
	else
		snprintf(text, size, "its handler or stack cannot be used; IDT at 0x%llx", (unsigned long long)idt->base);
}

static void describe_code(const struct first_exception_place *place, char *text, size_t size)
{
	struct insn insn;

	if (insn_fetch(&place->space, place->state.rip, &insn) == 0)
		insn_text(&insn, place->state.rip, text, size);
	else
		snprintf(text, size, "(no instruction)");
}

static void describe_exception(const struct first_exception *exception, char *text, size_t size)
{
	const char *name = "interrupt";

	if (exception->vector < VECTORS_NAMED)
		name = hw_reason_name(ISA_SVM, SVM_EXCEPTION + exception->vector);
	if (exception->vector == VECTOR_PF && !exception->asked_for)
		snprintf(text, size, "%s (vector %u, error code 0x%x) for 0x%llx", name, exception->vector,
			 exception->error_code, (unsigned long long)exception->address);
	else if (exception->has_error_code)
		snprintf(text, size, "%s (vector %u, error code 0x%x)", name, exception->vector, exception->error_code);
	else
		snprintf(text, size, "%s (vector %u)", name, exception->vector);
}

static struct first_exception_place place_of(struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t rip,
					     const uint64_t *regs)
{
	const int view = vcpu->vm->ops->view_current(vcpu);

	return (struct first_exception_place){
		.space = {.vm = vcpu->vm,
			  .view = view < 0 ? 0 : (uint32_t)view,
			  .cr3 = sregs->cr3,
			  .user = sregs->ss.dpl == 3,
			  .mode = cpu_mode_of(sregs)},
		.state = {rip, regs},
		.isa = isa_of(vcpu, sregs),
		.cr0 = sregs->cr0,
		.cpl = sregs->ss.dpl,
	};
}

/* A relay reads what KVM does not keep; a PC has none. */
static void describe_unknown(const struct vcpu *vcpu, bool reset, char text[TRIPLE_FAULT_TEXT])
{
	snprintf(text, TRIPLE_FAULT_TEXT, "triple fault: an exception could not be delivered");
	if (reset)
		snprintf(text + strlen(text), TRIPLE_FAULT_TEXT - strlen(text),
			 ", after which KVM (%s) keeps nothing of the guest%s",
			 host_backend_modules[vcpu->vm->host->backend],
			 vcpu->vm->pc ? "" : "; with --engine svm it can be told");
}

void triple_fault_describe(struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t rip, const uint64_t *regs,
			   char text[TRIPLE_FAULT_TEXT])
{
	char which[80] = "an exception", code[CODE_SHOWN], why[80];
	struct first_exception_place place;
	struct first_exception exception;
	int vector = -1;

	if (!sregs || is_reset(sregs, rip)) {
		describe_unknown(vcpu, sregs != NULL, text);
		return;
	}
	place = place_of(vcpu, sregs, rip, regs);
	if (first_exception_find(&place, &exception) == 0) {
		describe_exception(&exception, which, sizeof(which));
		vector = (int)exception.vector;
	}
	describe_code(&place, code, sizeof(code));
	describe_idt(&place, &sregs->idt, vector, why, sizeof(why));
	snprintf(text, TRIPLE_FAULT_TEXT, "triple fault: %s at %s could not be delivered: %s", which, code, why);
}
