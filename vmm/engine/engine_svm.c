/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine_svm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engine/monitor.h"
#include "vmm/engine/relay_exit.h"
#include "vmm/engine/svm_msr.h"
#include "vmm/ledger/hw_reason.h"
#include "vmm/plan/svm_caps.h"
#include "vmm/vm/vcpu.h"

#define CR4_PAE 0x20u
#define RFLAGS_FIXED 2u
#define DR6_DEFAULT 0xffff0ff0u
#define DR7_DEFAULT 0x400u
#define PAT_DEFAULT UINT64_C(0x0007040600070406)
#define POINTER_ADDRESS UINT64_C(0x000ffffffffff000)

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

extern const uint8_t relay_svm_start[], relay_svm_end[];

/* Data of a VM. */
struct svm_vm {
	struct monitor monitor; /* first: vm_monitor() */
	struct svm_caps caps;
};

/* Data of a vCPU: what the ioctls take. */
struct svm_vcpu {
	union {
		struct kvm_nested_state state;
		uint8_t bytes[sizeof(struct kvm_nested_state) + VMCB_SIZE];
	} nested;
};

/* Two pages: host save area, control structure. */
static uint64_t control_region(const struct vcpu *vcpu)
{
	return RELAY_CONTROL + UINT64_C(0x2000) * vcpu->index;
}

/* The control structure in guest memory. Nobody else uses it while the relay waits for an answer. */
static void *control(const struct vcpu *vcpu)
{
	return monitor_at(vm_monitor(vcpu->vm), control_region(vcpu) + 0x1000);
}

static int svm_vm_init(struct vm *vm, struct error *error)
{
	struct svm_vm *data = calloc(1, sizeof(*data));
	char reason[160];
	int rc;

	vm->engine_data = data;
	if (!data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = svm_caps_read(vm->host, &data->caps, reason, sizeof(reason));
	if (rc != 0)
		return error_set(error, rc, STATUS_SKIPPED, "needs: svm; host: %s", reason);
	rc = monitor_create(vm, PAGING_NPT, &data->caps.paging, relay_svm_start,
			    (size_t)(relay_svm_end - relay_svm_start), error);
	if (rc == 0)
		rc = relay_exit_attach(vm, error);
	return rc == 0 ? svm_msr_protect(vm, error) : rc;
}

static void svm_vm_finish(struct vm *vm)
{
	if (!vm->engine_data)
		return;
	monitor_destroy(vm);
	free(vm->engine_data);
	vm->engine_data = NULL;
}

/*
 * Flags that the guest does not own need the write intercept, and the read intercept because the
 * processor shows the register, not a shadow. The selective write intercept would do only if register
 * and shadow were always equal: it compares with the register, so a write that differs from nothing but
 * the shadow would pass unseen.
 */
static void set_cr0_intercepts(void *vmcb, uint64_t masked)
{
	vmcb_set_intercept_cr(vmcb, masked ? VMCB_CR0_READ | VMCB_CR0_WRITE : 0);
}

/* "Enable VM functions" is to receive the #UD that VMFUNC raises. */
static void set_vmfunc(struct vcpu *vcpu, const struct vmfunc_state *state)
{
	vmcb_set_intercept_exceptions(control(vcpu), state->enabled ? VMCB_EXCEPTION_UD : 0);
}

static void set_controls(struct vcpu *vcpu)
{
	struct vmfunc_state state;
	void *vmcb = control(vcpu);

	monitor_setup(vcpu, NULL, &state);
	vmcb_set_intercept_misc1(vmcb, ALWAYS_MISC1);
	vmcb_set_intercept_misc2(vmcb, ALWAYS_MISC2);
	set_cr0_intercepts(vmcb, vcpu->vm->flags->masked);
	set_vmfunc(vcpu, &state);
	vmcb_set_asid(vmcb, 1);
	vmcb_set_nested_ctl(vmcb, VMCB_NESTED_PAGING);
	vmcb_set_nested_cr3(vmcb, vcpu->vm->view_list[0] & POINTER_ADDRESS);
}

/* L1, as #VMEXIT resumes it: in the relay, with room behind `regs` to push the registers. NPT is walked
 * with L1's EFER.NXE, without which a table entry that forbids execution would be malformed. */
static void set_host_state(const struct vcpu *vcpu, void *vmcb)
{
	uint64_t relay = RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * vcpu->index;

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
	vmcb_set_efer(vmcb, EFER_LONG_MODE | EFER_NXE | EFER_SVME);
	vmcb_set_cr0(vmcb, SS_CR0_BASE);
	vmcb_set_cr3(vmcb, RELAY_PML4);
	vmcb_set_cr4(vmcb, CR4_PAE);
	vmcb_set_dr6(vmcb, DR6_DEFAULT);
	vmcb_set_dr7(vmcb, DR7_DEFAULT);
	vmcb_set_g_pat(vmcb, PAT_DEFAULT);
	vmcb_set_rflags(vmcb, RFLAGS_FIXED);
	vmcb_set_rip(vmcb, RELAY_IMAGE);
	vmcb_set_rsp(vmcb, relay + sizeof(((struct relay_vcpu *)0)->regs));
}

/* The vCPU must have EFER.SVME and the host save area before it can be in guest mode; L2 starts with
 * the registers that the vCPU has. */
static int allow_svm(struct vcpu *vcpu, struct error *error)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {{.nmsrs = 1}, {.index = MSR_VM_HSAVE_PA, .data = control_region(vcpu)}};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_SREGS: %s",
				 strerror(errno));
	sregs.efer |= EFER_SVME;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "EFER.SVME cannot be set: %s",
				 strerror(errno));
	if (ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) != 1)
		return error_set(error, -EIO, STATUS_INTERNAL, "VM_HSAVE_PA cannot be set");
	return 0;
}

