/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for SVM. The control structure is plain memory, which VMRUN reads anew. */
#include "common.h"
#include "decode.h"
#include "relay.h"
#include "vmcb.h"
#include "walk.h"

#define RSP_NUMBER 4

#define EVENT_VALID 0x80000000u
#define EVENT_TYPE(event) ((event) >> 8 & 7)
#define EVENT_EXCEPTION 0x300u
#define EVENT_ERROR_CODE 0x800u

#define CS_LONG 0x200u /* attribute bit of a 64-bit code segment */
#define CS_DEFAULT 0x400u /* of a 32-bit one */
#define RFLAGS_VM 0x20000u
#define MSR_DEBUGCTL 0x1d9
#define MSR_EFER 0xc0000080

_Static_assert(__builtin_offsetof(struct relay_vcpu, control) == 16 * 8,
	       "the entry finds it behind the registers");

struct relay_vcpu *relay_svm_exit(struct relay_vcpu *vcpu);

static void *control_of(const struct relay_vcpu *vcpu)
{
	return (void *)vcpu->control;
}

/* Its delivery ends the shadow of STI and MOV SS. */
static void inject(void *vmcb, uint64_t vector, uint64_t error_code)
{
	uint32_t event = EVENT_VALID | EVENT_EXCEPTION | (uint32_t)vector;

	if (vector_has_error_code(vector)) {
		event |= EVENT_ERROR_CODE;
		vmcb_set_event_inj_err(vmcb, error_code);
	}
	vmcb_set_event_inj(vmcb, event);
	vmcb_set_rflags(vmcb, retire_fault(vmcb_rflags(vmcb), vector));
	vmcb_set_int_state(vmcb, vmcb_int_state(vmcb) & ~RETIRE_SHADOW);
}

/* The guest goes on behind its instruction. Without LBR virtualization DebugCtl is the guest's here too (AMD
 * APM vol. 2, 15.23). A control structure has no place for a trap that is due but the event to inject, which
 * leaves DR6 alone (15.20). */
static void step(void *vmcb, uint64_t length)
{
	struct retire state = {
		.rip = vmcb_rip(vmcb),
		.rflags = vmcb_rflags(vmcb),
		.blocking = vmcb_int_state(vmcb),
	};

	retire(&state, length, (vmcb_cs_attrib(vmcb) & CS_LONG) != 0,
	       retire_asks_debugctl(state.rflags) ? read_msr(MSR_DEBUGCTL) : 0);
	vmcb_set_rip(vmcb, state.rip);
	vmcb_set_rflags(vmcb, state.rflags);
	vmcb_set_int_state(vmcb, state.blocking);
	if (state.trap) {
		vmcb_set_dr6(vmcb, vmcb_dr6(vmcb) | RETIRE_DEBUG_BS);
		inject(vmcb, VECTOR_DB, 0);
	}
}

static enum relay_mode guest_mode(const void *vmcb)
{
	uint64_t attributes = vmcb_cs_attrib(vmcb);

	if (attributes & CS_LONG && vmcb_efer(vmcb) & EFER_LMA)
		return RELAY_MODE_64;
	return attributes & CS_DEFAULT ? RELAY_MODE_32 : RELAY_MODE_16;
}

/* Where the guest is. */
static struct relay_place guest_place(const void *vmcb)
{
	const enum relay_mode mode = guest_mode(vmcb);

	return (struct relay_place){
		.linear = mode == RELAY_MODE_64 ? vmcb_rip(vmcb)
						: (uint32_t)(vmcb_cs_base(vmcb) + vmcb_rip(vmcb)),
		.cr3 = vmcb_cr3(vmcb),
		.nested_cr3 = vmcb_nested_cr3(vmcb),
		.paging = guest_paging_of(vmcb_cr0(vmcb), vmcb_cr4(vmcb), vmcb_efer(vmcb)),
		.mode = mode,
	};
}

static int is_same_place(const struct relay_place *a, const struct relay_place *b)
{
	return a->linear == b->linear && a->cr3 == b->cr3 && a->nested_cr3 == b->nested_cr3 &&
	       a->paging == b->paging && a->mode == b->mode;
}

static struct relay_insn fetch_and_decode(const struct relay_place *place, struct walk_words *words,
					  unsigned size)
{
	const struct walk walk = {place->nested_cr3, place->cr3, (enum guest_paging)place->paging, words};
	uint8_t code[RELAY_INSN_MAX];

	/* Not one assignment of the whole: compilers make that a call of memset(), which is not here. */
	words->count = 0;
	for (unsigned i = 0; i < WALK_LEVELS; i++)
		words->last[i] = 0;
	return relay_decode(code, walk_fetch(&walk, place->linear, code, size),
			    (enum relay_mode)place->mode);
}

