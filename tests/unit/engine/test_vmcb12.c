/* SPDX-License-Identifier: GPL-2.0-only */
/* The vmcb12 table against the documented layout, its accessors, the consistency checks, what a host
 * must offer, and EFER as the guest may change it. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/engine/svm_msr.h"
#include "vmm/engine/vmcb12.h"
#include "vmm/plan/svm_caps.h"

struct row {
	const char *name;
	uint16_t offset, width;
};

static const struct row rows[] = {
#define FIELD(name, offset, width) {#name, offset, width},
#include "guestfw/relay/vmcb12.def"
#undef FIELD
};

/* AMD APM vol. 2, appendix B, tables B-1 and B-2; typed here once more, so that the table cannot change
 * unnoticed. */
static const struct row documented[] = {
	{"intercept_cr", 0x000, 4}, {"intercept_dr", 0x004, 4}, {"intercept_exceptions", 0x008, 4},
	{"intercept_misc1", 0x00c, 4}, {"intercept_misc2", 0x010, 4}, {"intercept_misc3", 0x014, 4},
	{"pause_filter_thresh", 0x03c, 2}, {"pause_filter_count", 0x03e, 2},
	{"iopm_base_pa", 0x040, 8}, {"msrpm_base_pa", 0x048, 8}, {"tsc_offset", 0x050, 8},
	{"asid", 0x058, 4}, {"tlb_ctl", 0x05c, 1}, {"int_ctl", 0x060, 4}, {"int_vector", 0x064, 4},
	{"int_state", 0x068, 4}, {"exit_code", 0x070, 4}, {"exit_code_hi", 0x074, 4},
	{"exit_info_1", 0x078, 8}, {"exit_info_2", 0x080, 8}, {"exit_int_info", 0x088, 4},
	{"exit_int_info_err", 0x08c, 4}, {"nested_ctl", 0x090, 8}, {"event_inj", 0x0a8, 4},
	{"event_inj_err", 0x0ac, 4}, {"nested_cr3", 0x0b0, 8}, {"virt_ext", 0x0b8, 8},
	{"clean", 0x0c0, 4}, {"next_rip", 0x0c8, 8}, {"insn_len", 0x0d0, 1},
	{"es_selector", 0x400, 2}, {"es_attrib", 0x402, 2}, {"es_limit", 0x404, 4}, {"es_base", 0x408, 8},
	{"cs_selector", 0x410, 2}, {"cs_attrib", 0x412, 2}, {"cs_limit", 0x414, 4}, {"cs_base", 0x418, 8},
	{"ss_selector", 0x420, 2}, {"ss_attrib", 0x422, 2}, {"ss_limit", 0x424, 4}, {"ss_base", 0x428, 8},
	{"ds_selector", 0x430, 2}, {"ds_attrib", 0x432, 2}, {"ds_limit", 0x434, 4}, {"ds_base", 0x438, 8},
	{"fs_selector", 0x440, 2}, {"fs_attrib", 0x442, 2}, {"fs_limit", 0x444, 4}, {"fs_base", 0x448, 8},
	{"gs_selector", 0x450, 2}, {"gs_attrib", 0x452, 2}, {"gs_limit", 0x454, 4}, {"gs_base", 0x458, 8},
	{"gdtr_selector", 0x460, 2}, {"gdtr_attrib", 0x462, 2}, {"gdtr_limit", 0x464, 4},
	{"gdtr_base", 0x468, 8}, {"ldtr_selector", 0x470, 2}, {"ldtr_attrib", 0x472, 2},
	{"ldtr_limit", 0x474, 4}, {"ldtr_base", 0x478, 8}, {"idtr_selector", 0x480, 2},
	{"idtr_attrib", 0x482, 2}, {"idtr_limit", 0x484, 4}, {"idtr_base", 0x488, 8},
	{"tr_selector", 0x490, 2}, {"tr_attrib", 0x492, 2}, {"tr_limit", 0x494, 4}, {"tr_base", 0x498, 8},
	{"cpl", 0x4cb, 1}, {"efer", 0x4d0, 8}, {"cr4", 0x548, 8}, {"cr3", 0x550, 8}, {"cr0", 0x558, 8},
	{"dr7", 0x560, 8}, {"dr6", 0x568, 8}, {"rflags", 0x570, 8}, {"rip", 0x578, 8},
	{"rsp", 0x5d8, 8}, {"rax", 0x5f8, 8}, {"star", 0x600, 8}, {"lstar", 0x608, 8},
	{"cstar", 0x610, 8}, {"sfmask", 0x618, 8}, {"kernel_gs_base", 0x620, 8},
	{"sysenter_cs", 0x628, 8}, {"sysenter_esp", 0x630, 8}, {"sysenter_eip", 0x638, 8},
	{"cr2", 0x640, 8}, {"g_pat", 0x668, 8}, {"dbgctl", 0x670, 8},
};

