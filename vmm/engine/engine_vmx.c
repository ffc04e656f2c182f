/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine_vmx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engine/monitor.h"
#include "vmm/engine/relay_exit.h"
#include "vmm/engine/monitor_msr.h"
#include "vmm/ledger/hw_reason.h"
#include "vmm/plan/vmx_caps.h"
#include "vmm/vm/vcpu.h"

#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_CONTROL_VMX 5 /* locked, VMX outside SMX */
#define CR4_VMXE 0x2000u
#define CR4_PAE 0x20u
#define CR4_OSXSAVE 0x40000u
#define EFER_LONG_MODE 0x500u
#define SHADOW_VMCS_SIZE 4096

/* Access rights of segments (Intel SDM vol. 3C, 25.4.1). */
#define RIGHTS_CODE 0xa09b
#define RIGHTS_DATA 0xc093
#define RIGHTS_TSS 0x8b
#define RIGHTS_UNUSABLE 0x10000

extern const uint8_t relay_vmx_start[], relay_vmx_end[];

/* Data of a VM. */
struct vmx_vm {
	struct monitor monitor; /* first: vm_monitor() */
	struct vmx_caps caps;
};

/* Data of a vCPU. `nested` is what the ioctls take: header, vmcs12, room for a shadow VMCS. */
struct vmx_vcpu {
	struct vmx_caps caps; /* those of the VM, less what its CPUID has taken away */
	struct vmcs12 installed;
	union {
		struct kvm_nested_state state;
		uint8_t bytes[sizeof(struct kvm_nested_state) + VMCS12_SIZE + SHADOW_VMCS_SIZE];
	} nested;
};

static uint64_t control_region(const struct vcpu *vcpu)
{
	return RELAY_CONTROL + UINT64_C(0x2000) * vcpu->index;
}

static const struct vmx_caps *vm_caps(const struct vm *vm)
{
	return &((const struct vmx_vm *)vm->engine_data)->caps;
}

static const struct vmx_caps *vcpu_caps(const struct vcpu *vcpu)
{
	return &((const struct vmx_vcpu *)vcpu->engine_data)->caps;
}

