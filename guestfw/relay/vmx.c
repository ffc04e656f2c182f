/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for VMX. Every field access may exit to L0, so nothing is read that is not needed. */
#include "common.h"
#include "relay.h"
#include "views/xcr.h"

#define FIELD(name, encoding, offset, width) VMCS_##name = (encoding),
enum vmcs_field {
#include "guestfw/relay/vmcs12.def"
};
#undef FIELD

/* Basic exit reasons (Intel SDM vol. 3D, appendix C). */
#define EXIT_EXCEPTION_OR_NMI 0
#define EXIT_CPUID 10
#define EXIT_VMCALL 18
#define EXIT_CR_ACCESS 28
#define EXIT_WRMSR 32
#define EXIT_XSETBV 55
#define EXIT_VMFUNC 59

#define RIGHTS_DPL(rights) ((rights) >> 5 & 3)
#define RIGHTS_LONG(rights) ((rights) >> 13 & 1)
#define CPUID_XSAVE 0xd

#define CR_NUMBER(qualification) ((qualification)&15)
#define CR_ACCESS(qualification) ((qualification) >> 4 & 3)
#define CR_GPR(qualification) ((qualification) >> 8 & 15)
#define CR_LMSW_SOURCE(qualification) ((qualification) >> 16 & 0xffff)
#define ACCESS_MOV_TO 0
#define ACCESS_MOV_FROM 1
#define ACCESS_CLTS 2
#define ACCESS_LMSW 3
#define GPR_RSP 4

#define ENTRY_VALID 0x80000000u
#define ENTRY_HARDWARE_EXCEPTION 0x300u
#define ENTRY_ERROR_CODE 0x800u

#define INTERRUPTION_CODE 0x800u /* an error code goes with the event */

struct relay_vcpu *relay_vmx_exit(struct relay_vcpu *vcpu);
void relay_vmx_resume_failed(struct relay_vcpu *vcpu);

static int is_long_mode(void)
{
	return RIGHTS_LONG(vmread(VMCS_guest_cs_ar_bytes));
}

/* The guest goes on behind its instruction. What seldom changes is not written, and what is seldom needed
 * not read: unlike RIP, RFLAGS and the interruptibility state, the others exit to L0 on every processor. */
static void step(uint64_t rip, uint64_t length)
{
	const uint64_t rflags = vmread(VMCS_guest_rflags);
	const uint64_t blocking = vmread(VMCS_guest_interruptibility_info);
	struct retire state = {.rip = rip, .rflags = rflags, .blocking = blocking};

	retire(&state, length, retire_asks_mode(rip, length) ? is_long_mode() : 1,
	       retire_asks_debugctl(rflags) ? vmread(VMCS_guest_ia32_debugctl) : 0);
	vmwrite(VMCS_guest_rip, state.rip);
	if (state.rflags != rflags)
		vmwrite(VMCS_guest_rflags, state.rflags);
	if (state.blocking != blocking)
		vmwrite(VMCS_guest_interruptibility_info, state.blocking);
	if (state.trap)
		vmwrite(VMCS_guest_pending_dbg_exceptions,
			vmread(VMCS_guest_pending_dbg_exceptions) | RETIRE_DEBUG_BS);
}

/* By what the processor says of its length, prefixes included (Intel SDM vol. 3C, 28.2.5). */
static void step_intercepted(uint64_t rip)
{
	step(rip, vmread(VMCS_vm_exit_instruction_len));
}

/* An event that is injected ends the shadow of STI and MOV SS (Intel SDM vol. 3C, 27.7.1). */
static void inject(uint64_t vector, uint64_t error_code)
{
	uint32_t info = ENTRY_VALID | ENTRY_HARDWARE_EXCEPTION | (uint32_t)vector;

	if (vector_has_error_code(vector)) {
		info |= ENTRY_ERROR_CODE;
		vmwrite(VMCS_vm_entry_exception_error_code, error_code);
	}
	vmwrite(VMCS_vm_entry_intr_info_field, info);
	vmwrite(VMCS_guest_rflags, retire_fault(vmread(VMCS_guest_rflags), vector));
}

