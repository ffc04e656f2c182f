/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine_vmx.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "views/flags.h"
#include "vmm/engine/monitor_create.h"
#include "vmm/engine/monitor_msr.h"
#include "vmm/engine/vmcs12.h"
#include "vmm/ledger/hw_reason.h"
#include "vmm/vm/vcpu.h"

#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_CONTROL_VMX 5 /* locked, VMX outside SMX */
#define EFER_LONG_MODE 0x500u
/* For guests that share a vCPU: the VMM takes it from one by an NMI; TPR is no guest's own. */
#define PIN_NMI_EXITING 0x8u
#define PRIMARY_CR8_EXITING 0x180000u
#define LAUNCHED_AT 8 /* launch_state of a vmcs12 */
#define DR7_DEFAULT 0x400u

/* Access rights of segments (Intel SDM vol. 3C, 25.4.1). */
#define RIGHTS_CODE 0xa09b
#define RIGHTS_DATA 0xc093
#define RIGHTS_TSS 0x8b

extern const uint8_t relay_vmx_start[], relay_vmx_end[], bare_vmx_start[], bare_vmx_end[];

/* Data of a vCPU. */
struct vmx_vcpu {
	union nested_state nested; /* first: nested_state() */
	struct vmx_caps caps;      /* those of the VM, less what its CPUID has taken away */
};

static const struct vmx_caps *caps_of(const struct vcpu *vcpu)
{
	return &((const struct vmx_vcpu *)vcpu->engine_data)->caps;
}

/* An address that is legal but has no memory slot. */
static uint64_t unbacked_page(const struct vm *vm)
{
	return ((UINT64_C(1) << vm->vmfunc.caps.maxphyaddr) - 1) & ~UINT64_C(0xfff);
}

/* Before the first entry it is ours; from then on only the relay can write it, and only while it has our
 * attention. */
static void write_field(struct vcpu *vcpu, enum vmcs12_field field, uint64_t value)
{
	if (vcpu->relay_waits)
		monitor_write(vcpu, vmcs12_rows[field].encoding, value);
	else
		vmcs12_set(nested_control(vcpu), field, value);
}

static int vm_init(struct vm *vm, struct error *error)
{
	int rc = monitor_msr_protect(vm, NULL, 0, error);

	return rc == 0 ? monitor_create(vm, relay_vmx_start, relay_vmx_end, error) : rc;
}

/* What of CR0 and CR4 is fixed. The guest must run with VMXE, and must not see that. */
static void obey(struct vcpu *vcpu)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->cr0.fixed0 = caps_of(vcpu)->cr0_fixed0;
	relay->cr0.fixed1 = caps_of(vcpu)->cr0_fixed1;
	relay->cr4.hidden = CR4_VMXE;
	relay->cr4.words.value |= CR4_VMXE;
}

/* The vCPU must have VMX before it can be in guest mode; then it says what of it. */
static int allow(struct vcpu *vcpu, struct error *error)
{
	struct vmx_caps *caps = &((struct vmx_vcpu *)vcpu->engine_data)->caps;
	char reason[160];
	int rc = monitor_msr_load(vcpu, MSR_FEATURE_CONTROL, FEATURE_CONTROL_VMX);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "IA32_FEATURE_CONTROL cannot be set");
	rc = vmx_caps_read(vcpu->fd, host_maxphyaddr(vcpu->vm->host), caps, reason, sizeof(reason));
	if (rc != 0)
		return error_set(error, rc, STATUS_SKIPPED, "needs: vmx; host: %s", reason);
	obey(vcpu);
	return 0;
}

/*
 * What of CR0 exits to the relay. KVM's own mask has MP and EM, and the LMSW that exits for them alone it carries
 * out itself, giving the register what the read shadow says of the other flags too (arch/x86/kvm/vmx/vmx.c,
 * handle_cr): so no LMSW may come to that while a flag that LMSW loads is masked.
 */
static uint64_t cr0_mask(const struct ss_flag_words *cr0)
{
	const uint64_t masked = flags_masked(cr0);

	return masked & (SS_CR0_MP | SS_CR0_EM | SS_CR0_TS) ? masked | SS_CR0_MP | SS_CR0_EM : masked;
}

/* Whether violations are #VE where the views say so: of the default views for operations that want it, else as the policy
 * file has it. */
static bool wants_ve(const struct vm *vm, const struct ss_operation *op)
{
	if (!vm->plan->has_ve)
		return false;
	return vm->plan->views ? policy_has_ve(&vm->policy) : op && op->setup == SS_SETUP_VE;
}

static uint32_t secondary_of(struct vcpu *vcpu, const struct vmfunc_state *state, const struct ss_operation *op)
{
	const uint32_t off = (state->enabled ? 0 : (uint32_t)VMX_VMFUNC) |
			     (wants_ve(vcpu->vm, op) ? 0 : (uint32_t)VMX_VE);

	return caps_of(vcpu)->controls[VMX_WORD_secondary] & ~off;
}

