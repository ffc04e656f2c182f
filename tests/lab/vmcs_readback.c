/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the Intel lab: every field of vmcs12.def is read by the relay with VMREAD and must be what
 * KVM_GET_NESTED_STATE shows at the field's offset at that moment. A wrong encoding or offset in the
 * table shows here. Exit status 0, 1, or 77 where the engine cannot run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/command/session.h"
#include "vmm/engine/monitor.h"
#include "vmm/engine/vmcs12.h"

static struct vmcs12 installed, shown;
static bool snapshot_taken;

/* Values that differ between fields, so that a swap shows; none of these matters while L1 runs. */
static const struct {
	enum vmcs12_field field;
	uint64_t value;
} marks[] = {
	{VMCS12_guest_sysenter_cs, 0x11}, {VMCS12_guest_sysenter_esp, 0x2200},
	{VMCS12_guest_sysenter_eip, 0x3300}, {VMCS12_cr3_target_count, 0},
	{VMCS12_host_ia32_sysenter_esp, 0x4400}, {VMCS12_host_ia32_sysenter_eip, 0x5500},
	{VMCS12_host_ia32_sysenter_cs, 0x66}, {VMCS12_page_fault_error_code_mask, 0},
	{VMCS12_tsc_offset, 0}, {VMCS12_exception_bitmap, 0},
};

/* The first hypercall has the relay write the marks, the second has it read everything. */
static void hook(struct vcpu *vcpu)
{
	static unsigned calls;
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (calls++ == 0) {
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			monitor_write(vcpu, vmcs12_rows[marks[i].field].encoding, marks[i].value);
		return;
	}
	if (snapshot_taken || nested_state_get(vcpu) != 0)
		return;
	memcpy(&shown, nested_control(vcpu), sizeof(shown));
	snapshot_taken = true;
	for (int i = 0; i < VMCS12_FIELD_COUNT; i++)
		monitor_write(vcpu, vmcs12_rows[i].encoding, 0);
	relay->action = RELAY_READ;
	/* Nothing may ask the relay to write again before we have looked. */
	vcpu->vm->on_null_hypercall = NULL;
}

static int compare(const struct relay_vcpu *relay)
{
	int wrong = 0;

	for (int i = 0; i < VMCS12_FIELD_COUNT; i++) {
		uint64_t wanted = vmcs12_get(&shown, (enum vmcs12_field)i);
		const struct relay_write *read = &relay->writes[i];

		if (!read->failed && read->value == wanted)
			continue;
		wrong++;
		printf("not ok - %s (0x%x): VMREAD %s0x%" PRIx64 ", vmcs12 has 0x%" PRIx64 "\n",
		       vmcs12_rows[i].name, vmcs12_rows[i].encoding,
		       read->failed ? "failed, " : "", read->value, wanted);
	}
	return wrong;
}

/* What was installed and nobody changes must have arrived. */
static int check_installed(void)
{
	static const enum vmcs12_field fixed[] = {
		VMCS12_host_rip, VMCS12_host_cr3, VMCS12_host_rsp, VMCS12_eptp_list_address,
		VMCS12_msr_bitmap, VMCS12_vm_function_control, VMCS12_vm_entry_controls,
		VMCS12_vm_exit_controls, VMCS12_cr4_guest_host_mask, VMCS12_virtual_processor_id,
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (vmcs12_get(&installed, fixed[i]) != vmcs12_get(&shown, fixed[i])) {
			printf("not ok - %s did not arrive\n", vmcs12_rows[fixed[i]].name);
			wrong++;
		}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (vmcs12_get(&shown, marks[i].field) != marks[i].value) {
			printf("not ok - %s written by VMWRITE did not arrive\n",
			       vmcs12_rows[marks[i].field].name);
			wrong++;
		}
	return wrong;
}

int main(void)
{
	static const char *const patterns[] = {"hypercall.null.vmm"};
	struct settings settings = {
		.plan = {.engine = "vmx", .vcpus = 1, .vms = 1, .iterations = 10,
			 .timeout_ms = 60000, .patterns = patterns, .pattern_count = 1},
	};
	static struct session session;
	struct error error = {0};
	int wrong = 1;

	if (session_start(&session, &settings, -1, &error) == 0) {
		const struct vcpu *vcpu = &session.machine.vms[0].vcpus[0];

		/* What KVM was given is there until KVM is asked. */
		memcpy(&installed, nested_control(vcpu), sizeof(installed));
		session.machine.vms[0].on_null_hypercall = hook;
		if (session_run(&session, false, &error) == 0 && snapshot_taken) {
			wrong = compare(monitor_vcpu(vcpu)) + check_installed();
			printf("%d fields read back, %d wrong\n", VMCS12_FIELD_COUNT, wrong);
		}
	}
	session_finish(&session);
	if (error.text[0])
		return error_report(&error) == STATUS_SKIPPED ? 77 : 99;
	return wrong != 0;
}
