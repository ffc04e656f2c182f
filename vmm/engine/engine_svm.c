/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine_svm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "views/flags.h"
#include "vmm/engine/monitor_create.h"
#include "vmm/engine/monitor_msr.h"
#include "vmm/engine/svm_msr.h"
#include "vmm/engine/vmcb12.h"
#include "vmm/vm/vcpu.h"

/* Of an entry in the view list, what is a nested CR3: the root. */
#define POINTER_ADDRESS UINT64_C(0x000ffffffffff000)

/* For guests that share a vCPU: the VMM takes it from one by an NMI, an MSR that is not switched is no guest's, and
 * neither is TPR. */
#define SHARE_MISC1 (VMCB_MISC1_NMI | VMCB_MISC1_MSR)
#define SHARE_CR (VMCB_CR8_READ | VMCB_CR8_WRITE)

#define RFLAGS_FIXED 2u
#define DR6_DEFAULT 0xffff0ff0u
#define DR7_DEFAULT 0x400u
#define PAT_DEFAULT UINT64_C(0x0007040600070406)

/* Attributes of segments, packed (AMD APM vol. 2, 15.5.1). */
#define ATTRIBUTES_CODE 0xa9b
#define ATTRIBUTES_DATA 0xc93

/* The guest has no SVM, so its instructions and CPUID's account of it go to L1; a triple fault does
 * too, which else would look like one of L1. */
#define ALWAYS_MISC1                                                                               \
	(VMCB_MISC1_CPUID | VMCB_MISC1_INVLPGA | VMCB_MISC1_SHUTDOWN)
#define ALWAYS_MISC2                                                                               \
	(VMCB_MISC2_VMRUN | VMCB_MISC2_VMMCALL | VMCB_MISC2_VMLOAD | VMCB_MISC2_VMSAVE |           \
	 VMCB_MISC2_STGI | VMCB_MISC2_CLGI | VMCB_MISC2_SKINIT)

extern const uint8_t relay_svm_start[], relay_svm_end[], bare_svm_start[], bare_svm_end[];

/* The control structure in guest memory. Nobody else uses it while the relay waits for an answer. */
static void *control(const struct vcpu *vcpu)
{
	return monitor_at(vm_monitor(vcpu->vm), monitor_control(vcpu));
}

static int vm_init(struct vm *vm, struct error *error)
{
	int rc = svm_msr_protect(vm, error);

	return rc == 0 ? monitor_create(vm, relay_svm_start, relay_svm_end, error) : rc;
}

/* The vCPU must have EFER.SVME and the host save area before it can be in guest mode; L2 starts with
 * the registers that the vCPU has. */
static int allow(struct vcpu *vcpu, struct kvm_sregs *sregs, struct error *error)
{
	int rc;

	sregs->efer |= EFER_SVME;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, sregs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "EFER.SVME cannot be set: %s",
				 strerror(errno));
	rc = monitor_msr_load(vcpu, MSR_VM_HSAVE_PA, monitor_region(vcpu));
	return rc == 0 ? 0 : error_set(error, rc, STATUS_INTERNAL, "VM_HSAVE_PA cannot be set");
}

/*
 * What an operation can change. Flags that the guest does not own need the write intercept, and the read
 * intercept because the processor shows the register, not a shadow. The selective write intercept would do
 * only if register and shadow were always equal: it compares with the register, so a write that differs from
 * nothing but the shadow would pass unseen. "Enable VM functions" is to receive the #UD that VMFUNC raises.
 */
static void set_operation(struct vcpu *vcpu, const struct ss_operation *op)
{
	const struct vmfunc_state *state = monitor_setup(vcpu, op);
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const bool share = vcpu->vm->plan->share_vcpu;

	vmcb_set_intercept_cr(control(vcpu),
			      (flags_masked(&relay->cr0.words) ? VMCB_CR0_READ | VMCB_CR0_WRITE : 0) |
				      (flags_masked(&relay->cr4.words) ? VMCB_CR4_READ | VMCB_CR4_WRITE : 0) |
				      (share ? SHARE_CR : 0));
	vmcb_set_intercept_misc1(control(vcpu),
				 ALWAYS_MISC1 | (share ? SHARE_MISC1 : 0) |
					 (op && op->setup == SS_SETUP_MSR ? VMCB_MISC1_MSR : 0));
	vmcb_set_intercept_exceptions(control(vcpu), state->enabled ? VMCB_EXCEPTION_UD : 0);
}