/* Hands the exit to the VMM and does what it answers. */
static void pass(struct relay_vcpu *vcpu, uint64_t reason, uint64_t qualification, uint64_t rip)
{
	vcpu->reason = reason;
	vcpu->qualification = qualification;
	vcpu->rip = rip;
	vcpu->length = vmread(VMCS_vm_exit_instruction_len);
	/* The VMM acts for code at CPL 0 only; other exits are about an address, if anything. */
	if (reason == EXIT_VMCALL || reason == EXIT_VMFUNC) {
		vcpu->cpl = RIGHTS_DPL(vmread(VMCS_guest_ss_ar_bytes));
	} else {
		vcpu->gpa = vmread(VMCS_guest_physical_address);
		vcpu->gla = vmread(VMCS_guest_linear_address);
	}
	vcpu->vmfunc.eptp = vmread(VMCS_ept_pointer);
	ask_vmm(vcpu);
	for (uint64_t i = 0; i < vcpu->write_count && i < RELAY_WRITES_MAX; i++) {
		if (vcpu->action == RELAY_READ)
			vcpu->writes[i].failed =
				vmread_checked(vcpu->writes[i].field, &vcpu->writes[i].value);
		else
			vmwrite(vcpu->writes[i].field, vcpu->writes[i].value);
	}
	if (vcpu->view)
		vmwrite(VMCS_ept_pointer, vcpu->vmfunc.list[vcpu->view - 1]);
	if (vcpu->action == RELAY_INJECT) {
		/* No field of the control structure: the guest goes on with what the register holds. */
		if (vcpu->vector == VECTOR_PF)
			write_cr2(vcpu->fault_address);
		inject(vcpu->vector, vcpu->error_code);
	} else if (vcpu->action != RELAY_RESUME) {
		step(rip, vcpu->length);
	}
}

/* Outside 64-bit mode an operand has 32 bits, whatever the register holds above. */
static uint64_t read_gpr(const struct relay_vcpu *vcpu, uint64_t gpr)
{
	uint64_t value = gpr == GPR_RSP ? vmread(VMCS_guest_rsp) : vcpu->regs[gpr];

	return value >> 32 && !is_long_mode() ? (uint32_t)value : value;
}

/* What the guest wants CR0 to be, given what it sees there. */
static uint64_t wanted_cr0(const struct relay_vcpu *vcpu, uint64_t qualification, uint64_t seen)
{
	switch (CR_ACCESS(qualification)) {
	case ACCESS_MOV_TO:
		return mov_cr0_value(read_gpr(vcpu, CR_GPR(qualification)));
	case ACCESS_CLTS:
		return seen & ~(uint64_t)SS_CR0_TS;
	default:
		return flags_lmsw(seen, CR_LMSW_SOURCE(qualification));
	}
}

/* Ends a write that relay_write_cr0() or its like has given this for. For all flags: what a processor does not
 * let the guest write it reads from the read shadow. */
static int finish_write(struct relay_vcpu *vcpu, int vector, enum vmcs_field shadow, uint64_t rip)
{
	if (vector < 0)
		return 0;
	if (vector) {
		inject((uint64_t)vector, 0);
		return 1;
	}
	vmwrite(shadow, vcpu->wanted);
	step_intercepted(rip);
	return 1;
}

/* Each returns 0 if the VMM has to decide: nothing has been changed then. */

static int write_cr0(struct relay_vcpu *vcpu, uint64_t qualification, uint64_t rip,
		     struct relay_record *record)
{
	const uint64_t loaded = vmread(VMCS_guest_cr0);
	int vector;

	vcpu->cr0.words.value = loaded;
	vcpu->wanted = wanted_cr0(vcpu, qualification, flags_read(&vcpu->cr0.words));
	vector = relay_write_cr0(vcpu);
	if (vcpu->cr0.words.value != loaded)
		vmwrite(VMCS_guest_cr0, vcpu->cr0.words.value);
	if (vector == 0)
		record->wanted = vcpu->wanted;
	return finish_write(vcpu, vector, VMCS_cr0_read_shadow, rip);
}