static int vmx_vm_init(struct vm *vm, struct error *error)
{
	struct vmx_vm *data = calloc(1, sizeof(*data));
	char reason[160];
	int rc;

	vm->engine_data = data;
	if (!data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = vmx_caps_read(vm->host->kvm, host_maxphyaddr(vm->host), &data->caps, reason,
			   sizeof(reason));
	if (rc != 0)
		return error_set(error, rc, STATUS_SKIPPED, "needs: vmx; host: %s", reason);
	rc = monitor_create(vm, PAGING_EPT, &data->caps.paging, relay_vmx_start,
			    (size_t)(relay_vmx_end - relay_vmx_start), error);
	if (rc == 0)
		rc = relay_exit_attach(vm, error);
	return rc == 0 ? monitor_msr_protect(vm, NULL, 0, error) : rc;
}

static void vmx_vm_finish(struct vm *vm)
{
	if (!vm->engine_data)
		return;
	monitor_destroy(vm);
	free(vm->engine_data);
	vm->engine_data = NULL;
}

/* Without any service VM functions are off. */
static uint32_t secondary_controls(const struct vcpu *vcpu, const struct vmfunc_state *state)
{
	uint32_t secondary = vcpu_caps(vcpu)->controls[VMX_WORD_secondary];

	return state->enabled ? secondary : secondary & ~(uint32_t)VMX_VMFUNC;
}

static void set_controls(struct vcpu *vcpu, struct vmcs12 *vmcs12)
{
	const struct vm *vm = vcpu->vm;
	const uint32_t *controls = vcpu_caps(vcpu)->controls;
	struct vmfunc_state state;

	monitor_setup(vcpu, NULL, &state);
	vmcs12_set(vmcs12, VMCS12_pin_based_vm_exec_control, controls[VMX_WORD_pin]);
	vmcs12_set(vmcs12, VMCS12_cpu_based_vm_exec_control, controls[VMX_WORD_primary]);
	vmcs12_set(vmcs12, VMCS12_secondary_vm_exec_control, secondary_controls(vcpu, &state));
	vmcs12_set(vmcs12, VMCS12_vm_exit_controls, controls[VMX_WORD_exit]);
	vmcs12_set(vmcs12, VMCS12_vm_entry_controls, controls[VMX_WORD_entry]);
	vmcs12_set(vmcs12, VMCS12_msr_bitmap, RELAY_MSR_BITMAP);
	vmcs12_set(vmcs12, VMCS12_virtual_processor_id,
		   controls[VMX_WORD_secondary] & VMX_VPID ? vcpu->index + 1 : 0);
	vmcs12_set(vmcs12, VMCS12_ept_pointer, vm->view_list[0]);
	vmcs12_set(vmcs12, VMCS12_vm_function_control, state.function_controls);
	vmcs12_set(vmcs12, VMCS12_eptp_list_address, RELAY_EPTP_LIST);
	vmcs12_set(vmcs12, VMCS12_vmcs_link_pointer, UINT64_MAX);
	/* The guest must run with CR4.VMXE set, and must not see that. */
	vmcs12_set(vmcs12, VMCS12_cr4_guest_host_mask, CR4_VMXE);
	vmcs12_set(vmcs12, VMCS12_cr0_guest_host_mask, vm->flags->masked);
	vmcs12_set(vmcs12, VMCS12_cr0_read_shadow, monitor_vcpu(vcpu)->shadow);
}

/* What an exit loads: the relay's entry, with room behind `regs` to push the registers. */
static void set_host_state(const struct vcpu *vcpu, struct vmcs12 *vmcs12)
{
	uint64_t relay = RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * vcpu->index;

	vmcs12_set(vmcs12, VMCS12_host_cr0, SS_CR0_BASE);
	vmcs12_set(vmcs12, VMCS12_host_cr3, RELAY_PML4);
	/* For the XSETBV of a guest, which the relay carries out. */
	vmcs12_set(vmcs12, VMCS12_host_cr4,
		   CR4_PAE | CR4_VMXE | (vcpu_caps(vcpu)->cr4_fixed1 & CR4_OSXSAVE));
	vmcs12_set(vmcs12, VMCS12_host_ia32_efer, EFER_LONG_MODE);
	vmcs12_set(vmcs12, VMCS12_host_cs_selector, SS_SEL_CODE);
	vmcs12_set(vmcs12, VMCS12_host_ss_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_ds_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_es_selector, SS_SEL_DATA);
	vmcs12_set(vmcs12, VMCS12_host_tr_selector, SS_SEL_TSS);
	vmcs12_set(vmcs12, VMCS12_host_tr_base, RELAY_TSS);
	vmcs12_set(vmcs12, VMCS12_host_gdtr_base, RELAY_GDT);
	vmcs12_set(vmcs12, VMCS12_host_rip, RELAY_IMAGE);
	vmcs12_set(vmcs12, VMCS12_host_rsp, relay + sizeof(((struct relay_vcpu *)0)->regs));
}

struct segment_fields {
	enum vmcs12_field selector, base, limit, rights;
};

#define SEGMENT(name)                                                                              \
	{VMCS12_guest_##name##_selector, VMCS12_guest_##name##_base, VMCS12_guest_##name##_limit,  \
	 VMCS12_guest_##name##_ar_bytes}

static void set_segment(struct vmcs12 *vmcs12, const struct segment_fields *fields,
			const struct kvm_segment *segment, uint32_t rights)
{
	vmcs12_set(vmcs12, fields->selector, segment->selector);
	vmcs12_set(vmcs12, fields->base, segment->base);
	vmcs12_set(vmcs12, fields->limit, segment->limit);
	vmcs12_set(vmcs12, fields->rights, rights);
}

/* The state that vcpu_enter_long_mode() has given the vCPU becomes that of L2. */
static void set_guest_state(struct vmcs12 *vmcs12, const struct kvm_sregs *sregs,
			    const struct kvm_regs *regs)
{
	static const struct segment_fields cs = SEGMENT(cs), ss = SEGMENT(ss), ds = SEGMENT(ds),
					   es = SEGMENT(es), fs = SEGMENT(fs), gs = SEGMENT(gs),
					   ldtr = SEGMENT(ldtr), tr = SEGMENT(tr);

	set_segment(vmcs12, &cs, &sregs->cs, RIGHTS_CODE);
	set_segment(vmcs12, &ss, &sregs->ss, RIGHTS_DATA);
	set_segment(vmcs12, &ds, &sregs->ds, RIGHTS_DATA);
	set_segment(vmcs12, &es, &sregs->es, RIGHTS_DATA);
	set_segment(vmcs12, &fs, &sregs->fs, RIGHTS_DATA);
	set_segment(vmcs12, &gs, &sregs->gs, RIGHTS_DATA);
	set_segment(vmcs12, &ldtr, &sregs->ldt, RIGHTS_UNUSABLE);
	set_segment(vmcs12, &tr, &sregs->tr, RIGHTS_TSS);
	vmcs12_set(vmcs12, VMCS12_guest_gdtr_base, sregs->gdt.base);
	vmcs12_set(vmcs12, VMCS12_guest_gdtr_limit, sregs->gdt.limit);
	vmcs12_set(vmcs12, VMCS12_guest_cr0, sregs->cr0);
	vmcs12_set(vmcs12, VMCS12_guest_cr3, sregs->cr3);
	vmcs12_set(vmcs12, VMCS12_guest_cr4, sregs->cr4 | CR4_VMXE);
	vmcs12_set(vmcs12, VMCS12_cr4_read_shadow, sregs->cr4);
	vmcs12_set(vmcs12, VMCS12_guest_ia32_efer, sregs->efer);
	vmcs12_set(vmcs12, VMCS12_guest_dr7, 0x400);
	vmcs12_set(vmcs12, VMCS12_guest_rip, regs->rip);
	vmcs12_set(vmcs12, VMCS12_guest_rsp, regs->rsp);
	vmcs12_set(vmcs12, VMCS12_guest_rflags, regs->rflags);
}

static int allow_vmx(struct vcpu *vcpu, struct error *error)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {{.nmsrs = 1}, {.index = MSR_FEATURE_CONTROL, .data = FEATURE_CONTROL_VMX}};

	if (ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) == 1)
		return 0;
	return error_set(error, -EIO, STATUS_INTERNAL, "IA32_FEATURE_CONTROL cannot be set");
}