static void set_controls(struct vcpu *vcpu)
{
	void *vmcb = control(vcpu);

	set_operation(vcpu, NULL);
	vmcb_set_msrpm_base_pa(vmcb, monitor_physical(vcpu->vm, RELAY_MSR_BITMAP));
	vmcb_set_intercept_misc2(vmcb, ALWAYS_MISC2);
	vmcb_set_asid(vmcb, vcpu->vm->slot + 1);
	vmcb_set_nested_ctl(vmcb, VMCB_NESTED_PAGING);
	vmcb_set_nested_cr3(vmcb, vcpu->vm->view_list[0] & POINTER_ADDRESS);
}

/* What XSAVE and FXSAVE need, where another guest comes to run. Elsewhere it would cost: KVM loads XCR0 at every entry to L1
 * then, and computes its CPUID anew. */
static uint64_t fpu_of(const struct vcpu *vcpu)
{
	return CR4_OSFXSR | (monitor_vcpu(vcpu)->cr4.fixed1 & CR4_OSXSAVE);
}

/* L1, as #VMEXIT resumes it: in the relay, with room behind `regs` to push the registers. NPT is walked
 * with L1's EFER.NXE, without which a table entry that forbids execution would be malformed. KVM takes it in
 * the save area of what it is given for the first entry; the relay's VMRUN finds the guest's in memory. */
static void set_host_state(struct vcpu *vcpu)
{
	void *vmcb = nested_control(vcpu);

	memcpy(vmcb, control(vcpu), VMCB_SIZE);
	vmcb_set_cs_selector(vmcb, SS_SEL_CODE);
	vmcb_set_cs_attrib(vmcb, ATTRIBUTES_CODE);
	vmcb_set_cs_limit(vmcb, UINT32_MAX);
#define DATA_SEGMENT(name)                                                                         \
	vmcb_set_##name##_selector(vmcb, SS_SEL_DATA);                                             \
	vmcb_set_##name##_attrib(vmcb, ATTRIBUTES_DATA);                                           \
	vmcb_set_##name##_limit(vmcb, UINT32_MAX)
	DATA_SEGMENT(ss);
	DATA_SEGMENT(ds);
	DATA_SEGMENT(es);
#undef DATA_SEGMENT
	vmcb_set_gdtr_base(vmcb, RELAY_GDT);
	vmcb_set_gdtr_limit(vmcb, SS_SEL_TSS + 15);
	vmcb_set_idtr_base(vmcb, RELAY_IDT);
	vmcb_set_idtr_limit(vmcb, RELAY_IDT_LIMIT);
	vmcb_set_efer(vmcb, EFER_LONG_MODE | EFER_NXE | EFER_SVME);
	vmcb_set_cr0(vmcb, SS_CR0_BASE);
	vmcb_set_cr3(vmcb, RELAY_PML4);
	vmcb_set_cr4(vmcb, CR4_PAE | (vcpu->vm->plan->share_vcpu ? fpu_of(vcpu) : 0));
	vmcb_set_dr6(vmcb, DR6_DEFAULT);
	vmcb_set_dr7(vmcb, DR7_DEFAULT);
	vmcb_set_g_pat(vmcb, PAT_DEFAULT);
	vmcb_set_rflags(vmcb, RFLAGS_FIXED);
	vmcb_set_rip(vmcb, RELAY_IMAGE);
	vmcb_set_rsp(vmcb, monitor_stack(vcpu));
	vmcb_set_rax(vmcb, monitor_control(vcpu));
}

/* A guest that waits for its turn: VMLOAD and VMRUN will find its state in its control structure. */
static void set_guest_state(const struct vcpu *vcpu, const struct kvm_sregs *sregs, const struct kvm_regs *regs)
{
	void *vmcb = control(vcpu);

	vmcb12_set_sregs(vmcb, sregs);
	vmcb_set_dr6(vmcb, DR6_DEFAULT);
	vmcb_set_dr7(vmcb, DR7_DEFAULT);
	vmcb_set_g_pat(vmcb, PAT_DEFAULT);
	vmcb_set_rflags(vmcb, regs->rflags);
	vmcb_set_rip(vmcb, regs->rip);
	vmcb_set_rsp(vmcb, regs->rsp);
	vmcb_set_rax(vmcb, regs->rax);
}

static int lay_down(const struct vcpu *vcpu, const struct kvm_sregs *sregs, struct error *error)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_REGS: %s", strerror(errno));
	set_guest_state(vcpu, sregs, &regs);
	return 0;
}

static int install(struct vcpu *vcpu, struct error *error)
{
	struct control_fault fault;
	bool sound = vmcb12_check(nested_control(vcpu), host_maxphyaddr(vcpu->vm->host), &fault);

	nested_state(vcpu)->header = (struct kvm_nested_state){
		.flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING |
			 KVM_STATE_NESTED_GIF_SET,
		.format = KVM_STATE_NESTED_FORMAT_SVM,
		.hdr.svm.vmcb_pa = monitor_control(vcpu),
	};
	return nested_state_set(vcpu, sound ? NULL : &fault, error);
}