/* Four bytes are enough unless there are prefixes. */
static struct relay_insn decode_at_rip(struct relay_vcpu *vcpu, const void *vmcb)
{
	const struct relay_place place = guest_place(vmcb);
	struct relay_decoded *known =
		(struct relay_decoded *)vcpu->decoded + relay_decoded_index(&place);

	if (is_same_place(&known->place, &place) && walk_repeats(&known->words))
		return known->insn;
	known->place = place;
	known->insn = fetch_and_decode(&place, &known->words, 4);
	if (known->insn.kind == RELAY_INSN_OTHER)
		known->insn = fetch_and_decode(&place, &known->words, RELAY_INSN_MAX);
	return known->insn;
}

/* Of an instruction that was intercepted as such: what the processor says, if it saves the next RIP
 * (CPUID Fn8000_000A EDX.NRIPS), else what its bytes say; 0: it is none, for it has a LOCK prefix, which an
 * emulated processor may not see. */
static uint64_t intercepted_length(struct relay_vcpu *vcpu, const void *vmcb, enum relay_insn_kind kind,
				   uint64_t usual)
{
	uint64_t next = vmcb_next_rip(vmcb);
	struct relay_insn insn;

	if (next)
		return next - vmcb_rip(vmcb);
	insn = decode_at_rip(vcpu, vmcb);
	if (insn.locked)
		return 0;
	return insn.kind == kind ? insn.length : usual;
}

/* Entries of the view list have the format of EPTPs, so that the same rules decide about them; the
 * address is that of an NPT root. A new nested CR3 under the same ASID needs a flush (AMD APM vol. 2,
 * 15.16.1). */
static void load_view(struct relay_vcpu *vcpu, void *vmcb, uint64_t pointer)
{
	vcpu->vmfunc.eptp = pointer;
	vmcb_set_nested_cr3(vmcb, pointer & WALK_ADDRESS);
	vmcb_set_tlb_ctl(vmcb, VMCB_TLB_FLUSH_ALL);
}

static enum service_mode caller_mode(const void *vmcb)
{
	if (vmcb_cs_attrib(vmcb) & CS_LONG && vmcb_efer(vmcb) & EFER_LMA)
		return SERVICE_MODE_64;
	return vmcb_cr0(vmcb) & SS_CR0_PE && !(vmcb_rflags(vmcb) & RFLAGS_VM) ? SERVICE_MODE_PROTECTED
									     : SERVICE_MODE_REAL;
}

static uint64_t switch_view(struct relay_vcpu *vcpu, uint64_t index)
{
	void *vmcb = control_of(vcpu);
	uint64_t error = view_hypercall_error(vcpu, index, (unsigned)vmcb_cpl(vmcb), caller_mode(vmcb));

	if (error == 0) {
		vcpu->switched = index + 1;
		if (vcpu->vmfunc.list[index] != vcpu->vmfunc.eptp)
			load_view(vcpu, vmcb, vcpu->vmfunc.list[index]);
	}
	return error;
}

/* VMFUNC as the processor would do it, had it VM functions. Returns 0 if the VMM has a part in it. */
static int vmfunc(struct relay_vcpu *vcpu, void *vmcb, uint64_t length,
		  struct relay_record *record)
{
	struct service_decision decision =
		relay_vmfunc(vcpu, (unsigned)vmcb_cpl(vmcb), caller_mode(vmcb), record);

	record->qualification = vmfunc_qualification(vcpu);
	vcpu->length = length;
	if (decision.verdict == SERVICE_PERFORM && relay_performs(vcpu, record)) {
		step(vmcb, length);
		return 1;
	}
	if (service_reaches_vmm(decision.verdict))
		return 0;
	if (service_vector(decision.verdict)) {
		inject(vmcb, service_vector(decision.verdict), 0);
		return 1;
	}
	if (decision.verdict == SERVICE_REFUSED) {
		vcpu->regs[RAX] = (uint64_t)(int64_t)decision.error;
	} else {
		vcpu->switched = (uint32_t)vcpu->regs[RCX] + UINT64_C(1);
		if (decision.eptp != vcpu->vmfunc.eptp)
			load_view(vcpu, vmcb, decision.eptp);
	}
	step(vmcb, length);
	return 1;
}