/* KVM says only "invalid": find out which check did not hold. */
static int translate_verdict(const struct vcpu *vcpu, const struct vmcs12 *vmcs12, int result,
			     struct error *error)
{
	struct vmcs12_fault fault;

	if (!vmcs12_check(vmcs12, vcpu_caps(vcpu), &fault))
		return error_set(error, -EINVAL, STATUS_INTERNAL,
				 "KVM refuses the nested state: %s is 0x%" PRIx64 ", but %s", fault.field,
				 fault.value, fault.rule);
	return error_set(error, -EINVAL, STATUS_INTERNAL,
			 "KVM refuses the nested state (%s) though every check that sidestep knows "
			 "holds; the tracepoint kvm:kvm_nested_vmenter_failed names the one",
			 result > 0 ? "VM entry failed" : strerror(-result));
}

/* A positive result is a failure too: KVM returns an enumerator there. */
static int install(struct vcpu *vcpu, const struct vmcs12 *vmcs12, struct error *error)
{
	struct vmx_vcpu *data = vcpu->engine_data;
	struct kvm_nested_state *state = &data->nested.state;
	int result;

	memset(&data->nested, 0, sizeof(data->nested));
	state->flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING;
	state->format = KVM_STATE_NESTED_FORMAT_VMX;
	state->size = sizeof(*state) + VMCS12_SIZE;
	state->hdr.vmx.vmxon_pa = control_region(vcpu);
	state->hdr.vmx.vmcs12_pa = control_region(vcpu) + 0x1000;
	memcpy(data->nested.bytes + sizeof(*state), vmcs12->bytes, VMCS12_SIZE);
	result = ioctl(vcpu->fd, KVM_SET_NESTED_STATE, state);
	if (result == 0)
		return 0;
	return translate_verdict(vcpu, vmcs12, result < 0 ? -errno : result, error);
}

static int vmx_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	struct vmx_vcpu *data = calloc(1, sizeof(*data));
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	char reason[160];
	int rc;

	vcpu->engine_data = data;
	if (!data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = vcpu_enter_long_mode(vcpu, error);
	if (rc == 0)
		rc = allow_vmx(vcpu, error);
	if (rc != 0)
		return rc;
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0 || ioctl(vcpu->fd, KVM_GET_REGS, &regs) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_SREGS: %s",
				 strerror(errno));
	rc = vmx_caps_read(vcpu->fd, host_maxphyaddr(vcpu->vm->host), &data->caps, reason,
			   sizeof(reason));
	if (rc != 0)
		return error_set(error, rc, STATUS_SKIPPED, "needs: vmx; host: %s", reason);
	monitor_vcpu_init(vcpu);
	monitor_vcpu(vcpu)->cr0_fixed0 = data->caps.cr0_fixed0;
	monitor_vcpu(vcpu)->cr0_fixed1 = data->caps.cr0_fixed1;
	vmcs12_init(&data->installed);
	set_controls(vcpu, &data->installed);
	set_host_state(vcpu, &data->installed);
	set_guest_state(&data->installed, &sregs, &regs);
	return install(vcpu, &data->installed, error);
}