static int write_cr4(struct relay_vcpu *vcpu, uint64_t qualification, uint64_t rip)
{
	const uint64_t loaded = vmread(VMCS_guest_cr4);
	int vector;

	vcpu->cr4.words.value = loaded;
	vcpu->wanted = read_gpr(vcpu, CR_GPR(qualification));
	vector = relay_write_cr4(vcpu, vcpu->wanted & CR4_PCIDE ? vmread(VMCS_guest_cr3) : 0);
	if (vcpu->cr4.words.value != loaded)
		vmwrite(VMCS_guest_cr4, vcpu->cr4.words.value);
	return finish_write(vcpu, vector, VMCS_cr4_read_shadow, rip);
}

static int access_register(struct relay_vcpu *vcpu, uint64_t qualification, uint64_t rip,
			   struct relay_record *record)
{
	if (CR_ACCESS(qualification) == ACCESS_MOV_FROM)
		return 0;
	if (CR_NUMBER(qualification) == 4)
		return write_cr4(vcpu, qualification, rip);
	return CR_NUMBER(qualification) == 0 ? write_cr0(vcpu, qualification, rip, record) : 0;
}

/* The service cannot be limited to callers here, so who calls does not matter. */
static uint64_t switch_view(struct relay_vcpu *vcpu, uint64_t index)
{
	uint64_t error = view_hypercall_error(vcpu, index, 0, SERVICE_MODE_64);

	if (error == 0) {
		vmwrite(VMCS_ept_pointer, vcpu->vmfunc.list[index]);
		vcpu->switched = index + 1;
	}
	return error;
}

static int needs(uint64_t word, uint64_t number)
{
	return word >> (number & (SERVICE_NUMBERS - 1)) & 1;
}

/* The processor, that is L0, has not carried it out. Where CPL, view and mode do not matter they are not
 * read; the guest cannot leave long mode. Returns 0 if the VMM has a part in it. */
static int vmfunc(struct relay_vcpu *vcpu, uint64_t rip, struct relay_record *record)
{
	const struct service_table *table = &vcpu->vmfunc.services;
	uint32_t number = (uint32_t)vcpu->regs[RAX];
	enum service_mode mode = SERVICE_MODE_64;
	struct service_decision decision;
	unsigned cpl = 0;

	if (needs(table->enabled & table->cpl0, number))
		cpl = RIGHTS_DPL((unsigned)vmread(VMCS_guest_ss_ar_bytes));
	if (needs(table->enabled & table->home, number))
		vcpu->vmfunc.eptp = vmread(VMCS_ept_pointer);
	if (needs(table->enabled & table->mode64, number) && !is_long_mode())
		mode = SERVICE_MODE_PROTECTED;
	decision = relay_vmfunc(vcpu, cpl, mode, record);
	if (decision.verdict == SERVICE_PERFORM && relay_performs(vcpu, record)) {
		step_intercepted(rip);
		return 1;
	}
	if (service_reaches_vmm(decision.verdict))
		return 0;
	if (service_vector(decision.verdict)) {
		inject(service_vector(decision.verdict), 0);
		return 1;
	}
	/* L0 has refused to switch, whatever our rules say of the entry. */
	vcpu->regs[RAX] = decision.error ? (uint64_t)(int64_t)decision.error : EINVAL_RESULT;
	step_intercepted(rip);
	return 1;
}

/* VMX has no way not to intercept it. XCR0 is the guest's while the relay runs too, which uses none of the
 * state. CR4.OSXSAVE and the privilege level have been checked before the exit. */
static void set_xcr(const struct relay_vcpu *vcpu, uint64_t rip)
{
	uint64_t value = (uint32_t)vcpu->regs[RAX] | vcpu->regs[RDX] << 32;
	const struct cpuid_registers state = cpuid(CPUID_XSAVE, 0);

	if (!xcr_is_legal((uint32_t)vcpu->regs[RCX], value, state.eax | (uint64_t)state.edx << 32)) {
		inject(VECTOR_GP, 0);
		return;
	}
	write_xcr0(value);
	step_intercepted(rip);
}