/* Any other undefined instruction is the guest's own affair. */
static int undefined(struct relay_vcpu *vcpu, void *vmcb, struct relay_record *record)
{
	struct relay_insn insn = decode_at_rip(vcpu, vmcb);

	if (insn.kind == RELAY_INSN_VMFUNC)
		return vmfunc(vcpu, vmcb, insn.length, record);
	inject(vmcb, VECTOR_UD, 0);
	return 1;
}

static uint64_t read_gpr(const struct relay_vcpu *vcpu, const void *vmcb, unsigned gpr)
{
	return gpr == RSP_NUMBER ? vmcb_rsp(vmcb) : vcpu->regs[gpr];
}

static void write_gpr(struct relay_vcpu *vcpu, void *vmcb, const struct relay_insn *insn,
		      uint64_t value)
{
	if (insn->bits == 16)
		value = (read_gpr(vcpu, vmcb, insn->gpr) & ~UINT64_C(0xffff)) | (value & 0xffff);
	else if (insn->bits == 32)
		value = (uint32_t)value;
	if (insn->gpr == RSP_NUMBER)
		vmcb_set_rsp(vmcb, value);
	else
		vcpu->regs[insn->gpr] = value;
}

/* Ends a write that relay_write_cr0() or its like has given this for. Returns 0 if the VMM has to decide:
 * nothing has been changed then. */
static int finish_write(struct relay_vcpu *vcpu, void *vmcb, int vector)
{
	if (vector < 0)
		return 0;
	if (vector)
		inject(vmcb, (uint64_t)vector, 0);
	else
		step(vmcb, vcpu->length);
	return 1;
}

/* What VMRUN does not take. */
static int lacks_cd(uint64_t cr0)
{
	return cr0 & CR0_NW && !(cr0 & CR0_CD);
}

/* What MOV to CR0 checks where paging is off, or gets so (AMD APM vol. 2, 3.1.1, 14.6). */
static int may_be_without_paging(const struct relay_vcpu *vcpu, const void *vmcb)
{
	const uint64_t wanted = vcpu->wanted, cr4 = vmcb_cr4(vmcb);

	if (vmcb_cs_attrib(vmcb) & CS_LONG || wanted >> 32 || !(wanted & SS_CR0_PE) || lacks_cd(wanted))
		return 0;
	return wanted & CR0_PG ? !(vmcb_efer(vmcb) & EFER_LME) || cr4 & CR4_PAE : !(cr4 & CR4_PCIDE);
}

/*
 * A write that 64-bit mode does not have: outside it a guest may turn paging off, and on again, and leave and enter long
 * mode by that. While it is off, to turn it on is none of the processor's modes, so that such writes come here too.
 * Returns whether it has been carried out.
 */
static int toggles_paging(struct relay_vcpu *vcpu, void *vmcb)
{
	const struct flags_change change = flags_write(&vcpu->cr0.words, vcpu->wanted);
	const uint64_t efer = vmcb_efer(vmcb);

	if ((vcpu->wanted & vcpu->cr0.words.value & CR0_PG) || !may_be_without_paging(vcpu, vmcb) ||
	    lacks_cd(change.value) || change.ask || change.changed & vcpu->cr0.passed)
		return 0;
	vcpu->cr0.words.value = change.value;
	vcpu->cr0.words.shadow = change.shadow;
	if (change.value & CR0_PG)
		vcpu->cr0.fixed1 |= CR0_PG;
	else
		vcpu->cr0.fixed1 &= ~CR0_PG;
	vmcb_set_efer(vmcb, change.value & CR0_PG && efer & EFER_LME ? efer | EFER_LMA : efer & ~(uint64_t)EFER_LMA);
	vmcb_set_tlb_ctl(vmcb, VMCB_TLB_FLUSH_ALL);
	return 1;
}

static int write_cr0(struct relay_vcpu *vcpu, void *vmcb, struct relay_record *record)
{
	int vector = relay_write_cr0(vcpu);

	if (vector == VECTOR_GP && toggles_paging(vcpu, vmcb))
		vector = 0;
	vmcb_set_cr0(vmcb, vcpu->cr0.words.value);
	if (vector == 0)
		record->wanted = vcpu->wanted;
	return finish_write(vcpu, vmcb, vector);
}