/* What an operation can change. Without any service VM functions are off. */
static void set_operation(struct vcpu *vcpu, const struct ss_operation *op)
{
	const struct vmfunc_state *state = monitor_setup(vcpu, op);
	const struct ss_flag_words *cr0 = &monitor_vcpu(vcpu)->cr0.words;
	const struct ss_flag_words *cr4 = &monitor_vcpu(vcpu)->cr4.words;
	const bool backed = state->list == vm_monitor(vcpu->vm)->list;

	write_field(vcpu, VMCS12_cr0_guest_host_mask, cr0_mask(cr0));
	write_field(vcpu, VMCS12_cr0_read_shadow, flags_read(cr0));
	write_field(vcpu, VMCS12_cr4_guest_host_mask, flags_masked(cr4));
	write_field(vcpu, VMCS12_cr4_read_shadow, flags_read(cr4));
	write_field(vcpu, VMCS12_vm_function_control, state->function_controls);
	write_field(vcpu, VMCS12_secondary_vm_exec_control, secondary_of(vcpu, state, op));
	write_field(vcpu, VMCS12_eptp_list_address,
		    backed ? monitor_physical(vcpu->vm, monitor_list(vcpu->vm)) : unbacked_page(vcpu->vm));
}

static void set_controls(struct vcpu *vcpu)
{
	const uint32_t *controls = caps_of(vcpu)->controls;
	const bool share = vcpu->vm->plan->share_vcpu;
	struct vmcs12 *vmcs12 = nested_control(vcpu);

	vmcs12_init(vmcs12);
	set_operation(vcpu, NULL);
	vmcs12_set(vmcs12, VMCS12_pin_based_vm_exec_control,
		   controls[VMX_WORD_pin] | (share ? PIN_NMI_EXITING : 0));
	vmcs12_set(vmcs12, VMCS12_cpu_based_vm_exec_control,
		   controls[VMX_WORD_primary] | (share ? PRIMARY_CR8_EXITING : 0));
	vmcs12_set(vmcs12, VMCS12_vm_exit_controls, controls[VMX_WORD_exit]);
	vmcs12_set(vmcs12, VMCS12_vm_entry_controls, controls[VMX_WORD_entry]);
	vmcs12_set(vmcs12, VMCS12_msr_bitmap, monitor_physical(vcpu->vm, RELAY_MSR_BITMAP));
	vmcs12_set(vmcs12, VMCS12_virtual_processor_id,
		   controls[VMX_WORD_secondary] & VMX_VPID ? vcpu->vm->slot + vcpu->index + 1 : 0);
	vmcs12_set(vmcs12, VMCS12_ept_pointer, vcpu->vm->view_list[0]);
	vmcs12_set(vmcs12, VMCS12_vmcs_link_pointer, UINT64_MAX);
}

/* L1, as an exit resumes it: in the relay, with room behind `regs` to push the registers. */
static void set_host_state(struct vcpu *vcpu)
{
	struct vmcs12 *vmcs12 = nested_control(vcpu);

	vmcs12_set(vmcs12, VMCS12_host_cs_selector, SS_SEL_CODE);
	vmcs12_set(vmcs12, VMCS12_host_ss_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_ds_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_es_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_tr_selector, SS_SEL_TSS);
	vmcs12_set(vmcs12, VMCS12_host_tr_base, RELAY_TSS);
	vmcs12_set(vmcs12, VMCS12_host_gdtr_base, RELAY_GDT);
	vmcs12_set(vmcs12, VMCS12_host_idtr_base, RELAY_IDT);
	vmcs12_set(vmcs12, VMCS12_host_ia32_efer, EFER_LONG_MODE);
	vmcs12_set(vmcs12, VMCS12_host_cr0, SS_CR0_BASE);
	vmcs12_set(vmcs12, VMCS12_host_cr3, monitor_physical(vcpu->vm, RELAY_PML4));
	/* For the XSETBV of a guest, which the relay carries out. */
	vmcs12_set(vmcs12, VMCS12_host_cr4,
		   CR4_PAE | CR4_VMXE | CR4_OSFXSR | (caps_of(vcpu)->cr4_fixed1 & CR4_OSXSAVE));
	vmcs12_set(vmcs12, VMCS12_host_rip, RELAY_IMAGE);
	vmcs12_set(vmcs12, VMCS12_host_rsp, monitor_stack(vcpu));
}