static void vmx_vcpu_finish(struct vcpu *vcpu)
{
	free(vcpu->engine_data);
	vcpu->engine_data = NULL;
}

int engine_vmx_get(struct vcpu *vcpu, struct vmcs12 *vmcs12)
{
	struct vmx_vcpu *data = vcpu->engine_data;
	struct kvm_nested_state *state = &data->nested.state;

	state->size = sizeof(data->nested);
	if (ioctl(vcpu->fd, KVM_GET_NESTED_STATE, state) != 0)
		return -errno;
	if (state->size < sizeof(*state) + VMCS12_SIZE)
		return -ENODATA;
	memcpy(vmcs12->bytes, data->nested.bytes + sizeof(*state), VMCS12_SIZE);
	return 0;
}

const struct vmcs12 *engine_vmx_installed(const struct vcpu *vcpu)
{
	return &((const struct vmx_vcpu *)vcpu->engine_data)->installed;
}

static int vmx_view_current(struct vcpu *vcpu)
{
	struct vmcs12 vmcs12;

	/* The relay has said so when it passed the exit on. */
	if (vcpu->relay_waits)
		return monitor_view_of(vcpu->vm, monitor_vcpu(vcpu)->pointer);
	if (engine_vmx_get(vcpu, &vmcs12) != 0)
		return -1;
	return monitor_view_of(vcpu->vm, vmcs12_get(&vmcs12, VMCS12_ept_pointer));
}

/* In vmcs12 they are as they were at the last exit to the relay. */
static int vmx_guest_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	const struct vmx_vcpu *data = vcpu->engine_data;
	struct vmcs12 vmcs12;
	int rc = engine_vmx_get(vcpu, &vmcs12);

	if (rc != 0)
		return rc;
	if (data->nested.state.flags & KVM_STATE_NESTED_GUEST_MODE)
		return vcpu_sregs(vcpu, ret_sregs);
	vmcs12_sregs(&vmcs12, ret_sregs);
	return 0;
}

static int write_field(struct vcpu *vcpu, enum vmcs12_field field, uint64_t value)
{
	return monitor_write(vcpu, vmcs12_rows[field].encoding, value);
}

static void vmx_load_cr0(struct vcpu *vcpu, uint64_t value, uint64_t shadow)
{
	write_field(vcpu, VMCS12_guest_cr0, value);
	write_field(vcpu, VMCS12_cr0_read_shadow, shadow);
}

/* An address that is legal but has no memory slot. */
static uint64_t unbacked_page(const struct vm *vm)
{
	return ((UINT64_C(1) << vm_caps(vm)->maxphyaddr) - 1) & ~UINT64_C(0xfff);
}

static int vmx_setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	struct vm *vm = vcpu->vm;
	struct vmfunc_state state;

	/* Only the relay can write the control structure, and only while it has our attention. */
	if (!vcpu->relay_waits)
		return -EPERM;
	monitor_setup(vcpu, op, &state);
	write_field(vcpu, VMCS12_cr0_guest_host_mask, ~monitor_vcpu(vcpu)->owned);
	write_field(vcpu, VMCS12_cr0_read_shadow, monitor_vcpu(vcpu)->shadow);
	write_field(vcpu, VMCS12_vm_function_control, state.function_controls);
	write_field(vcpu, VMCS12_secondary_vm_exec_control, secondary_controls(vcpu, &state));
	write_field(vcpu, VMCS12_eptp_list_address,
		    state.list == vm_monitor(vm)->list ? RELAY_EPTP_LIST : unbacked_page(vm));
	vm->vmfunc = state;
	return 0;
}

