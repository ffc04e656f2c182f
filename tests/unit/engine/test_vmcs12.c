/* SPDX-License-Identifier: GPL-2.0-only */
/* The vmcs12 table against KVM's layout, the consistency checks, the controls. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "vmm/engine/vmcs12.h"

/* As in arch/x86/kvm/vmx/vmcs12.h (Linux 6.1 and 6.12) and the Intel SDM, vol. 3D, appendix B; typed
 * here once more, so that the table cannot change unnoticed. */
static const struct vmcs12_row documented[] = {
	{"io_bitmap_a", 0x2000, 40, 8},
	{"io_bitmap_b", 0x2002, 48, 8},
	{"msr_bitmap", 0x2004, 56, 8},
	{"vm_exit_msr_store_addr", 0x2006, 64, 8},
	{"vm_exit_msr_load_addr", 0x2008, 72, 8},
	{"vm_entry_msr_load_addr", 0x200a, 80, 8},
	{"tsc_offset", 0x2010, 88, 8},
	{"virtual_apic_page_addr", 0x2012, 96, 8},
	{"apic_access_addr", 0x2014, 104, 8},
	{"posted_intr_desc_addr", 0x2016, 112, 8},
	{"ept_pointer", 0x201a, 120, 8},
	{"eoi_exit_bitmap0", 0x201c, 128, 8},
	{"eoi_exit_bitmap1", 0x201e, 136, 8},
	{"eoi_exit_bitmap2", 0x2020, 144, 8},
	{"eoi_exit_bitmap3", 0x2022, 152, 8},
	{"xss_exit_bitmap", 0x202c, 160, 8},
	{"guest_physical_address", 0x2400, 168, 8},
	{"vmcs_link_pointer", 0x2800, 176, 8},
	{"guest_ia32_debugctl", 0x2802, 184, 8},
	{"guest_ia32_pat", 0x2804, 192, 8},
	{"guest_ia32_efer", 0x2806, 200, 8},
	{"guest_ia32_perf_global_ctrl", 0x2808, 208, 8},
	{"guest_pdptr0", 0x280a, 216, 8},
	{"guest_pdptr1", 0x280c, 224, 8},
	{"guest_pdptr2", 0x280e, 232, 8},
	{"guest_pdptr3", 0x2810, 240, 8},
	{"guest_bndcfgs", 0x2812, 248, 8},
	{"host_ia32_pat", 0x2c00, 256, 8},
	{"host_ia32_efer", 0x2c02, 264, 8},
	{"host_ia32_perf_global_ctrl", 0x2c04, 272, 8},
	{"vmread_bitmap", 0x2026, 280, 8},
	{"vmwrite_bitmap", 0x2028, 288, 8},
	{"vm_function_control", 0x2018, 296, 8},
	{"eptp_list_address", 0x2024, 304, 8},
	{"pml_address", 0x200e, 312, 8},
	{"encls_exiting_bitmap", 0x202e, 320, 8},
	{"tsc_multiplier", 0x2032, 328, 8},
	{"cr0_guest_host_mask", 0x6000, 344, 8},
	{"cr4_guest_host_mask", 0x6002, 352, 8},
	{"cr0_read_shadow", 0x6004, 360, 8},
	{"cr4_read_shadow", 0x6006, 368, 8},
	{"exit_qualification", 0x6400, 408, 8},
	{"guest_linear_address", 0x640a, 416, 8},
	{"guest_cr0", 0x6800, 424, 8},
	{"guest_cr3", 0x6802, 432, 8},
	{"guest_cr4", 0x6804, 440, 8},
	{"guest_es_base", 0x6806, 448, 8},
	{"guest_cs_base", 0x6808, 456, 8},
	{"guest_ss_base", 0x680a, 464, 8},
	{"guest_ds_base", 0x680c, 472, 8},
	{"guest_fs_base", 0x680e, 480, 8},
	{"guest_gs_base", 0x6810, 488, 8},
	{"guest_ldtr_base", 0x6812, 496, 8},
	{"guest_tr_base", 0x6814, 504, 8},
	{"guest_gdtr_base", 0x6816, 512, 8},
	{"guest_idtr_base", 0x6818, 520, 8},
	{"guest_dr7", 0x681a, 528, 8},
	{"guest_rsp", 0x681c, 536, 8},
	{"guest_rip", 0x681e, 544, 8},
	{"guest_rflags", 0x6820, 552, 8},
	{"guest_pending_dbg_exceptions", 0x6822, 560, 8},
	{"guest_sysenter_esp", 0x6824, 568, 8},
	{"guest_sysenter_eip", 0x6826, 576, 8},
	{"host_cr0", 0x6c00, 584, 8},
	{"host_cr3", 0x6c02, 592, 8},
	{"host_cr4", 0x6c04, 600, 8},
	{"host_fs_base", 0x6c06, 608, 8},
	{"host_gs_base", 0x6c08, 616, 8},
	{"host_tr_base", 0x6c0a, 624, 8},
	{"host_gdtr_base", 0x6c0c, 632, 8},
	{"host_idtr_base", 0x6c0e, 640, 8},
	{"host_ia32_sysenter_esp", 0x6c10, 648, 8},
	{"host_ia32_sysenter_eip", 0x6c12, 656, 8},
	{"host_rsp", 0x6c14, 664, 8},
	{"host_rip", 0x6c16, 672, 8},
	{"pin_based_vm_exec_control", 0x4000, 744, 4},
	{"cpu_based_vm_exec_control", 0x4002, 748, 4},
	{"exception_bitmap", 0x4004, 752, 4},
	{"page_fault_error_code_mask", 0x4006, 756, 4},
	{"page_fault_error_code_match", 0x4008, 760, 4},
	{"cr3_target_count", 0x400a, 764, 4},
	{"vm_exit_controls", 0x400c, 768, 4},
	{"vm_exit_msr_store_count", 0x400e, 772, 4},
	{"vm_exit_msr_load_count", 0x4010, 776, 4},
	{"vm_entry_controls", 0x4012, 780, 4},
	{"vm_entry_msr_load_count", 0x4014, 784, 4},
	{"vm_entry_intr_info_field", 0x4016, 788, 4},
	{"vm_entry_exception_error_code", 0x4018, 792, 4},
	{"vm_entry_instruction_len", 0x401a, 796, 4},
	{"tpr_threshold", 0x401c, 800, 4},
	{"secondary_vm_exec_control", 0x401e, 804, 4},
	{"vm_instruction_error", 0x4400, 808, 4},
	{"vm_exit_reason", 0x4402, 812, 4},
	{"vm_exit_intr_info", 0x4404, 816, 4},
	{"vm_exit_intr_error_code", 0x4406, 820, 4},
	{"idt_vectoring_info_field", 0x4408, 824, 4},
	{"idt_vectoring_error_code", 0x440a, 828, 4},
	{"vm_exit_instruction_len", 0x440c, 832, 4},
	{"vmx_instruction_info", 0x440e, 836, 4},
	{"guest_es_limit", 0x4800, 840, 4},
	{"guest_cs_limit", 0x4802, 844, 4},
	{"guest_ss_limit", 0x4804, 848, 4},
	{"guest_ds_limit", 0x4806, 852, 4},
	{"guest_fs_limit", 0x4808, 856, 4},
	{"guest_gs_limit", 0x480a, 860, 4},
	{"guest_ldtr_limit", 0x480c, 864, 4},
	{"guest_tr_limit", 0x480e, 868, 4},
	{"guest_gdtr_limit", 0x4810, 872, 4},
	{"guest_idtr_limit", 0x4812, 876, 4},
	{"guest_es_ar_bytes", 0x4814, 880, 4},
	{"guest_cs_ar_bytes", 0x4816, 884, 4},
	{"guest_ss_ar_bytes", 0x4818, 888, 4},
	{"guest_ds_ar_bytes", 0x481a, 892, 4},
	{"guest_fs_ar_bytes", 0x481c, 896, 4},
	{"guest_gs_ar_bytes", 0x481e, 900, 4},
	{"guest_ldtr_ar_bytes", 0x4820, 904, 4},
	{"guest_tr_ar_bytes", 0x4822, 908, 4},
	{"guest_interruptibility_info", 0x4824, 912, 4},
	{"guest_activity_state", 0x4826, 916, 4},
	{"guest_sysenter_cs", 0x482a, 920, 4},
	{"host_ia32_sysenter_cs", 0x4c00, 924, 4},
	{"vmx_preemption_timer_value", 0x482e, 928, 4},
	{"virtual_processor_id", 0x0000, 960, 2},
	{"posted_intr_nv", 0x0002, 962, 2},
	{"guest_es_selector", 0x0800, 964, 2},
	{"guest_cs_selector", 0x0802, 966, 2},
	{"guest_ss_selector", 0x0804, 968, 2},
	{"guest_ds_selector", 0x0806, 970, 2},
	{"guest_fs_selector", 0x0808, 972, 2},
	{"guest_gs_selector", 0x080a, 974, 2},
	{"guest_ldtr_selector", 0x080c, 976, 2},
	{"guest_tr_selector", 0x080e, 978, 2},
	{"guest_intr_status", 0x0810, 980, 2},
	{"host_es_selector", 0x0c00, 982, 2},
	{"host_cs_selector", 0x0c02, 984, 2},
	{"host_ss_selector", 0x0c04, 986, 2},
	{"host_ds_selector", 0x0c06, 988, 2},
	{"host_fs_selector", 0x0c08, 990, 2},
	{"host_gs_selector", 0x0c0a, 992, 2},
	{"host_tr_selector", 0x0c0c, 994, 2},
	{"guest_pml_index", 0x0812, 996, 2},
};