/* KVM says only "invalid": find out which check did not hold. */
static int translate_verdict(const struct vcpu *vcpu, const struct vmcb12 *vmcb12, int reason,
			     struct error *error)
{
	struct vmcb12_fault fault;

	if (!vmcb12_check(vmcb12, host_maxphyaddr(vcpu->vm->host), &fault))
		return error_set(error, -EINVAL, STATUS_INTERNAL,
				 "KVM refuses the nested state: %s is 0x%" PRIx64 ", but %s", fault.field,
				 fault.value, fault.rule);
	return error_set(error, -EINVAL, STATUS_INTERNAL,
			 "KVM refuses the nested state (%s) though every check that sidestep knows "
			 "holds; the tracepoint kvm:kvm_nested_vmenter_failed names the check",
			 strerror(reason));
}

/* The control area goes to KVM for the first entry; the relay's VMRUN finds it in memory. */
static int install(struct vcpu *vcpu, struct error *error)
{
	struct svm_vcpu *data = vcpu->engine_data;
	struct kvm_nested_state *state = &data->nested.state;
	struct vmcb12 vmcb12;

	memcpy(vmcb12.bytes, control(vcpu), VMCB_SIZE);
	set_host_state(vcpu, vmcb12.bytes);
	vmcb_set_rax(vmcb12.bytes, control_region(vcpu) + 0x1000);
	memset(&data->nested, 0, sizeof(data->nested));
	state->flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING |
		       KVM_STATE_NESTED_GIF_SET;
	state->format = KVM_STATE_NESTED_FORMAT_SVM;
	state->size = sizeof(data->nested);
	state->hdr.svm.vmcb_pa = control_region(vcpu) + 0x1000;
	memcpy(data->nested.bytes + sizeof(*state), vmcb12.bytes, VMCB_SIZE);
	if (ioctl(vcpu->fd, KVM_SET_NESTED_STATE, state) == 0)
		return 0;
	return translate_verdict(vcpu, &vmcb12, errno, error);
}

static int svm_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	int rc;

	vcpu->engine_data = calloc(1, sizeof(struct svm_vcpu));
	if (!vcpu->engine_data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = vcpu_enter_long_mode(vcpu, error);
	if (rc == 0)
		rc = allow_svm(vcpu, error);
	if (rc != 0)
		return rc;
	monitor_vcpu_init(vcpu);
	monitor_vcpu(vcpu)->control = control_region(vcpu) + 0x1000;
	set_controls(vcpu);
	return install(vcpu, error);
}

static void svm_vcpu_finish(struct vcpu *vcpu)
{
	free(vcpu->engine_data);
	vcpu->engine_data = NULL;
}

int engine_svm_get(struct vcpu *vcpu, struct vmcb12 *vmcb12)
{
	struct svm_vcpu *data = vcpu->engine_data;
	struct kvm_nested_state *state = &data->nested.state;

	state->size = sizeof(data->nested);
	if (ioctl(vcpu->fd, KVM_GET_NESTED_STATE, state) != 0)
		return -errno;
	if (state->size < sizeof(data->nested))
		return -ENODATA;
	memcpy(vmcb12->bytes, data->nested.bytes + sizeof(*state), VMCB_SIZE);
	return 0;
}

/* While L1 runs, what the next VMRUN will load counts. */
static int svm_view_current(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	struct vmcb12 vmcb12;
	uint64_t root;

	if (engine_svm_get(vcpu, &vmcb12) == 0)
		root = vmcb_nested_cr3(vmcb12.bytes);
	else
		root = vmcb_nested_cr3(control(vcpu));
	for (size_t i = 0; i < vm->policy.view_count; i++)
		if ((vm->view_list[i] & POINTER_ADDRESS) == root)
			return (int)i;
	return -1;
}

/* While L1 runs they are where the next VMRUN will load them from; but FS and GS stay in the vCPU. */
static int svm_guest_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	struct vmcb12 vmcb12;
	int rc = vcpu_sregs(vcpu, ret_sregs);

	if (rc == 0 && engine_svm_get(vcpu, &vmcb12) != 0)
		vmcb12_sregs(control(vcpu), ret_sregs);
	return rc;
}

