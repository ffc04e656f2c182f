/* SPDX-License-Identifier: GPL-2.0-only */
/* The bare monitor on processors with SVM (AMD APM vol. 2, 15). */
#include "bare.h"
#include "code.h"
#include "console.h"
#include "guestfw/relay/insn.h"
#include "guestfw/relay/vmcb.h"
#include "memory.h"
#include "operand.h"
#include "views/policy.h"

#define MSR_EFER 0xc0000080u
#define MSR_VM_CR 0xc0010114u
#define VM_CR_SVMDIS 0x10u
#define MSR_VM_HSAVE_PA 0xc0010117u
#define CPUID_SVM 0x8000000au
#define CPUID_SVM_NESTED_PAGING_EDX 1u
#define CPUID_1_ECX_XSAVE (1u << 26)

/* Intercepts that a VMM has no say in: under KVM it is L0 that has these exits. */
#define MISC1_INTERRUPT (1u << 0)
#define MISC1_WINDOW (1u << 4)
#define MISC1_HLT (1u << 24)
#define MISC1_PORTS (1u << 27)
#define VMEXIT_WINDOW 0x64
#define VMEXIT_HLT 0x78
#define VMEXIT_PORT 0x7b
#define INT_CTL_WINDOW 0x1f0100u /* V_IRQ of the highest priority, whatever TPR says: intercepted when it would be taken */
#define INT_CTL_MASKING 0x1000000u
#define INT_STATE_SHADOW 1u
#define EVENT_VALID 0x80000000u /* of an external interrupt, with its vector */
#define MISC1_FIELD (0x00cull << 8 | 4)

#define PORT_IN(info) ((info) & 1)
#define PORT_STRING(info) ((info) >> 2 & 1)
#define PORT_REP(info) ((info) >> 3 & 1)
#define PORT_SIZE(info) ((unsigned)((info) >> 4 & 7))
#define PORT_NUMBER(info) ((unsigned)((info) >> 16 & 0xffff))
#define MSR_IS_WRITE(info) ((info) & 1)
#define ENTRY_WRITE 2u
#define ENTRY_NX (UINT64_C(1) << 63)
enum { RAX, RCX, RDX };

#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define CS_LONG 0x200u
#define CS_DEFAULT 0x400u
#define INSN_MAX 15

#define PORT_MAP_SIZE (3 * 4096)

static void *vmcb_of(const struct relay_vcpu *vcpu)
{
	return (void *)vcpu->control;
}

static uint64_t misc1_here(uint64_t planned)
{
	return planned | MISC1_HLT | MISC1_PORTS | VMCB_MISC1_MSR | (bare.plan->vcpu_count > 1 ? VMCB_MISC1_NMI : 0) |
	       (bare.plan->slice_ms ? MISC1_INTERRUPT : 0);
}

/* The guest's IF masks no interrupt of the computer's. */
static uint64_t int_ctl_here(void)
{
	return bare.plan->slice_ms ? INT_CTL_MASKING : 0;
}

static void check_features(void)
{
	if (read_msr(MSR_VM_CR) & VM_CR_SVMDIS)
		console_needs("svm", "", "SVM is locked off by the firmware; enable virtualization in its setup");
	if (!(cpuid(CPUID_SVM, 0).edx & CPUID_SVM_NESTED_PAGING_EDX))
		console_needs("svm", "", "a processor without nested paging");
}

/* EFER has a flag that the guest must not see: two bits an MSR, the high ones begin at 2 KiB (AMD APM vol. 2, 15.11). */
static void protect_efer(void)
{
	uint8_t *bitmap = (uint8_t *)RELAY_MSR_BITMAP;
	const uint32_t bit = 0x4000 + 2 * (MSR_EFER & 0x1fff);

	bitmap[bit / 8] |= (uint8_t)(3u << bit % 8);
}

/*
 * The flags of CR4 that this processor has, by its CPUID (AMD APM vol. 2, 3.1.3): all others are reserved, also to VMRUN.
 * Not by trying them: QEMU's translator takes a reserved one for a #VMEXIT, in a host too
 * (target/i386/tcg/sysemu/misc_helper.c, helper_write_crN).
 */