static void layout(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), ARRAY_SIZE(documented));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(rows[i].name, documented[i].name);
		assert_int_equal(rows[i].offset, documented[i].offset);
		assert_int_equal(rows[i].width, documented[i].width);
		for (size_t j = 0; j < i; j++)
			assert_true(documented[j].offset + documented[j].width <= documented[i].offset);
	}
}

/* Every accessor reads and writes its own bytes, and no others. */
static void accessors(void **state)
{
	struct vmcb12 vmcb12;

	(void)state;
#define FIELD(name, offset, width)                                                                 \
	memset(vmcb12.bytes, 0xa5, sizeof(vmcb12.bytes));                                          \
	vmcb_set_##name(vmcb12.bytes, UINT64_C(0x1122334455667788));                               \
	assert_int_equal(vmcb_##name(vmcb12.bytes),                                                \
			 UINT64_C(0x1122334455667788) & UINT64_MAX >> (64 - 8 * (width)));         \
	for (size_t at = 0; at < sizeof(vmcb12.bytes); at++)                                       \
		if (at - (size_t)(offset) >= (width)) /* below wraps */                            \
			assert_int_equal(vmcb12.bytes[at], 0xa5);
#include "guestfw/relay/vmcb12.def"
#undef FIELD
}

static struct vmcb12 good(void)
{
	struct vmcb12 vmcb12 = {{0}};

	vmcb_set_intercept_misc2(vmcb12.bytes, 1);
	vmcb_set_asid(vmcb12.bytes, 1);
	vmcb_set_cr0(vmcb12.bytes, 0x80000031);
	vmcb_set_cr4(vmcb12.bytes, 0x20);
	vmcb_set_efer(vmcb12.bytes, 0x1d00);
	vmcb_set_rflags(vmcb12.bytes, 2);
	return vmcb12;
}

/* One field wrong at a time: the check names it. */
static void checks(void **state)
{
	static const struct {
		const char *field;
		void (*set)(void *vmcb, uint64_t value);
		uint64_t value;
	} bad[] = {
		{"intercept_misc2", vmcb_set_intercept_misc2, 0xfffffffe},
		{"asid", vmcb_set_asid, 0},
		{"tlb_ctl", vmcb_set_tlb_ctl, 3},
		{"cr0", vmcb_set_cr0, 0x31},
		{"cr0", vmcb_set_cr0, 0x80000030},
		{"cr0", vmcb_set_cr0, 0xa0000031},
		{"cr0", vmcb_set_cr0, UINT64_C(0x180000031)},
		{"cr4", vmcb_set_cr4, 0},
		{"efer", vmcb_set_efer, 0xd00},
		{"rflags", vmcb_set_rflags, 0x20002},
		{"dr6", vmcb_set_dr6, UINT64_C(1) << 32},
		{"dr7", vmcb_set_dr7, UINT64_C(1) << 63},
		{"msrpm_base_pa", vmcb_set_msrpm_base_pa, 0x800},
		{"iopm_base_pa", vmcb_set_iopm_base_pa, UINT64_C(1) << 40},
		{"nested_cr3", vmcb_set_nested_cr3, 0x1e},
		{"cr3", vmcb_set_cr3, UINT64_C(1) << 63},
	};
	struct control_fault fault;
	struct vmcb12 vmcb12 = good();

	(void)state;
	assert_true(vmcb12_check(&vmcb12, 40, &fault));
	vmcb_set_tlb_ctl(vmcb12.bytes, 1);
	vmcb_set_cr0(vmcb12.bytes, 0xe0000031);
	assert_true(vmcb12_check(&vmcb12, 40, &fault));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		vmcb12 = good();
		bad[i].set(vmcb12.bytes, bad[i].value);
		assert_false(vmcb12_check(&vmcb12, 40, &fault));
		assert_string_equal(fault.field, bad[i].field);
		assert_int_equal(fault.value, bad[i].value);
		assert_true(strlen(fault.rule) > 0);
	}
}