static void layout(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(documented), VMCS12_FIELD_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(documented); i++) {
		assert_string_equal(vmcs12_rows[i].name, documented[i].name);
		assert_int_equal(vmcs12_rows[i].encoding, documented[i].encoding);
		assert_int_equal(vmcs12_rows[i].offset, documented[i].offset);
		assert_int_equal(vmcs12_rows[i].width, documented[i].width);
	}
}

/* Bits 14:13 of an encoding give the width (Intel SDM vol. 3C, table 25-21). */
static void widths_follow_from_encodings(void **state)
{
	static const uint16_t widths[] = {2, 8, 4, 8};

	(void)state;
	for (size_t i = 0; i < VMCS12_FIELD_COUNT; i++)
		assert_int_equal(vmcs12_rows[i].width, widths[vmcs12_rows[i].encoding >> 13 & 3]);
}

static void fields_do_not_overlap(void **state)
{
	uint8_t used[VMCS12_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < VMCS12_FIELD_COUNT; i++)
		for (unsigned byte = 0; byte < vmcs12_rows[i].width; byte++)
			assert_int_equal(used[vmcs12_rows[i].offset + byte]++, 0);
}

static void get_and_set(void **state)
{
	struct vmcs12 vmcs12;

	(void)state;
	vmcs12_init(&vmcs12);
	for (int i = 0; i < VMCS12_FIELD_COUNT; i++)
		vmcs12_set(&vmcs12, (enum vmcs12_field)i, 0x1122334455660000 + (uint64_t)i);
	for (int i = 0; i < VMCS12_FIELD_COUNT; i++) {
		uint64_t wanted = 0x1122334455660000 + (uint64_t)i;

		if (vmcs12_rows[i].width < 8)
			wanted &= (UINT64_C(1) << 8 * vmcs12_rows[i].width) - 1;
		assert_int_equal(vmcs12_get(&vmcs12, (enum vmcs12_field)i), wanted);
	}
	assert_int_equal(vmcs12.bytes[0] | vmcs12.bytes[1] << 8 | vmcs12.bytes[2] << 16, 0xe57ed0);
}

