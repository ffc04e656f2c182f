/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for VMX. Every field access may exit to L0, so nothing is read that is not needed. */
#include "common.h"
#include "relay.h"
#include "views/flags.h"

#define FIELD(name, encoding, offset, width) VMCS_##name = (encoding),
enum vmcs_field {
#include "vmm/vmcs12.def"
};
#undef FIELD

/* Basic exit reasons (Intel SDM vol. 3D, appendix C). */
#define EXIT_CPUID 10
#define EXIT_VMCALL 18
#define EXIT_CR_ACCESS 28
#define EXIT_VMFUNC 59

#define RIGHTS_DPL(rights) ((rights) >> 5 & 3)

#define CR_NUMBER(qualification) ((qualification)&15)
#define CR_ACCESS(qualification) ((qualification) >> 4 & 3)
#define CR_GPR(qualification) ((qualification) >> 8 & 15)
#define CR_LMSW_SOURCE(qualification) ((qualification) >> 16 & 0xffff)
#define ACCESS_MOV_TO 0
#define ACCESS_CLTS 2
#define ACCESS_LMSW 3
#define GPR_RSP 4

#define ENTRY_VALID 0x80000000u
#define ENTRY_HARDWARE_EXCEPTION 0x300u
#define ENTRY_ERROR_CODE 0x800u

void relay_vmx_exit(struct relay_vcpu *vcpu);
void relay_vmx_resume_failed(struct relay_vcpu *vcpu);