#define CR4_ALWAYS UINT64_C(0x7ff) /* VME to OSXMMEXCPT */
static const struct {
	uint32_t leaf, reg, bit, flag;
} cr4_flags[] = {
	{7, 2, 2, 11},	/* UMIP */
	{7, 2, 16, 12}, /* LA57 */
	{7, 1, 0, 16},	/* FSGSBASE */
	{1, 2, 17, 17}, /* PCIDE */
	{1, 2, 26, 18}, /* OSXSAVE */
	{7, 1, 7, 20},	/* SMEP */
	{7, 1, 20, 21}, /* SMAP */
	{7, 2, 3, 22},	/* PKE */
	{7, 2, 7, 23},	/* CET */
};

static uint64_t supported_cr4(void)
{
	uint64_t supported = CR4_ALWAYS;

	for (unsigned i = 0; i < sizeof(cr4_flags) / sizeof(cr4_flags[0]); i++) {
		const struct cpuid_registers r = cpuid(cr4_flags[i].leaf, 0);
		const uint32_t words[] = {r.eax, r.ebx, r.ecx, r.edx};

		if (cpuid(0, 0).eax >= cr4_flags[i].leaf && words[cr4_flags[i].reg] >> cr4_flags[i].bit & 1)
			supported |= UINT64_C(1) << cr4_flags[i].flag;
	}
	return supported;
}

void vendor_begin(const struct relay_vcpu *vcpu)
{
	check_features();
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME | EFER_NXE);
	write_msr(MSR_VM_HSAVE_PA, bare_physical(RELAY_CONTROL + UINT64_C(0x2000) * bare_number(vcpu)));
	/* All ports are intercepted. */
	memset((void *)BARE_PORT_MAP, 0xff, PORT_MAP_SIZE);
	protect_efer();
	/* Whether interrupts exit then goes by the host's IF, and nothing comes but where GIF is set (AMD APM vol. 2,
	 * 15.21.1). */
	__asm__ volatile("clgi");
	if (bare.plan->slice_ms)
		__asm__ volatile("sti");
}

void vendor_prepare(struct relay_vcpu *vcpu)
{
	void *vmcb = vmcb_of(vcpu);
	vmcb_set_iopm_base_pa(vmcb, bare_physical(BARE_PORT_MAP));
	vmcb_set_intercept_misc1(vmcb, misc1_here(vmcb_intercept_misc1(vmcb)));
	vmcb_set_tlb_ctl(vmcb, VMCB_TLB_FLUSH_ALL);
	vcpu->cr4.fixed1 = supported_cr4();
	vmcb_set_int_ctl(vmcb, vmcb_int_ctl(vmcb) | int_ctl_here());
	vmload(vcpu->control);
}

/* The first entry is as every other, and none fails but by an exit. */
void vendor_launch(struct relay_vcpu *vcpu)
{
	bare_enter(vcpu);
}

void vendor_resume_failed(struct relay_vcpu *vcpu)
{
	(void)vcpu;
}

void vendor_swap(const struct relay_vcpu *from, const struct relay_vcpu *to)
{
	vmsave(from->control);
	vmload(to->control);
}

/* The relay has taken it. */
int vendor_takes_nmi(const struct relay_vcpu *vcpu)
{
	return vcpu->reason == VMEXIT_NMI;
}

int vendor_is_interrupt(const struct relay_vcpu *vcpu)
{
	return vcpu->reason == VMEXIT_INTERRUPT;
}

/* The relay has taken it, as it takes NMIs. */
void vendor_take_interrupt(void)
{
}

void vendor_write(struct relay_vcpu *vcpu, uint64_t field, uint64_t value)
{
	const uint64_t misc1 = misc1_here(value) | (bare_vcpu_of(vcpu)->window ? MISC1_WINDOW : 0);
	const uint64_t moved = bare_moved(field == MISC1_FIELD ? misc1 : value);

	memcpy((uint8_t *)vmcb_of(vcpu) + (field >> 8), &moved, field & 0xff);
}

uint64_t vendor_register(const struct relay_vcpu *vcpu, unsigned number)
{
	const void *vmcb = vmcb_of(vcpu);

	return number == 4 ? vmcb_cr4(vmcb) : number == 3 ? vmcb_cr3(vmcb) : vmcb_cr0(vmcb);
}

uint64_t vendor_efer(const struct relay_vcpu *vcpu)
{
	return vmcb_efer(vmcb_of(vcpu));
}

uint64_t vendor_idt_limit(const struct relay_vcpu *vcpu)
{
	return vmcb_idtr_limit(vmcb_of(vcpu));
}