static int vcpu_init(struct vcpu *vcpu, struct error *error)
{
	struct kvm_sregs sregs;
	int rc = monitor_create_vcpu(vcpu, sizeof(union nested_state), &sregs, error);

	if (rc == 0)
		rc = allow(vcpu, &sregs, error);
	if (rc != 0)
		return rc;
	set_controls(vcpu);
	set_host_state(vcpu);
	if (vcpu->vm->leader != vcpu->vm)
		rc = lay_down(vcpu, &sregs, error);
	return rc == 0 ? monitor_begin(vcpu, install, error) : rc;
}

static int vm_prepare_bare(struct vm *vm, struct error *error)
{
	return monitor_prepare(vm, bare_svm_start, bare_svm_end, error);
}

/* The control structure as VMLOAD and VMRUN take it, but for what a VMM has no say in. */
static int vcpu_prepare_bare(struct vcpu *vcpu, struct error *error)
{
	struct kvm_sregs sregs = {0};
	struct kvm_regs regs;
	int rc;

	vcpu_start_state(vcpu, &sregs, &regs);
	sregs.efer |= EFER_SVME;
	rc = monitor_prepare_vcpu(vcpu, sizeof(union nested_state), &sregs, error);
	if (rc != 0)
		return rc;
	set_controls(vcpu);
	set_guest_state(vcpu, &sregs, &regs);
	return 0;
}

static int setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	/* KVM reads the control structure when the relay resumes, and at no other time. */
	if (!vcpu->relay_waits)
		return -EPERM;
	set_operation(vcpu, op);
	return 0;
}

static int view_current(struct vcpu *vcpu)
{
	const void *vmcb = nested_control(vcpu);

	/* While L1 runs, what the next VMRUN will load counts. */
	if (vcpu->relay_waits || nested_state_get(vcpu) != 0)
		vmcb = control(vcpu);
	return monitor_view_of(vcpu->vm, vmcb_nested_cr3(vmcb), POINTER_ADDRESS);
}

/* While L1 runs they are where the next VMRUN will load them from; but FS and GS stay in the vCPU. */
static int guest_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	int rc = vcpu_sregs(vcpu, ret_sregs);

	if (rc == 0 && (vcpu->relay_waits || nested_state_get(vcpu) != 0))
		vmcb12_sregs(control(vcpu), ret_sregs);
	return rc;
}

/* SVM has no read shadow: the relay makes what the guest sees of this and its words. */
static void load_register(struct vcpu *vcpu, unsigned number, uint64_t value)
{
	if (number == 4)
		vmcb_set_cr4(control(vcpu), value);
	else
		vmcb_set_cr0(control(vcpu), value);
}

static const struct monitor_reason reasons[] = {
#define X(reason, event) {VMEXIT_##reason, EVENT_##event},
	SVM_EVENTS(X)
#undef X
};

static void describe_access(struct vcpu *vcpu, struct monitor_exit *exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct kvm_sregs sregs;

	exit->access = svm_access(relay->qualification);
	exit->walk = svm_walk(relay->qualification);
	if (guest_sregs(vcpu, &sregs) != 0)
		return;
	exit->delivery = (uint32_t)vmcb_exit_int_info(control(vcpu));
	exit->cr3 = sregs.cr3;
	exit->mode = cpu_mode_of(&sregs);
}

static void describe(struct vcpu *vcpu, struct monitor_exit *ret_exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);

	*ret_exit = (struct monitor_exit){
		.event = EVENT_UNKNOWN,
		.name = "unexpected #VMEXIT",
		.cpl = (unsigned)vmcb_cpl(control(vcpu)),
	};
	monitor_find_event(vcpu, relay->reason, reasons, sizeof(reasons) / sizeof(reasons[0]),
			   ret_exit);
	/* Without a length the relay has not decoded the instruction: its operand is in memory. */
	if (ret_exit->event == EVENT_CR0_WRITE && relay->length == 0)
		ret_exit->event = EVENT_CR0_OPERAND;
	/* It takes system calls: for exits that something is decoded for, no others. */
	if (ret_exit->event == EVENT_VIOLATION || ret_exit->event == EVENT_CR0_OPERAND)
		describe_access(vcpu, ret_exit);
}

const struct engine_ops engine_svm = {
	MONITOR_OPS,
	.vm_init = vm_init,
	.vcpu_init = vcpu_init,
	.vm_prepare = vm_prepare_bare,
	.vcpu_prepare = vcpu_prepare_bare,
	.vcpu_plan = set_operation,
	.control = control,
	.setup = setup,
	.view_current = view_current,
	.guest_sregs = guest_sregs,
	.describe = describe,
	.msr = svm_msr_answer,
	.load_register = load_register,
};