/* What a MOV to a control register writes. */
static uint64_t mov_source(const struct relay_vcpu *vcpu, const void *vmcb, const struct relay_insn *insn)
{
	const uint64_t source = read_gpr(vcpu, vmcb, insn->gpr);

	return insn->bits == 32 ? (uint32_t)source : source;
}

static int access_cr4(struct relay_vcpu *vcpu, void *vmcb, const struct relay_insn *insn)
{
	int vector;

	vcpu->cr4.words.value = vmcb_cr4(vmcb);
	if (insn->kind == RELAY_INSN_MOV_FROM_CR4) {
		write_gpr(vcpu, vmcb, insn, flags_read(&vcpu->cr4.words));
		step(vmcb, insn->length);
		return 1;
	}
	if (insn->kind != RELAY_INSN_MOV_TO_CR4) {
		inject(vmcb, VECTOR_UD, 0);
		return 1;
	}
	vcpu->wanted = mov_source(vcpu, vmcb, insn);
	vector = relay_write_cr4(vcpu, vmcb_cr3(vmcb));
	vmcb_set_cr4(vmcb, vcpu->cr4.words.value);
	return finish_write(vcpu, vmcb, vector);
}

/* Unlike VMX, SVM has no read shadow: what the guest sees comes from here too. */
static int access_register(struct relay_vcpu *vcpu, void *vmcb, uint64_t reason,
			   struct relay_record *record)
{
	struct relay_insn insn = decode_at_rip(vcpu, vmcb);
	uint64_t seen;

	vcpu->length = insn.length;
	if (reason == VMEXIT_CR4_READ || reason == VMEXIT_CR4_WRITE)
		return access_cr4(vcpu, vmcb, &insn);
	vcpu->cr0.words.value = vmcb_cr0(vmcb);
	seen = flags_read(&vcpu->cr0.words);
	switch (insn.kind) {
	case RELAY_INSN_MOV_FROM_CR0:
	case RELAY_INSN_SMSW:
		write_gpr(vcpu, vmcb, &insn, seen);
		step(vmcb, insn.length);
		return 1;
	case RELAY_INSN_MOV_TO_CR0:
		vcpu->wanted = mov_cr0_value(mov_source(vcpu, vmcb, &insn));
		break;
	case RELAY_INSN_LMSW:
		vcpu->wanted = flags_lmsw(seen, read_gpr(vcpu, vmcb, insn.gpr));
		break;
	case RELAY_INSN_CLTS:
		vcpu->wanted = seen & ~(uint64_t)SS_CR0_TS;
		break;
	default:
		vcpu->length = 0;
		return 0;
	}
	return write_cr0(vcpu, vmcb, record);
}

/* Hands the exit to the VMM, which also changes the control structure itself, and does what it
 * answers. */
static void pass(struct relay_vcpu *vcpu, void *vmcb, uint64_t reason)
{
	vcpu->reason = reason;
	vcpu->qualification = reason == VMEXIT_EXCEPTION_UD ? vmfunc_qualification(vcpu)
							    : vmcb_exit_info_1(vmcb);
	vcpu->rip = vmcb_rip(vmcb);
	vcpu->gpa = vmcb_exit_info_2(vmcb);
	vcpu->regs[RSP_NUMBER] = vmcb_rsp(vmcb);
	ask_vmm(vcpu);
	if (vcpu->view)
		load_view(vcpu, vmcb, vcpu->vmfunc.list[vcpu->view - 1]);
	if (vcpu->action == RELAY_INJECT) {
		if (vcpu->vector == VECTOR_PF)
			vmcb_set_cr2(vmcb, vcpu->fault_address);
		inject(vmcb, vcpu->vector, vcpu->error_code);
	} else if (vcpu->action != RELAY_RESUME) {
		step(vmcb, vcpu->length);
	}
}

static uint64_t seen_cr4(struct relay_vcpu *vcpu, const void *vmcb)
{
	vcpu->cr4.words.value = vmcb_cr4(vmcb);
	return flags_read(&vcpu->cr4.words);
}

/* CPUID or VMMCALL. Returns 0 if the VMM has to carry it out. */
static int intercepted(struct relay_vcpu *vcpu, void *vmcb, uint64_t reason)
{
	if (reason == VMEXIT_CPUID)
		vcpu->length = intercepted_length(vcpu, vmcb, RELAY_INSN_CPUID, 2);
	else
		vcpu->length = intercepted_length(vcpu, vmcb, RELAY_INSN_VMMCALL, 3);
	if (vcpu->length == 0) {
		inject(vmcb, VECTOR_UD, 0);
		return 1;
	}
	if (reason == VMEXIT_CPUID) {
		if (!relay_cpuid_service(vcpu, switch_view))
			relay_cpuid(vcpu, seen_cr4(vcpu, vmcb));
	} else if (!relay_hypercall(vcpu, switch_view))
		return 0;
	step(vmcb, vcpu->length);
	return 1;
}