static inline uint64_t vmread(uint64_t field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

/* As vmread(), but says when the field cannot be read. */
static inline uint64_t vmread_checked(uint64_t field, uint64_t *value)
{
	uint8_t failed;

	__asm__ volatile("vmread %2, %0; setbe %1" : "=r"(*value), "=q"(failed) : "r"(field) : "cc");
	return failed;
}

static inline void vmwrite(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}

static inline void write_cr2(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

/* The length of the instruction is read by those who step over it only. */
static void step(uint64_t rip, uint64_t length)
{
	vmwrite(VMCS_guest_rip, rip + length);
}

static void inject(uint64_t vector, uint64_t error_code)
{
	uint32_t info = ENTRY_VALID | ENTRY_HARDWARE_EXCEPTION | (uint32_t)vector;

	if (vector_has_error_code(vector)) {
		info |= ENTRY_ERROR_CODE;
		vmwrite(VMCS_vm_entry_exception_error_code, error_code);
	}
	vmwrite(VMCS_vm_entry_intr_info_field, info);
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
	vcpu->pointer = vmread(VMCS_ept_pointer);
	ask_vmm(vcpu);
	for (uint64_t i = 0; i < vcpu->write_count && i < RELAY_WRITES_MAX; i++) {
		if (vcpu->action == RELAY_READ)
			vcpu->writes[i].failed =
				vmread_checked(vcpu->writes[i].field, &vcpu->writes[i].value);
		else
			vmwrite(vcpu->writes[i].field, vcpu->writes[i].value);
	}
	if (vcpu->action == RELAY_INJECT) {
		/* No field of the control structure: the guest goes on with what the register holds. */
		if (vcpu->vector == VECTOR_PF)
			write_cr2(vcpu->fault_address);
		inject(vcpu->vector, vcpu->error_code);
	} else if (vcpu->action != RELAY_RESUME) {
		step(rip, vcpu->length);
	}
}

/* What the guest wants CR0 to be, given what it sees there. */
static uint64_t wanted_cr0(const struct relay_vcpu *vcpu, uint64_t qualification, uint64_t seen)
{
	uint64_t gpr = CR_GPR(qualification);

	switch (CR_ACCESS(qualification)) {
	case ACCESS_MOV_TO:
		return mov_cr0_value(gpr == GPR_RSP ? vmread(VMCS_guest_rsp) : vcpu->regs[gpr]);
	case ACCESS_CLTS:
		return seen & ~(uint64_t)SS_CR0_TS;
	default:
		return flags_lmsw(seen, CR_LMSW_SOURCE(qualification));
	}
}

/* Returns 0 if the VMM has to decide: nothing has been changed then. */
static int write_cr0(struct relay_vcpu *vcpu, uint64_t qualification, uint64_t rip,
		     struct relay_record *record)
{
	struct flag_words words = {vcpu->owned, vcpu->kept, vcpu->shadow, vmread(VMCS_guest_cr0)};
	uint64_t asked;

	if (CR_NUMBER(qualification) != 0 || CR_ACCESS(qualification) == 1)
		return 0;
	vcpu->cr0 = words.value;
	vcpu->wanted = wanted_cr0(vcpu, qualification, flags_read(&words));
	asked = flags_write(&words, vcpu->wanted);
	if (!is_legal_cr0(vcpu->wanted) || !is_legal_cr0(words.value)) {
		inject(VECTOR_GP, 0);
		return 1;
	}
	if (asked != 0)
		return 0;
	if (words.value != vcpu->cr0)
		vmwrite(VMCS_guest_cr0, words.value);
	vcpu->shadow = words.shadow;
	vmwrite(VMCS_cr0_read_shadow, words.shadow);
	record->wanted = vcpu->wanted;
	step(rip, vmread(VMCS_vm_exit_instruction_len));
	return 1;
}

/* The service cannot be limited by CPL here, so that of the caller does not matter. */
static uint64_t switch_view(struct relay_vcpu *vcpu, uint64_t index)
{
	uint64_t error = view_hypercall_error(vcpu, index, 0);

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

/* The processor, that is L0, has not carried it out. Where the CPL and the view do not matter they are
 * not read. Returns 0 if the VMM has to perform it. */
static int vmfunc(struct relay_vcpu *vcpu, uint64_t rip, struct relay_record *record)
{
	const struct service_table *table = &vcpu->vmfunc.services;
	uint32_t number = (uint32_t)vcpu->regs[RAX];
	struct service_decision decision;
	unsigned cpl = 0;

	if (needs(table->enabled & table->cpl0, number))
		cpl = RIGHTS_DPL((unsigned)vmread(VMCS_guest_ss_ar_bytes));
	if (needs(table->enabled & table->home, number))
		vcpu->pointer = vmread(VMCS_ept_pointer);
	decision = relay_vmfunc(vcpu, cpl);
	record->service = service_code(number, decision.verdict);
	if (decision.verdict == SERVICE_PERFORM)
		return 0;
	if (service_vector(decision.verdict)) {
		inject(service_vector(decision.verdict), 0);
		return 1;
	}
	/* L0 has refused to switch, whatever our rules say of the entry. */
	vcpu->regs[RAX] = decision.error ? (uint64_t)(int64_t)decision.error : EINVAL_RESULT;
	step(rip, vmread(VMCS_vm_exit_instruction_len));
	return 1;
}

static int complete(struct relay_vcpu *vcpu, uint64_t reason, uint64_t qualification, uint64_t rip,
		    struct relay_record *record)
{
	uint64_t length = 3; /* of VMCALL; CPUID is one byte shorter */

	switch (reason) {
	case EXIT_CPUID:
		relay_cpuid(vcpu);
		length = 2;
		break;
	case EXIT_VMCALL:
		if (!relay_hypercall(vcpu, switch_view))
			return 0;
		break;
	case EXIT_CR_ACCESS:
		return write_cr0(vcpu, qualification, rip, record);
	case EXIT_VMFUNC:
		return vmfunc(vcpu, rip, record);
	default:
		return 0;
	}
	step(rip, length);
	return 1;
}

/* Neither CPUID nor VMCALL has one, and that of VMFUNC says nothing. */
static uint64_t qualification_of(const struct relay_vcpu *vcpu, uint64_t reason)
{
	if (reason == EXIT_VMFUNC)
		return vmfunc_qualification(vcpu);
	return reason == EXIT_CPUID || reason == EXIT_VMCALL ? 0 : vmread(VMCS_exit_qualification);
}

void relay_vmx_exit(struct relay_vcpu *vcpu)
{
	uint64_t reason = vmread(VMCS_vm_exit_reason);
	uint64_t qualification = qualification_of(vcpu, reason);
	uint64_t rip = vmread(VMCS_guest_rip);
	struct relay_record *record = ring_next(vcpu, (uint32_t)reason, rip, qualification);

	if (!complete(vcpu, reason, qualification, rip, record))
		pass(vcpu, reason, qualification, rip);
	ring_finish(vcpu, record);
}

void relay_vmx_resume_failed(struct relay_vcpu *vcpu)
{
	vcpu->reason = RELAY_REASON_RESUME_FAILED;
	vcpu->error = vmread(VMCS_vm_instruction_error);
	ask_vmm(vcpu);
}