/* What KVM offers on the emulated Skylake of the lab. */
static struct vmx_caps lab_caps(void)
{
	return (struct vmx_caps){
		.basic = UINT64_C(0x00d8100011e57ed0),
		.cr0_fixed0 = 0x80000021,
		.cr0_fixed1 = 0xffffffff,
		.cr4_fixed0 = 0x2000,
		.cr4_fixed1 = 0x3767ff,
		.secondary = UINT64_C(0x2137bf) << 32,
		.ept_vpid = UINT64_C(0xf0106334041),
		.pin = UINT64_C(0x3f00000016),
		.primary = UINT64_C(0xfff9fffe04006172),
		.exit = UINT64_C(0x3fffff00036dfb),
		.entry = UINT64_C(0xffff000011fb),
		.vmfunc = 1,
		.maxphyaddr = 39,
	};
}

static void controls(void **state)
{
	struct vmx_caps caps = lab_caps();
	char reason[160] = "";

	(void)state;
	assert_int_equal(vmx_caps_compute(&caps, reason, sizeof(reason)), 0);
	assert_int_equal(caps.controls[VMX_WORD_pin], 0x16);
	assert_int_equal(caps.controls[VMX_WORD_primary],
			 0x04006172 | VMX_MSR_BITMAPS | VMX_SECONDARY);
	assert_true(caps.controls[VMX_WORD_secondary] & VMX_EPT);
	assert_true(caps.controls[VMX_WORD_secondary] & VMX_VMFUNC);
	assert_true(caps.paging.has_2m);
	for (int word = 0; word < VMX_WORD_COUNT; word++) {
		uint32_t value = caps.controls[word];

		assert_int_equal(value & ~vmx_allowed1(&caps, (enum vmx_control_word)word), 0);
		assert_int_equal(value & vmx_allowed0(&caps, (enum vmx_control_word)word),
				 vmx_allowed0(&caps, (enum vmx_control_word)word));
	}
}