static uint64_t seen_cr4(struct relay_vcpu *vcpu)
{
	vcpu->cr4.words.value = vmread(VMCS_guest_cr4);
	return flags_read(&vcpu->cr4.words);
}

static int complete(struct relay_vcpu *vcpu, uint64_t reason, uint64_t qualification, uint64_t rip,
		    struct relay_record *record)
{
	switch (reason) {
	case EXIT_CPUID:
		if (!relay_cpuid_service(vcpu, switch_view))
			relay_cpuid(vcpu, cpuid_asks_cr4(vcpu) ? seen_cr4(vcpu) : 0);
		break;
	case EXIT_WRMSR:
		if (!relay_wrmsr_service(vcpu, switch_view))
			return 0;
		break;
	case EXIT_VMCALL:
		if (!relay_hypercall(vcpu, switch_view))
			return 0;
		break;
	case EXIT_CR_ACCESS:
		return access_register(vcpu, qualification, rip, record);
	case EXIT_VMFUNC:
		return vmfunc(vcpu, rip, record);
	case EXIT_XSETBV:
		set_xcr(vcpu, rip);
		return 1;
	default:
		return 0;
	}
	step_intercepted(rip);
	return 1;
}

/* An NMI is for whoever serves the guest: another one is to run, or tables have changed. What this one was being
 * delivered, it gets when its turn comes again. The exit is of no operation. */
static void put_off(struct relay_vcpu *vcpu, struct relay_record *record)
{
	const uint64_t info = vmread(VMCS_idt_vectoring_info_field);

	record->operation = RELAY_OPERATION_TAKEN;
	vcpu->yields = 1;
	if (!(info & ENTRY_VALID))
		return;
	vmwrite(VMCS_vm_entry_intr_info_field, info & ~UINT64_C(0x1000));
	if (info & INTERRUPTION_CODE)
		vmwrite(VMCS_vm_entry_exception_error_code, vmread(VMCS_idt_vectoring_error_code));
	vmwrite(VMCS_vm_entry_instruction_len, vmread(VMCS_vm_exit_instruction_len));
}

static void swap(const struct relay_vcpu *from, const struct relay_vcpu *to)
{
	(void)from;
	vmptrld(to->control);
}

/* What others have says nothing, or nothing that is asked for. */
static uint64_t qualification_of(const struct relay_vcpu *vcpu, uint64_t reason)
{
	if (reason == EXIT_VMFUNC)
		return vmfunc_qualification(vcpu);
	switch (reason) {
	case EXIT_EXCEPTION_OR_NMI:
	case EXIT_CPUID:
	case EXIT_VMCALL:
	case EXIT_WRMSR:
		return 0;
	default:
		return vmread(VMCS_exit_qualification);
	}
}

struct relay_vcpu *relay_vmx_exit(struct relay_vcpu *vcpu)
{
	uint64_t reason = vmread(VMCS_vm_exit_reason);
	uint64_t qualification = qualification_of(vcpu, reason);
	uint64_t rip = vmread(VMCS_guest_rip);
	struct relay_record *record = ring_next(vcpu, (uint32_t)reason, rip, qualification);
	const int is_nmi = reason == EXIT_EXCEPTION_OR_NMI;

	if (is_nmi)
		put_off(vcpu, record);
	if (!(is_nmi && vcpu->group) && !complete(vcpu, reason, qualification, rip, record))
		pass(vcpu, reason, qualification, rip);
	ring_finish(vcpu, record);
	return relay_turn(vcpu, swap);
}

void relay_vmx_resume_failed(struct relay_vcpu *vcpu)
{
	vcpu->reason = RELAY_REASON_RESUME_FAILED;
	vcpu->error = vmread(VMCS_vm_instruction_error);
	ask_vmm(vcpu);
}