void vendor_load_register(struct relay_vcpu *vcpu, unsigned number, uint64_t value)
{
	if (number == 4)
		vmcb_set_cr4(vmcb_of(vcpu), value);
	else
		vmcb_set_cr0(vmcb_of(vcpu), value);
}

/* There is no read shadow: the relay makes what the guest reads. */
void vendor_show_words(struct relay_vcpu *vcpu)
{
	(void)vcpu;
}

uint64_t vendor_view(const struct relay_vcpu *vcpu)
{
	return vcpu->vmfunc.eptp;
}

void vendor_flush(struct relay_vcpu *vcpu)
{
	/* By the next entry; the relay takes it back at the exit after that. */
	vmcb_set_tlb_ctl(vmcb_of(vcpu), VMCB_TLB_FLUSH_ALL);
}

int vendor_grants(uint64_t entry, unsigned rights)
{
	return entry & 1 && (!(rights & VIEW_WRITE) || entry & ENTRY_WRITE) &&
	       (!(rights & VIEW_EXECUTE) || !(entry & ENTRY_NX));
}

uint64_t vendor_rflags(const struct relay_vcpu *vcpu)
{
	return vmcb_rflags(vmcb_of(vcpu));
}

int vendor_blocks(const struct relay_vcpu *vcpu)
{
	return vmcb_int_state(vmcb_of(vcpu)) & INT_STATE_SHADOW;
}

void vendor_interrupt(struct relay_vcpu *vcpu, unsigned vector)
{
	vmcb_set_event_inj(vmcb_of(vcpu), EVENT_VALID | vector);
}

void vendor_watch_window(struct relay_vcpu *vcpu, int watch)
{
	void *vmcb = vmcb_of(vcpu);
	const uint64_t misc1 = vmcb_intercept_misc1(vmcb) & ~(uint64_t)MISC1_WINDOW;

	bare_vcpu_of(vcpu)->window = watch;
	vmcb_set_intercept_misc1(vmcb, misc1 | (watch ? MISC1_WINDOW : 0));
	vmcb_set_int_ctl(vmcb, (watch ? INT_CTL_WINDOW : 0) | int_ctl_here());
}

static const struct {
	uint64_t code;
	enum monitor_event event;
} events[] = {
#define X(reason, event) {VMEXIT_##reason, EVENT_##event},
	SVM_EVENTS(X)
#undef X
};

/* A #VMEXIT leaves FS and GS to the processor. */
static uint64_t segment_base(const void *vmcb, unsigned prefix, int is_64)
{
	if (prefix == PREFIX_FS || prefix == PREFIX_GS)
		return read_msr(prefix == PREFIX_FS ? MSR_FS_BASE : MSR_GS_BASE);
	if (is_64)
		return 0;
	switch (prefix) {
	case PREFIX_ES:
		return vmcb_es_base(vmcb);
	case PREFIX_CS:
		return vmcb_cs_base(vmcb);
	case PREFIX_SS:
		return vmcb_ss_base(vmcb);
	default:
		return vmcb_ds_base(vmcb);
	}
}

static int is_64(const void *vmcb)
{
	return vmcb_cs_attrib(vmcb) & CS_LONG && vmcb_efer(vmcb) & EFER_LMA;
}

/* Its bytes, that is its prefixes and its opcode. Returns how many. */
static unsigned fetch(const struct relay_vcpu *vcpu, int is_64, uint8_t code[INSN_MAX])
{
	const uint64_t linear = is_64 ? vcpu->rip : (uint32_t)(vmcb_cs_base(vmcb_of(vcpu)) + vcpu->rip);

	return bare_fetch(vcpu, linear, code, vcpu->length < INSN_MAX ? (unsigned)vcpu->length : INSN_MAX);
}

/*
 * Which segment it is a processor says only if it has decode assists (AMD APM vol. 2, 15.10.2), and QEMU's translator
 * does not say how large addresses are either: so prefixes are read. INS has its memory in ES, whatever they say.
 */