static void missing_controls_are_named(void **state)
{
	static const struct {
		size_t offset;
		uint64_t bits; /* taken away from the may-be-one half, or from the MSR itself */
		const char *name;
	} rows[] = {
		{offsetof(struct vmx_caps, secondary), UINT64_C(2) << 32, "enable EPT"},
		{offsetof(struct vmx_caps, secondary), UINT64_C(0x2000) << 32, "enable VM functions"},
		{offsetof(struct vmx_caps, primary), UINT64_C(1) << 60, "use MSR bitmaps"},
		{offsetof(struct vmx_caps, entry), UINT64_C(1) << 47, "load IA32_EFER on entry"},
		{offsetof(struct vmx_caps, vmfunc), 1, "EPTP switching"},
		{offsetof(struct vmx_caps, basic), UINT64_C(1) << 55, "TRUE control MSRs"},
		{offsetof(struct vmx_caps, ept_vpid), UINT64_C(1) << 14, "write-back"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vmx_caps caps = lab_caps();
		char reason[160] = "";
		uint64_t value;

		memcpy(&value, (char *)&caps + rows[i].offset, sizeof(value));
		value &= ~rows[i].bits;
		memcpy((char *)&caps + rows[i].offset, &value, sizeof(value));
		assert_int_equal(vmx_caps_compute(&caps, reason, sizeof(reason)), -EOPNOTSUPP);
		assert_non_null(strstr(reason, rows[i].name));
	}
}

static void another_revision_is_refused(void **state)
{
	struct vmx_caps caps = lab_caps();
	char reason[160] = "";

	(void)state;
	caps.basic ^= 1;
	assert_int_equal(vmx_caps_compute(&caps, reason, sizeof(reason)), -EPROTO);
	assert_non_null(strstr(reason, "revision 0x11e57ed1"));
}

static struct vmcs12 valid(const struct vmx_caps *caps)
{
	struct vmcs12 vmcs12;

	vmcs12_init(&vmcs12);
	vmcs12_set(&vmcs12, VMCS12_pin_based_vm_exec_control, caps->controls[VMX_WORD_pin]);
	vmcs12_set(&vmcs12, VMCS12_cpu_based_vm_exec_control, caps->controls[VMX_WORD_primary]);
	vmcs12_set(&vmcs12, VMCS12_secondary_vm_exec_control, caps->controls[VMX_WORD_secondary]);
	vmcs12_set(&vmcs12, VMCS12_vm_exit_controls, caps->controls[VMX_WORD_exit]);
	vmcs12_set(&vmcs12, VMCS12_vm_entry_controls, caps->controls[VMX_WORD_entry]);
	vmcs12_set(&vmcs12, VMCS12_virtual_processor_id, 1);
	vmcs12_set(&vmcs12, VMCS12_ept_pointer, 0x10001e);
	vmcs12_set(&vmcs12, VMCS12_vmcs_link_pointer, UINT64_MAX);
	vmcs12_set(&vmcs12, VMCS12_host_cr0, 0x80000031);
	vmcs12_set(&vmcs12, VMCS12_host_cr4, 0x2020);
	vmcs12_set(&vmcs12, VMCS12_host_ia32_efer, 0x500);
	vmcs12_set(&vmcs12, VMCS12_host_cs_selector, 8);
	vmcs12_set(&vmcs12, VMCS12_host_tr_selector, 0x28);
	vmcs12_set(&vmcs12, VMCS12_guest_cr0, 0x80000031);
	vmcs12_set(&vmcs12, VMCS12_guest_cr4, 0x2020);
	vmcs12_set(&vmcs12, VMCS12_guest_ia32_efer, 0x500);
	return vmcs12;
}

/* Each rule that KVM checks: broken alone, it is the one that is named. */
static void faults_are_named(void **state)
{
	static const struct {
		enum vmcs12_field field;
		uint64_t value;
	} rows[] = {
		{VMCS12_pin_based_vm_exec_control, 0x12},
		{VMCS12_cpu_based_vm_exec_control, 0},
		{VMCS12_secondary_vm_exec_control, 0xffffffff},
		{VMCS12_vm_exit_controls, 0},
		{VMCS12_vm_entry_controls, 0xffffffff},
		{VMCS12_msr_bitmap, 0x1001},
		{VMCS12_virtual_processor_id, 0},
		{VMCS12_ept_pointer, 0x100006},
		{VMCS12_vm_function_control, 2},
		{VMCS12_eptp_list_address, UINT64_C(1) << 39},
		{VMCS12_host_cr0, 0x80000011},
		{VMCS12_host_cr4, 0x20},
		{VMCS12_host_cr3, UINT64_C(1) << 39},
		{VMCS12_host_ia32_efer, 0x100},
		{VMCS12_host_cs_selector, 0},
		{VMCS12_host_ds_selector, 3},
		{VMCS12_host_tr_selector, 0},
		{VMCS12_host_gs_base, UINT64_C(1) << 47},
		{VMCS12_host_rip, UINT64_C(1) << 63},
		{VMCS12_guest_cr0, 0x31},
		{VMCS12_guest_cr4, 0x2000},
		{VMCS12_guest_ia32_efer, 0},
		{VMCS12_vmcs_link_pointer, 0},
		{VMCS12_guest_activity_state, 2},
	};
	struct vmx_caps caps = lab_caps();
	struct control_fault fault;
	struct vmcs12 vmcs12;
	char reason[160];

	(void)state;
	assert_int_equal(vmx_caps_compute(&caps, reason, sizeof(reason)), 0);
	vmcs12 = valid(&caps);
	assert_true(vmcs12_check(&vmcs12, &caps, &fault));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		vmcs12 = valid(&caps);
		vmcs12_set(&vmcs12, rows[i].field, rows[i].value);
		assert_false(vmcs12_check(&vmcs12, &caps, &fault));
		assert_string_equal(fault.field, vmcs12_rows[rows[i].field].name);
		assert_int_equal(fault.value, rows[i].value);
	}
	vmcs12 = valid(&caps);
	vmcs12.bytes[0] ^= 1;
	assert_false(vmcs12_check(&vmcs12, &caps, &fault));
	assert_string_equal(fault.field, "revision");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(widths_follow_from_encodings),
		cmocka_unit_test(fields_do_not_overlap),
		cmocka_unit_test(get_and_set),
		cmocka_unit_test(controls),
		cmocka_unit_test(missing_controls_are_named),
		cmocka_unit_test(another_revision_is_refused),
		cmocka_unit_test(faults_are_named),
	};

	return cmocka_run_group_tests_name("vmcs12", tests, NULL, NULL);
}