/* Of an MSR that no bitmap has. The intercept is there for operations that ask for it. */
static int access_msr(struct relay_vcpu *vcpu, void *vmcb)
{
	uint64_t length = intercepted_length(vcpu, vmcb, RELAY_INSN_WRMSR, 2);

#ifdef SIDESTEP_BARE
	/* A filter of KVM's leads it to the VMM otherwise. */
	vcpu->length = length;
	if (length && (uint32_t)vcpu->regs[RCX] == MSR_EFER)
		return 0;
#endif
	if (vmcb_exit_info_1(vmcb) == 1 && length && relay_wrmsr_service(vcpu, switch_view))
		step(vmcb, length);
	else
		inject(vmcb, length ? VECTOR_GP : VECTOR_UD, 0);
	return 1;
}

static int complete(struct relay_vcpu *vcpu, void *vmcb, uint64_t reason,
		    struct relay_record *record)
{
	switch (reason) {
	case VMEXIT_CPUID:
	case VMEXIT_VMMCALL:
		return intercepted(vcpu, vmcb, reason);
	case VMEXIT_MSR:
		return access_msr(vcpu, vmcb);
	case VMEXIT_EXCEPTION_UD:
		return undefined(vcpu, vmcb, record);
	case VMEXIT_CR0_READ:
	case VMEXIT_CR0_WRITE:
	case VMEXIT_CR4_READ:
	case VMEXIT_CR4_WRITE:
		return access_register(vcpu, vmcb, reason, record);
	default:
		return 0;
	}
}

/*
 * An NMI, or an interrupt that is not the guest's, is for whoever serves the guest: another one is to run, or tables
 * have changed. The #VMEXIT leaves it pending, and it would come again by the next VMRUN, so L1 takes it (AMD APM
 * vol. 2, 15.13.3). What this one was being delivered, it gets when its turn comes again. An interrupt of INTn, or an
 * exception of INT3 or INTO, comes by executing the instruction, where RIP still is (AMD APM vol. 2, 15.7.2). The exit
 * is of no operation.
 */
static void put_off(struct relay_vcpu *vcpu, void *vmcb, struct relay_record *record)
{
	const uint64_t info = vmcb_exit_int_info(vmcb);
	const uint64_t vector = info & 0xff;

	record->operation = RELAY_OPERATION_TAKEN;
	vcpu->yields = 1;
	take_nmi();
	if (!(info & EVENT_VALID) || EVENT_TYPE(info) > EVENT_TYPE(EVENT_EXCEPTION) ||
	    (EVENT_TYPE(info) == EVENT_TYPE(EVENT_EXCEPTION) &&
	     (vector == VECTOR_BP || vector == VECTOR_OF)))
		return;
	vmcb_set_event_inj(vmcb, info);
	vmcb_set_event_inj_err(vmcb, vmcb_exit_int_info_err(vmcb));
}

/* FS, GS, LDTR, TR and the state of SYSCALL and SYSENTER, which VMRUN and #VMEXIT leave alone. */
static void swap(const struct relay_vcpu *from, const struct relay_vcpu *to)
{
	vmsave(from->control);
	vmload(to->control);
}

struct relay_vcpu *relay_svm_exit(struct relay_vcpu *vcpu)
{
	void *vmcb = control_of(vcpu);
	uint64_t reason = vmcb_exit_code(vmcb);
	struct relay_record *record =
		ring_next(vcpu, (uint32_t)reason, vmcb_rip(vmcb), vmcb_exit_info_1(vmcb));

	vcpu->regs[RAX] = vmcb_rax(vmcb);
	vmcb_set_event_inj(vmcb, 0);
	vmcb_set_tlb_ctl(vmcb, 0);
	if (reason == VMEXIT_NMI || reason == VMEXIT_INTERRUPT)
		put_off(vcpu, vmcb, record);
	if (!(reason == VMEXIT_NMI && vcpu->group) && !complete(vcpu, vmcb, reason, record))
		pass(vcpu, vmcb, reason);
	vmcb_set_rax(vmcb, vcpu->regs[RAX]);
	ring_finish(vcpu, record);
	return relay_turn(vcpu, swap);
}