/* The state that a vCPU starts with becomes that of L2. */
static void set_guest_state(struct vcpu *vcpu, const struct kvm_sregs *sregs, const struct kvm_regs *regs)
{
	struct vmcs12 *vmcs12 = nested_control(vcpu);

#define SEGMENT(name, segment, rights)                                                             \
	vmcs12_set(vmcs12, VMCS12_guest_##name##_selector, (segment).selector);                    \
	vmcs12_set(vmcs12, VMCS12_guest_##name##_ar_bytes, rights);                                \
	vmcs12_set(vmcs12, VMCS12_guest_##name##_limit, (segment).limit);                          \
	vmcs12_set(vmcs12, VMCS12_guest_##name##_base, (segment).base)
	SEGMENT(cs, sregs->cs, RIGHTS_CODE);
	SEGMENT(ss, sregs->ss, RIGHTS_DATA);
	SEGMENT(ds, sregs->ds, RIGHTS_DATA);
	SEGMENT(es, sregs->es, RIGHTS_DATA);
	SEGMENT(fs, sregs->fs, RIGHTS_DATA);
	SEGMENT(gs, sregs->gs, RIGHTS_DATA);
	SEGMENT(ldtr, sregs->ldt, RIGHTS_UNUSABLE);
	SEGMENT(tr, sregs->tr, RIGHTS_TSS);
#undef SEGMENT
	vmcs12_set(vmcs12, VMCS12_guest_gdtr_base, sregs->gdt.base);
	vmcs12_set(vmcs12, VMCS12_guest_gdtr_limit, sregs->gdt.limit);
	vmcs12_set(vmcs12, VMCS12_guest_ia32_efer, sregs->efer);
	vmcs12_set(vmcs12, VMCS12_guest_cr0, sregs->cr0);
	vmcs12_set(vmcs12, VMCS12_guest_cr3, sregs->cr3);
	vmcs12_set(vmcs12, VMCS12_guest_cr4, sregs->cr4 | CR4_VMXE);
	vmcs12_set(vmcs12, VMCS12_guest_dr7, DR7_DEFAULT);
	vmcs12_set(vmcs12, VMCS12_guest_rflags, regs->rflags);
	vmcs12_set(vmcs12, VMCS12_guest_rip, regs->rip);
	vmcs12_set(vmcs12, VMCS12_guest_rsp, regs->rsp);
}

static void fill_control(struct vcpu *vcpu, const struct kvm_sregs *sregs, const struct kvm_regs *regs)
{
	set_controls(vcpu);
	set_host_state(vcpu);
	set_guest_state(vcpu, sregs, regs);
}

/* A guest that waits for its turn: the relay will load its control structure from memory, and resume it. */
static void lay_down(const struct vcpu *vcpu)
{
	uint8_t *memory = monitor_at(vm_monitor(vcpu->vm), monitor_control(vcpu));
	const uint32_t launched = 1;

	memcpy(memory, nested_control(vcpu), VMCS12_SIZE);
	memcpy(memory + LAUNCHED_AT, &launched, sizeof(launched));
}

/* An NMI that comes while the relay runs waits for the guest. */
static int block_nmis(struct vcpu *vcpu, struct error *error)
{
	struct kvm_vcpu_events events;

	if (ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_VCPU_EVENTS: %s", strerror(errno));
	events.nmi.masked = 1;
	if (ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_SET_VCPU_EVENTS: %s", strerror(errno));
	return 0;
}

static int install(struct vcpu *vcpu, struct error *error)
{
	struct control_fault fault;
	bool sound = vmcs12_check(nested_control(vcpu), caps_of(vcpu), &fault);
	int rc = vcpu->vm->plan->share_vcpu ? block_nmis(vcpu, error) : 0;

	if (rc != 0)
		return rc;
	nested_state(vcpu)->header = (struct kvm_nested_state){
		.flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING,
		.format = KVM_STATE_NESTED_FORMAT_VMX,
		.hdr.vmx.vmxon_pa = monitor_region(vcpu),
		.hdr.vmx.vmcs12_pa = monitor_control(vcpu),
	};
	return nested_state_set(vcpu, sound ? NULL : &fault, error);
}

static int vcpu_init(struct vcpu *vcpu, struct error *error)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int rc = monitor_create_vcpu(vcpu, sizeof(struct vmx_vcpu), &sregs, error);

	if (rc == 0)
		rc = allow(vcpu, error);
	if (rc != 0)
		return rc;
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_REGS: %s",
				 strerror(errno));
	fill_control(vcpu, &sregs, &regs);
	if (vcpu->vm->leader != vcpu->vm)
		lay_down(vcpu);
	return monitor_begin(vcpu, install, error);
}

static int vm_prepare_bare(struct vm *vm, struct error *error)
{
	return monitor_prepare(vm, bare_vmx_start, bare_vmx_end, error);
}

/* The control structure as KVM would take it, with all that a processor may have: it is loaded field by field, less what
 * this one has not. */
static int vcpu_prepare_bare(struct vcpu *vcpu, struct error *error)
{
	struct kvm_sregs sregs = {0};
	struct kvm_regs regs;
	int rc;

	vcpu_start_state(vcpu, &sregs, &regs);
	rc = monitor_prepare_vcpu(vcpu, sizeof(struct vmx_vcpu), &sregs, error);
	if (rc != 0)
		return rc;
	vmx_caps_assume(vcpu->vm->vmfunc.caps.maxphyaddr, &((struct vmx_vcpu *)vcpu->engine_data)->caps);
	obey(vcpu);
	fill_control(vcpu, &sregs, &regs);
	return 0;
}

static int view_current(struct vcpu *vcpu)
{
	/* The relay has said so when it passed the exit on. */
	if (vcpu->relay_waits)
		return monitor_view_of(vcpu->vm, monitor_vcpu(vcpu)->vmfunc.eptp, UINT64_MAX);
	if (nested_state_get(vcpu) != 0)
		return -1;
	return monitor_view_of(vcpu->vm,
			       vmcs12_get(nested_control(vcpu), VMCS12_ept_pointer), UINT64_MAX);
}

/* In vmcs12 they are as they were at the last exit to the relay. */
static int guest_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	int rc = nested_state_get(vcpu);

	if (rc != 0)
		return rc;
	if (nested_state(vcpu)->header.flags & KVM_STATE_NESTED_GUEST_MODE)
		return vcpu_sregs(vcpu, ret_sregs);
	vmcs12_sregs(nested_control(vcpu), ret_sregs);
	return 0;
}

/* What the words leave to the register the guest reads there: the read shadow starts from it. */
static int setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	struct kvm_sregs sregs;
	int rc = vcpu->relay_waits ? guest_sregs(vcpu, &sregs) : -EPERM;

	if (rc != 0)
		return rc;
	monitor_vcpu(vcpu)->cr0.words.value = sregs.cr0;
	monitor_vcpu(vcpu)->cr4.words.value = sregs.cr4;
	set_operation(vcpu, op);
	return 0;
}

static void load_register(struct vcpu *vcpu, unsigned number, uint64_t value)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct relay_register *reg = number == 4 ? &relay->cr4 : &relay->cr0;

	reg->words.value = value | reg->hidden;
	write_field(vcpu, number == 4 ? VMCS12_guest_cr4 : VMCS12_guest_cr0, reg->words.value);
	write_field(vcpu, number == 4 ? VMCS12_cr4_read_shadow : VMCS12_cr0_read_shadow, flags_read(&reg->words));
}

static const struct monitor_reason reasons[] = {
#define X(reason, event) {VMX_REASON_##reason, EVENT_##event},
	VMX_EVENTS(X)
#undef X
};

static void describe_access(struct vcpu *vcpu, struct monitor_exit *exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct kvm_sregs sregs;

	exit->access = vmx_access(relay->qualification);
	exit->gva_known = vmx_gla_known(relay->qualification);
	exit->walk = vmx_walk(relay->qualification);
	exit->gva = relay->gla;
	if (guest_sregs(vcpu, &sregs) != 0)
		return;
	exit->delivery = (uint32_t)vmcs12_get(nested_control(vcpu), VMCS12_idt_vectoring_info_field);
	exit->cr3 = sregs.cr3;
	exit->mode = cpu_mode_of(&sregs);
	exit->cpl = sregs.ss.dpl;
}

static void describe(struct vcpu *vcpu, struct monitor_exit *ret_exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);

	*ret_exit = (struct monitor_exit){
		.event = EVENT_UNKNOWN,
		.name = relay->reason == RELAY_REASON_RESUME_FAILED
				? "VMRESUME failed, VM-instruction error"
				: "unexpected VM exit",
		.cpl = (unsigned)relay->cpl,
	};
	/* Bits above 15 are flags. */
	if (relay->reason != RELAY_REASON_RESUME_FAILED)
		monitor_find_event(vcpu, relay->reason & 0xffff, reasons,
				   sizeof(reasons) / sizeof(reasons[0]), ret_exit);
	if (ret_exit->event == EVENT_CR0_WRITE)
		ret_exit->event = vmx_register_event(relay->qualification);
	if (ret_exit->event == EVENT_VIOLATION)
		describe_access(vcpu, ret_exit);
}

const struct engine_ops engine_vmx = {
	MONITOR_OPS,
	.vm_init = vm_init,
	.vcpu_init = vcpu_init,
	.vm_prepare = vm_prepare_bare,
	.vcpu_prepare = vcpu_prepare_bare,
	.vcpu_plan = set_operation,
	.control = nested_control,
	.setup = setup,
	.view_current = view_current,
	.guest_sregs = guest_sregs,
	.describe = describe,
	.load_register = load_register,
};