struct host_cpuid {
	struct kvm_cpuid2 header;
	struct kvm_cpuid_entry2 entries[3];
};

static int compute(uint32_t svm_edx, uint32_t svm_ebx, bool hsave, uint32_t features,
		   struct svm_caps *caps, char reason[160])
{
	struct host_cpuid *cpuid = calloc(1, sizeof(*cpuid));
	int rc;

	assert_non_null(cpuid);
	cpuid->header.nent = 3;
	cpuid->entries[0].function = 0x80000001;
	cpuid->entries[0].edx = features;
	cpuid->entries[1].function = 0x80000008;
	cpuid->entries[1].eax = 0x3028;
	cpuid->entries[2].function = 0x8000000a;
	cpuid->entries[2].ebx = svm_ebx;
	cpuid->entries[2].edx = svm_edx;
	reason[0] = '\0';
	rc = svm_caps_compute(&cpuid->header, hsave, caps, reason, 160);
	free(cpuid);
	return rc;
}

static void capabilities(void **state)
{
	struct svm_caps caps;
	char reason[160];

	(void)state;
	assert_int_equal(compute(1, 8, true, 1u << 26, &caps, reason), 0);
	assert_int_equal(caps.asids, 8);
	assert_int_equal(caps.paging.maxphyaddr, 40);
	assert_true(caps.paging.has_1g && caps.paging.has_2m);
	assert_false(caps.paging.exec_only || caps.paging.ad_bits);
	assert_int_equal(compute(1, 8, true, 0, &caps, reason), 0);
	assert_false(caps.paging.has_1g);
	assert_int_equal(compute(0xfffffffe, 8, true, 0, &caps, reason), -EOPNOTSUPP);
	assert_non_null(strstr(reason, "nested paging (CPUID Fn8000_000A EDX bit 0)"));
	assert_int_equal(compute(1, 1, true, 0, &caps, reason), -EOPNOTSUPP);
	assert_non_null(strstr(reason, "address-space identifier"));
	assert_int_equal(compute(1, 8, false, 0, &caps, reason), -EOPNOTSUPP);
	assert_non_null(strstr(reason, "VM_HSAVE_PA (0xc0010117)"));
}

/* Execute-only and write without read cannot be said in an NPT entry, and are refused when built. */
static void rights(void **state)
{
	const struct paging_format *npt = &paging_formats[PAGING_NPT];
	const struct paging_caps caps = {.has_2m = true, .exec_only = true, .maxphyaddr = 40};

	(void)state;
	for (unsigned set = 0; set <= VIEW_RIGHTS_ALL; set++) {
		enum policy_error_kind kind = npt->check_rights(set, &caps);

		if (set & VIEW_READ || set == 0)
			assert_int_equal(kind, POLICY_ERROR_INVALID);
		else if (set & VIEW_WRITE)
			assert_int_equal(kind, POLICY_ERROR_WRITE_WITHOUT_READ);
		else
			assert_int_equal(kind, POLICY_ERROR_EXECUTE_ONLY);
	}
}

static void efer(void **state)
{
	uint64_t result = 0;

	(void)state;
	/* SCE and NXE come and go; SVME stays. */
	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++) {
			uint64_t old = 0x1500 | (from & 1) | (from & 2 ? 0x800 : 0);
			uint64_t wanted = 0x500 | (to & 1) | (to & 2 ? 0x800 : 0);

			assert_true(svm_msr_efer(old, wanted, &result));
			assert_int_equal(result, wanted | 0x1000);
		}
	/* The guest has no SVME, cannot leave long mode by it, and has no other flag. */
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t wanted = 0x500 ^ UINT64_C(1) << bit;

		assert_int_equal(svm_msr_efer(0x1500, wanted, &result), bit == 0 || bit == 11);
		/* Outside long mode it can take LME away, and put it back. */
		wanted = UINT64_C(1) << bit;
		assert_int_equal(svm_msr_efer(0x1000, wanted, &result), bit == 0 || bit == 8 || bit == 11);
		assert_int_equal(svm_msr_efer(0x1100, wanted ^ 0x100, &result),
				 bit == 0 || bit == 8 || bit == 11);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout), cmocka_unit_test(accessors), cmocka_unit_test(checks),
		cmocka_unit_test(capabilities), cmocka_unit_test(rights), cmocka_unit_test(efer),
	};

	return cmocka_run_group_tests_name("vmcb12", tests, NULL, NULL);
}
