/* SPDX-License-Identifier: GPL-2.0-only */
/* The bare monitor on processors with VMX (Intel SDM vol. 3C, 24 and 25). */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/insn.h"
#include "guestfw/relay/vmx_controls.h"
#include "memory.h"
#include "views/policy.h"
#include "vmm/ledger/hw_reason.h"

static const struct {
	const char *name;
	uint32_t encoding;
	uint16_t offset, width;
} fields[] = {
#define FIELD(name, encoding, offset, width) {#name, encoding, offset, width},
#include "guestfw/relay/vmcs12.def"
#undef FIELD
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

enum vmcs_field {
#define FIELD(name, encoding, offset, width) VMCS_##name = (encoding),
#include "guestfw/relay/vmcs12.def"
#undef FIELD
};

#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_LOCKED 1u
#define FEATURE_VMX 4u
#define MSR_BASIC 0x480
#define BASIC_REVISION 0x7fffffffu
#define BASIC_STRINGS (UINT64_C(1) << 54)
#define BASIC_TRUE_CONTROLS (UINT64_C(1) << 55)
#define MSR_CR0_FIXED0 0x486
#define MSR_CR0_FIXED1 0x487
#define MSR_CR4_FIXED0 0x488
#define MSR_CR4_FIXED1 0x489
#define MSR_EPT_VPID 0x48c
#define MSR_VMFUNC 0x491
#define EPT_NEEDED UINT64_C(0x4114040) /* walks of four levels, write-back tables, pages of 2 MiB, INVEPT of all */
#define INVEPT_ALL 2
#define CPUID_1_ECX_XSAVE (1u << 26)

/* Controls that a VMM has no say in: under KVM it is L0 that has these exits. */
#define PIN_INTERRUPT_EXITING 0x1u
#define PIN_NMI_EXITING 0x8u
#define PRIMARY_WINDOW_EXITING 0x4u
#define PRIMARY_HLT_EXITING 0x80u
#define PRIMARY_PORT_EXITING 0x1000000u

#define ERROR_NOT_LAUNCHED 5

#define SECONDARY_VE 0x40000u
#define VMCS_VE_INFORMATION 0x202a /* a vmcs12 has none */

#define FIELD_READ_ONLY(encoding) (((encoding) >> 10 & 3) == 1)
#define BLOCKING_SHADOW 3u /* by STI, by MOV SS */
#define BLOCKING_NMI 8u
#define ENTRY_VALID 0x80000000u /* of an external interrupt, with its vector */
#define RIGHTS_DPL(rights) ((rights) >> 5 & 3)
#define RIGHTS_LONG(rights) ((rights) >> 13 & 1)

#define PORT_SIZE(qualification) (((unsigned)(qualification) & 7) + 1)
#define PORT_IN(qualification) ((qualification) >> 3 & 1)
#define PORT_STRING(qualification) ((qualification) >> 4 & 1)
#define PORT_REP(qualification) ((qualification) >> 5 & 1)
#define PORT_NUMBER(qualification) ((unsigned)((qualification) >> 16 & 0xffff))
#define STRING_ADDRESS_SIZE(info) (2u << ((info) >> 7 & 3))
enum { RSI = 6, RDI };

__attribute__((noreturn)) void bare_vmx_launch(struct relay_vcpu *vcpu);

/* The words of controls and their capability MSRs: must-be-one bits in the lower half, may-be-one bits in the upper. */
#define WORDS(X)                                                                                   \
	X(pin, VMCS_pin_based_vm_exec_control, 0x48d)                                              \
	X(primary, VMCS_cpu_based_vm_exec_control, 0x48e)                                          \
	X(secondary, VMCS_secondary_vm_exec_control, 0x48b)                                        \
	X(exit, VMCS_vm_exit_controls, 0x48f)                                                      \
	X(entry, VMCS_vm_entry_controls, 0x490)

enum {
#define X(word, field, msr) MSR_OF_##word = (msr),
	WORDS(X)
#undef X
};

static const struct {
	uint32_t msr, bit;
	int needed;
	const char *name;
} controls[] = {
#define X(name, word, bit, needed, text) {MSR_OF_##word, 1u << (bit), needed, text},
	VMX_CONTROLS(X)
#undef X
};
#define CONTROL_COUNT (sizeof(controls) / sizeof(controls[0]))

/* The plan wants what a processor may have; this one has what it allows, and some must be. */
static uint64_t allowed(uint64_t field, uint64_t wanted)
{
	uint64_t allow;

	switch (field) {
#define X(word, number, msr)                                                                       \
	case number:                                                                               \
		allow = read_msr(msr);                                                             \
		break;
		WORDS(X)
#undef X
	default:
		return wanted;
	}
	return (wanted & allow >> 32) | (uint32_t)allow;
}

static void check_features(void)
{
	const uint64_t features = read_msr(MSR_FEATURE_CONTROL);

	if (features & FEATURE_LOCKED && !(features & FEATURE_VMX))
		console_needs("VMX", "", "locked off by the firmware; enable virtualization in its setup");
	if (!(features & FEATURE_LOCKED))
		__asm__ volatile("wrmsr" : : "c"(MSR_FEATURE_CONTROL), "a"(FEATURE_LOCKED | FEATURE_VMX), "d"(0));
	if (!(read_msr(MSR_BASIC) & BASIC_TRUE_CONTROLS))
		console_needs("VMX with the TRUE control MSRs", "", "a processor without");
	if (!(read_msr(MSR_BASIC) & BASIC_STRINGS))
		console_needs("VMX that describes INS and OUTS", "", "a processor without");
	for (unsigned i = 0; i < CONTROL_COUNT; i++)
		if (controls[i].needed && !(read_msr(controls[i].msr) >> 32 & controls[i].bit))
			console_needs("the VMX control: ", controls[i].name, "a processor without");
	if (!(read_msr(MSR_VMFUNC) & 1))
		console_needs("VM function 0, EPTP switching", "", "a processor without");
	if ((read_msr(MSR_EPT_VPID) & EPT_NEEDED) != EPT_NEEDED)
		console_needs("EPT of four levels with write-back tables, pages of 2 MiB and INVEPT of all contexts", "",
			      "a processor without");
}

static void put_revision(uint64_t region)
{
	*(uint32_t *)region = (uint32_t)read_msr(MSR_BASIC) & BASIC_REVISION;
}

static void enter_root(uint64_t region)
{
	uint64_t cr0, cr4;
	uint8_t failed;

	__asm__ volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
	/* Neither entries nor exits touch CD and NW: they are the guest's as they are here (SDM vol. 3C, 27.3.2.1). */
	cr0 = (cr0 | read_msr(MSR_CR0_FIXED0)) & read_msr(MSR_CR0_FIXED1) & ~(uint64_t)(CR0_CD | CR0_NW);
	cr4 = (cr4 | read_msr(MSR_CR4_FIXED0)) & read_msr(MSR_CR4_FIXED1);
	__asm__ volatile("mov %0, %%cr0; mov %1, %%cr4" : : "r"(cr0), "r"(cr4));
	put_revision(region);
	__asm__ volatile("vmxon %1; setbe %0" : "=q"(failed) : "m"(region) : "cc", "memory");
	if (failed)
		console_needs("VMX", "", "VMXON failed");
}

static void take_control(uint64_t control)
{
	uint8_t failed;

	put_revision(control);
	__asm__ volatile("vmclear %1; setbe %0" : "=q"(failed) : "m"(control) : "cc", "memory");
	if (failed)
		console_needs("VMX", "", "VMCLEAR failed");
	vmptrld(control);
}

static uint64_t planned(const uint8_t *control, unsigned row)
{
	uint64_t value = 0;

	memcpy(&value, control + fields[row].offset, fields[row].width);
	return value;
}

/* What the plan could not know of this computer. */
static uint64_t here(uint64_t field, uint64_t value)
{
	switch (field) {
	case VMCS_pin_based_vm_exec_control:
		value |= bare.plan->vcpu_count > 1 ? PIN_NMI_EXITING : 0;
		value |= bare.plan->slice_ms ? PIN_INTERRUPT_EXITING : 0;
		break;
	case VMCS_cpu_based_vm_exec_control:
		value |= PRIMARY_HLT_EXITING | PRIMARY_PORT_EXITING;
		break;
	case VMCS_host_cr0:
		return (value | read_msr(MSR_CR0_FIXED0)) & read_msr(MSR_CR0_FIXED1);
	case VMCS_host_cr4:
		return cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE ? value | CR4_OSXSAVE : value & ~(uint64_t)CR4_OSXSAVE;
	case VMCS_eptp_list_address:
		/* The last page that an address can name: no computer has memory there. */
		if (value == bare.plan->unbacked)
			return ((UINT64_C(1) << (cpuid(0x80000008, 0).eax & 0xff)) - 1) & ~UINT64_C(0xfff);
		break;
	}
	return allowed(field, bare_moved(value));
}

/* Fields that this processor does not have are 0 there. */
static uint8_t write_field(uint64_t field, uint64_t value)
{
	uint8_t failed;

	__asm__ volatile("vmwrite %2, %1; setbe %0" : "=q"(failed) : "r"(field), "r"(value) : "cc");
	return failed && value != 0;
}

static void load_control(const struct relay_vcpu *vcpu)
{
	const uint8_t *control = bare_control(vcpu);

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (!FIELD_READ_ONLY(fields[i].encoding) &&
		    write_field(fields[i].encoding, here(fields[i].encoding, planned(control, i))))
			console_needs("the VMCS field ", fields[i].name, "a processor without");
}

/* Violations that are #VE, for what of the plan has them. */
static void offer_ve(struct relay_vcpu *vcpu)
{
	if (read_msr(MSR_OF_secondary) >> 32 & SECONDARY_VE)
		vmwrite(VMCS_VE_INFORMATION, bare_ram(vcpu) + bare.plan->ve_pages + UINT64_C(4096) * bare_index(vcpu));
	else if (bare.plan->needs_ve)
		console_needs("#VE, which the views ask for", "", "a processor without");
	else if (bare_index(vcpu) == 0)
		bare_leave_out_ve(vcpu);
}

void vendor_begin(const struct relay_vcpu *vcpu)
{
	check_features();
	enter_root(bare_physical(RELAY_CONTROL + UINT64_C(0x2000) * bare_number(vcpu)));
}

void vendor_prepare(struct relay_vcpu *vcpu)
{
	take_control(vcpu->control);
	load_control(vcpu);
	offer_ve(vcpu);
	vcpu->cr0.fixed0 = read_msr(MSR_CR0_FIXED0);
	vcpu->cr0.fixed1 = read_msr(MSR_CR0_FIXED1);
	vcpu->cr4.fixed0 = 0;
	vcpu->cr4.fixed1 = read_msr(MSR_CR4_FIXED1);
}

void vendor_launch(struct relay_vcpu *vcpu)
{
	bare_vmx_launch(vcpu);
}

/* Where another guest comes to run for the first time, VMRESUME is not what enters it (Intel SDM vol. 3C, 31.4). */
void vendor_resume_failed(struct relay_vcpu *vcpu)
{
	if (vcpu->error == ERROR_NOT_LAUNCHED)
		bare_vmx_launch(vcpu);
}

void vendor_swap(const struct relay_vcpu *from, const struct relay_vcpu *to)
{
	(void)from;
	vmptrld(to->control);
}

/*
 * The exit blocks others until an IRET, as its handler would end with (Intel SDM vol. 3C, 28.2): the relay's gate has
 * one. No guest gets NMIs, so that none blocks them; Bochs 2.7 says so of the one that has exited.
 */
int vendor_takes_nmi(const struct relay_vcpu *vcpu)
{
	if (vcpu->reason != VMX_REASON_EXCEPTION_OR_NMI)
		return 0;
	__asm__ volatile("int $2" : : : "memory");
	vmwrite(VMCS_guest_interruptibility_info,
		vmread(VMCS_guest_interruptibility_info) & ~(uint64_t)BLOCKING_NMI);
	return 1;
}

int vendor_is_interrupt(const struct relay_vcpu *vcpu)
{
	return vcpu->reason == VMX_REASON_EXTERNAL_INTERRUPT;
}

void vendor_take_interrupt(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

void vendor_write(struct relay_vcpu *vcpu, uint64_t field, uint64_t value)
{
	(void)vcpu;
	vmwrite(field, here(field, value));
}

uint64_t vendor_register(const struct relay_vcpu *vcpu, unsigned number)
{
	(void)vcpu;
	return vmread(number == 4 ? VMCS_guest_cr4 : number == 3 ? VMCS_guest_cr3 : VMCS_guest_cr0);
}

uint64_t vendor_efer(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return vmread(VMCS_guest_ia32_efer);
}

uint64_t vendor_idt_limit(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return vmread(VMCS_guest_idtr_limit);
}

void vendor_load_register(struct relay_vcpu *vcpu, unsigned number, uint64_t value)
{
	struct relay_register *reg = number == 4 ? &vcpu->cr4 : &vcpu->cr0;

	reg->words.value = value | reg->hidden;
	vmwrite(number == 4 ? VMCS_guest_cr4 : VMCS_guest_cr0, reg->words.value);
	vendor_show_words(vcpu);
}

void vendor_show_words(struct relay_vcpu *vcpu)
{
	vmwrite(VMCS_cr0_read_shadow, flags_read(&vcpu->cr0.words));
	vmwrite(VMCS_cr4_read_shadow, flags_read(&vcpu->cr4.words));
}

uint64_t vendor_view(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return vmread(VMCS_ept_pointer);
}

void vendor_flush(struct relay_vcpu *vcpu)
{
	const struct {
		uint64_t pointer, reserved;
	} all = {0, 0};

	(void)vcpu;
	__asm__ volatile("invept %0, %1" : : "m"(all), "r"(UINT64_C(INVEPT_ALL)) : "cc", "memory");
}

int vendor_grants(uint64_t entry, unsigned rights)
{
	return (entry & rights) == rights;
}

uint64_t vendor_rflags(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return vmread(VMCS_guest_rflags);
}

int vendor_blocks(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return (vmread(VMCS_guest_interruptibility_info) & BLOCKING_SHADOW) != 0;
}

void vendor_interrupt(struct relay_vcpu *vcpu, unsigned vector)
{
	(void)vcpu;
	vmwrite(VMCS_vm_entry_intr_info_field, ENTRY_VALID | vector);
}

void vendor_watch_window(struct relay_vcpu *vcpu, int watch)
{
	if (watch != bare_vcpu_of(vcpu)->window)
		vmwrite(VMCS_cpu_based_vm_exec_control,
			vmread(VMCS_cpu_based_vm_exec_control) ^ PRIMARY_WINDOW_EXITING);
	bare_vcpu_of(vcpu)->window = watch;
}

static const struct {
	uint64_t reason;
	enum monitor_event event;
} events[] = {
#define X(reason, event) {VMX_REASON_##reason, EVENT_##event},
	VMX_EVENTS(X)
#undef X
};

static void describe_access(const struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	exit->is_64 = RIGHTS_LONG(vmread(VMCS_guest_cs_ar_bytes));
	exit->violation = (struct bare_violation){
		.gpa = vcpu->gpa,
		.gva = vcpu->gla,
		.access = vmx_access(vcpu->qualification),
		.walk = vmx_walk(vcpu->qualification),
		.gva_known = vmx_gla_known(vcpu->qualification),
		.delivery = (uint32_t)vmread(VMCS_idt_vectoring_info_field),
	};
}

/* Its linear address is that of the first element (Intel SDM vol. 3C, 28.2.1; of the instruction: table 28-8). */
static void describe_string(const struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	const uint64_t index = vcpu->regs[exit->in ? RDI : RSI];

	exit->repeats = PORT_REP(vcpu->qualification);
	exit->is_64 = RIGHTS_LONG(vmread(VMCS_guest_cs_ar_bytes));
	exit->address_size = STRING_ADDRESS_SIZE(vmread(VMCS_vmx_instruction_info));
	exit->base = vcpu->gla - (index & bare_address_mask(exit->address_size));
}

static void describe_port(const struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	exit->is_port = 1;
	exit->is_string = PORT_STRING(vcpu->qualification);
	exit->in = PORT_IN(vcpu->qualification);
	exit->port = PORT_NUMBER(vcpu->qualification);
	exit->size = PORT_SIZE(vcpu->qualification);
	if (exit->is_string)
		describe_string(vcpu, exit);
}

void vendor_describe(struct relay_vcpu *vcpu, struct bare_exit *ret_exit)
{
	*ret_exit = (struct bare_exit){
		.event = EVENT_UNKNOWN,
		.cpl = RIGHTS_DPL((unsigned)vmread(VMCS_guest_ss_ar_bytes)),
	};
	if (vcpu->reason == VMX_REASON_IO_INSTRUCTION)
		describe_port(vcpu, ret_exit);
	ret_exit->is_halt = vcpu->reason == VMX_REASON_HLT;
	ret_exit->is_window = vcpu->reason == VMX_REASON_INTERRUPT_WINDOW;
	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].reason == (vcpu->reason & 0xffff))
			ret_exit->event = events[i].event;
	if (ret_exit->event == EVENT_CR0_WRITE)
		ret_exit->event = vmx_register_event(vcpu->qualification);
	if (ret_exit->event == EVENT_VIOLATION)
		describe_access(vcpu, ret_exit);
}