static void describe_string(const struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	const void *vmcb = vmcb_of(vcpu);
	const uint64_t cs = vmcb_cs_attrib(vmcb);
	unsigned usual, segment = PREFIX_ES, count;
	uint8_t code[INSN_MAX];

	exit->repeats = PORT_REP(vcpu->qualification);
	exit->is_64 = is_64(vmcb);
	usual = exit->is_64 ? 8 : cs & CS_DEFAULT ? 4 : 2;
	exit->address_size = usual;
	count = fetch(vcpu, exit->is_64, code);
	if (operand_has_address_prefix(code, count))
		exit->address_size = usual == 4 ? 2 : 4;
	if (!exit->in)
		segment = operand_segment(code, count, exit->is_64, PREFIX_DS);
	exit->base = segment_base(vmcb, segment, exit->is_64);
}

static void describe_port(struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	exit->is_port = 1;
	exit->is_string = PORT_STRING(vcpu->qualification);
	exit->in = PORT_IN(vcpu->qualification);
	exit->port = PORT_NUMBER(vcpu->qualification);
	exit->size = PORT_SIZE(vcpu->qualification);
	/* EXITINFO2 is the RIP behind the instruction (APM vol. 2, 15.10.2). */
	vcpu->length = vcpu->gpa - vcpu->rip;
	if (exit->is_string)
		describe_string(vcpu, exit);
}

/* Without a length the relay has not decoded the instruction: it is LMSW or SMSW with an operand in memory, or none, as
 * with a LOCK prefix, which an emulated processor may not see. */
static void describe_operand(struct relay_vcpu *vcpu, struct bare_exit *exit)
{
	const void *vmcb = vmcb_of(vcpu);
	struct operand operand;
	uint8_t code[INSN_MAX];

	exit->event = EVENT_CR0_OPERAND;
	exit->is_64 = is_64(vmcb);
	if (!exit->is_64)
		return;
	if (!operand_decode(code, bare_fetch(vcpu, vcpu->rip, code, sizeof(code)), vcpu->rip, vcpu->regs, &operand)) {
		exit->event = EVENT_UNDEFINED;
		return;
	}
	vcpu->length = operand.length;
	exit->operand = segment_base(vmcb, operand.segment, 1) + operand.offset;
	exit->is_store = operand.store;
	exit->is_stack = operand.segment == PREFIX_SS;
}

/* EFER as the guest may see and have it. */
static enum monitor_event access_efer(struct relay_vcpu *vcpu)
{
	void *vmcb = vmcb_of(vcpu);
	const uint64_t efer = vmcb_efer(vmcb), seen = efer & ~(uint64_t)EFER_SVME;
	const uint64_t wanted = (uint32_t)vcpu->regs[RAX] | vcpu->regs[RDX] << 32;
	uint64_t written;

	if (!MSR_IS_WRITE(vcpu->qualification)) {
		vcpu->regs[RAX] = (uint32_t)seen;
		vcpu->regs[RDX] = seen >> 32;
		return EVENT_IGNORED;
	}
	if (!svm_msr_efer(efer, wanted, &written))
		return EVENT_PROTECTED;
	vmcb_set_efer(vmcb, written);
	return EVENT_IGNORED;
}

void vendor_describe(struct relay_vcpu *vcpu, struct bare_exit *ret_exit)
{
	const void *vmcb = vmcb_of(vcpu);

	*ret_exit = (struct bare_exit){.event = EVENT_UNKNOWN, .cpl = (unsigned)vmcb_cpl(vmcb)};
	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].code == vcpu->reason)
			ret_exit->event = events[i].event;
	if ((ret_exit->event == EVENT_CR0_WRITE && vcpu->length == 0) || ret_exit->event == EVENT_CR0_OPERAND)
		describe_operand(vcpu, ret_exit);
	if (vcpu->reason == VMEXIT_PORT)
		describe_port(vcpu, ret_exit);
	ret_exit->is_halt = vcpu->reason == VMEXIT_HLT;
	ret_exit->is_window = vcpu->reason == VMEXIT_WINDOW;
	if (ret_exit->is_halt)
		vcpu->length = 1; /* none of its prefixes is said to be there */
	if (vcpu->reason == VMEXIT_MSR)
		ret_exit->event = access_efer(vcpu);
	if (ret_exit->event != EVENT_VIOLATION)
		return;
	ret_exit->is_64 = is_64(vmcb);
	ret_exit->violation.gpa = vcpu->gpa;
	ret_exit->violation.access = svm_access(vcpu->qualification);
	ret_exit->violation.walk = svm_walk(vcpu->qualification);
	ret_exit->violation.delivery = (uint32_t)vmcb_exit_int_info(vmcb);
}