/* Exit reasons that KVM may reflect with our controls: REASON(NAME, event). */
#define VMX_REASONS(X)                                                                             \
	X(TRIPLE_FAULT, TRIPLE_FAULT)                                                              \
	X(TASK_SWITCH, UNKNOWN)                                                                    \
	X(CPUID, UNKNOWN)                                                                          \
	X(GETSEC, UNDEFINED)                                                                       \
	X(INVD, IGNORED)                                                                           \
	X(VMCALL, HYPERCALL)                                                                       \
	X(VMCLEAR, UNDEFINED)                                                                      \
	X(VMLAUNCH, UNDEFINED)                                                                     \
	X(VMPTRLD, UNDEFINED)                                                                      \
	X(VMPTRST, UNDEFINED)                                                                      \
	X(VMREAD, UNDEFINED)                                                                       \
	X(VMRESUME, UNDEFINED)                                                                     \
	X(VMWRITE, UNDEFINED)                                                                      \
	X(VMXOFF, UNDEFINED)                                                                       \
	X(VMXON, UNDEFINED)                                                                        \
	X(CONTROL_REGISTER_ACCESS, CR0_WRITE)                                                      \
	X(RDMSR, PROTECTED) /* one that no bitmap has: the guest has none of these */              \
	X(WRMSR, PROTECTED)                                                                        \
	X(ENTRY_INVALID_STATE, UNKNOWN)                                                            \
	X(ENTRY_MSR_LOADING, UNKNOWN)                                                              \
	X(EPT_VIOLATION, VIOLATION)                                                                \
	X(EPT_MISCONFIGURATION, UNKNOWN)                                                           \
	X(INVEPT, UNDEFINED)                                                                       \
	X(INVVPID, UNDEFINED)                                                                      \
	X(XSETBV, UNKNOWN)                                                                         \
	X(VMFUNC, VMFUNC)                                                                          \
	X(SEAMCALL, UNDEFINED)                                                                     \
	X(TDCALL, UNDEFINED)

static struct monitor_exit find_reason(uint64_t reason)
{
	static const struct {
		uint16_t reason;
		enum monitor_event event;
	} rows[] = {
#define X(name, event) {VMX_REASON_##name, EVENT_##event},
		VMX_REASONS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].reason == (reason & 0xffff))
			return (struct monitor_exit){.event = rows[i].event,
						     .name = hw_reason_name(ISA_VMX, reason)};
	return (struct monitor_exit){.event = EVENT_UNKNOWN, .name = "unexpected VM exit"};
}

/* Exit qualification of an EPT violation: bits 2:0 are read, write, fetch (SDM vol. 3C, 28.2.1). */
static unsigned access_of(uint64_t qualification)
{
	return qualification & 2 ? VIEW_WRITE : qualification & 4 ? VIEW_EXECUTE : VIEW_READ;
}

/* Bits 7 and 8: the linear address is valid, and the access was to what it translates to. */
static void describe_violation(struct vcpu *vcpu, struct monitor_exit *exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct kvm_sregs sregs;
	struct vmcs12 vmcs12;

	exit->access = access_of(relay->qualification);
	exit->gva_known = relay->qualification & 0x80;
	exit->walk = exit->gva_known && !(relay->qualification & 0x100);
	exit->gva = relay->gla;
	if (engine_vmx_get(vcpu, &vmcs12) != 0)
		return;
	vmcs12_sregs(&vmcs12, &sregs);
	exit->mode = cpu_mode_of(&sregs);
	exit->cr3 = sregs.cr3;
	exit->cpl = (unsigned)(vmcs12_get(&vmcs12, VMCS12_guest_ss_ar_bytes) >> 5 & 3);
	exit->delivery = (uint32_t)vmcs12_get(&vmcs12, VMCS12_idt_vectoring_info_field);
}

static void vmx_describe(struct vcpu *vcpu, struct monitor_exit *ret_exit)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct monitor_exit exit = find_reason(relay->reason);

	if (relay->reason == RELAY_REASON_RESUME_FAILED)
		exit = (struct monitor_exit){.event = EVENT_UNKNOWN,
					     .name = "VMRESUME failed, VM-instruction error"};
	/* Of control registers only CR0 has a decision; CR4.VMXE is not the guest's to set. */
	if (exit.event == EVENT_CR0_WRITE && (relay->qualification & 15) != 0)
		exit.event = EVENT_PROTECTED;
	exit.cpl = (unsigned)relay->cpl;
	if (exit.event == EVENT_VIOLATION)
		describe_violation(vcpu, &exit);
	*ret_exit = exit;
}

const struct engine_ops engine_vmx = {
	.vm_init = vmx_vm_init,
	.vm_finish = vmx_vm_finish,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_finish = vmx_vcpu_finish,
	.check_rights = monitor_check_rights,
	.rights_changed = monitor_rights_changed,
	.setup = vmx_setup,
	.view_current = vmx_view_current,
	.guest_sregs = vmx_guest_sregs,
	.drain = monitor_drain,
	.drain_finished = monitor_drain_finished,
	.describe = vmx_describe,
	.load_cr0 = vmx_load_cr0,
};