/* SVM has no read shadow: the relay's copy is what the guest sees. */
static void svm_load_cr0(struct vcpu *vcpu, uint64_t value, uint64_t shadow)
{
	(void)shadow;
	vmcb_set_cr0(control(vcpu), value);
}

static int svm_setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	struct vmfunc_state state;

	/* KVM reads the control structure when the relay resumes, and at no other time. */
	if (!vcpu->relay_waits)
		return -EPERM;
	monitor_setup(vcpu, op, &state);
	set_cr0_intercepts(control(vcpu), ~monitor_vcpu(vcpu)->owned);
	set_vmfunc(vcpu, &state);
	vcpu->vm->vmfunc = state;
	return 0;
}

/* #VMEXIT codes that our intercepts may give: CODE(number, event). Of #UD the relay passes on only
 * VMFUNC. */
#define SVM_CODES(X)                                                                               \
	X(VMEXIT_EXCEPTION_UD, VMFUNC)                                                             \
	X(VMEXIT_CPUID, UNKNOWN)                                                                   \
	X(VMEXIT_CR0_READ, CR0_OPERAND)                                                            \
	X(VMEXIT_CR0_WRITE, CR0_WRITE)                                                             \
	X(VMEXIT_INVLPGA, UNDEFINED)                                                               \
	X(VMEXIT_SHUTDOWN, TRIPLE_FAULT)                                                           \
	X(VMEXIT_VMRUN, UNDEFINED)                                                                 \
	X(VMEXIT_VMMCALL, HYPERCALL)                                                               \
	X(VMEXIT_VMLOAD, UNDEFINED)                                                                \
	X(VMEXIT_VMSAVE, UNDEFINED)                                                                \
	X(VMEXIT_STGI, UNDEFINED)                                                                  \
	X(VMEXIT_CLGI, UNDEFINED)                                                                  \
	X(VMEXIT_SKINIT, UNDEFINED)                                                                \
	X(VMEXIT_NPF, VIOLATION)                                                                   \
	X(VMEXIT_INVALID, UNKNOWN)

static struct monitor_exit find_code(uint64_t code)
{
	static const struct {
		uint64_t code;
		enum monitor_event event;
	} rows[] = {
#define X(number, event) {number, EVENT_##event},
		SVM_CODES(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return (struct monitor_exit){.event = rows[i].event,
						     .name = hw_reason_name(ISA_SVM, code)};
	return (struct monitor_exit){.event = EVENT_UNKNOWN, .name = "unexpected #VMEXIT"};
}

/* EXITINFO1 of a nested page fault: in the guest's page tables. */
#define NPF_WALK 33

/* EXITINFO1 of a nested page fault is a page-fault error code: bit 1 write, bit 4 fetch (AMD APM
 * vol. 2, 15.25.6). */
static unsigned access_of(uint64_t error_code)
{
	return error_code & 2 ? VIEW_WRITE : error_code & 16 ? VIEW_EXECUTE : VIEW_READ;
}

static void svm_describe(struct vcpu *vcpu, struct monitor_exit *ret_exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct monitor_exit exit = find_code(relay->reason);
	struct kvm_sregs sregs = {0};

	/* Without a length the relay has not decoded the instruction: its operand is in memory. */
	if (exit.event == EVENT_CR0_WRITE && relay->length == 0)
		exit.event = EVENT_CR0_OPERAND;
	exit.access = access_of(relay->qualification);
	exit.walk = relay->qualification >> NPF_WALK & 1;
	exit.delivery = (uint32_t)vmcb_exit_int_info(control(vcpu));
	exit.cr3 = vmcb_cr3(control(vcpu));
	/* A system call: for exits that something is decoded for, no others. */
	if (exit.event == EVENT_VIOLATION || exit.event == EVENT_CR0_OPERAND) {
		vcpu_sregs(vcpu, &sregs);
		vmcb12_sregs(control(vcpu), &sregs);
		exit.mode = cpu_mode_of(&sregs);
	}
	exit.cpl = (unsigned)vmcb_cpl(control(vcpu));
	*ret_exit = exit;
}

const struct engine_ops engine_svm = {
	.vm_init = svm_vm_init,
	.vm_finish = svm_vm_finish,
	.vcpu_init = svm_vcpu_init,
	.vcpu_finish = svm_vcpu_finish,
	.check_rights = monitor_check_rights,
	.rights_changed = monitor_rights_changed,
	.setup = svm_setup,
	.view_current = svm_view_current,
	.guest_sregs = svm_guest_sregs,
	.drain = monitor_drain,
	.drain_finished = monitor_drain_finished,
	.describe = svm_describe,
	.msr = svm_msr_answer,
	.load_cr0 = svm_load_cr0,
};
