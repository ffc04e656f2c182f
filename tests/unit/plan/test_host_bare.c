/* SPDX-License-Identifier: GPL-2.0-only */
/* What a computer image is planned for: nothing of this computer, and of another one only what it must have anyway. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "vmm/plan/host.h"
#include "vmm/plan/plan.h"
#include "vmm/plan/svm_caps.h"
#include "vmm/plan/vmx_caps.h"

static void no_device_is_open(void **state)
{
	struct error error = {0};
	struct host host;

	(void)state;
	assert_int_equal(host_bare(&host, &error), 0);
	assert_int_equal(host.kvm, -1);
	assert_int_equal(host.backend, HOST_BACKEND_BARE);
	assert_int_equal(host.traits, 0);
	for (int i = 0; i < HOST_CAP_COUNT; i++)
		assert_int_equal(host.capability[i], 0);
	host_close(&host);
}

/* The plan is made for a block at an address that a processor must be able to name (PLAN_BARE_BASE). */
static void every_address_of_the_block_has_a_name(void **state)
{
	struct error error = {0};
	struct svm_caps svm;
	struct host host;
	char reason[160];

	(void)state;
	assert_int_equal(host_bare(&host, &error), 0);
	assert_true(UINT64_C(1) << host_maxphyaddr(&host) >= 2 * PLAN_BARE_BASE);
	assert_int_equal(svm_caps_read(&host, &svm, reason, sizeof(reason)), 0);
	assert_int_equal(svm.paging.maxphyaddr, host_maxphyaddr(&host));
	assert_true(svm.asids >= 2);
	/* Pages that not every processor has are in no table. */
	assert_false(svm.paging.has_1g);
	host_close(&host);
}

/* Needed and wanted controls, and no other bit: whatever more there were could be one that the monitor does not ask for. */
static void a_processor_with_vmx_has_what_is_asked_for(void **state)
{
	static const struct {
		enum vmx_control_word word;
		uint32_t bit;
	} wanted[] = {
#define X(name, word, bit, needed, text) {VMX_WORD_##word, 1u << (bit)},
		VMX_CONTROLS(X)
#undef X
	};
	uint32_t words[VMX_WORD_COUNT] = {0};
	struct vmx_caps caps, again;
	char reason[160];

	(void)state;
	vmx_caps_assume(36, &caps);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		words[wanted[i].word] |= wanted[i].bit;
	for (int word = 0; word < VMX_WORD_COUNT; word++) {
		assert_int_equal(caps.controls[word], words[word]);
		assert_int_equal(vmx_allowed0(&caps, (enum vmx_control_word)word), 0);
		assert_int_equal(vmx_allowed1(&caps, (enum vmx_control_word)word), words[word]);
	}
	/* It is one that KVM could have said, too. */
	again = caps;
	assert_int_equal(vmx_caps_compute(&again, reason, sizeof(reason)), 0);
	assert_memory_equal(&again, &caps, sizeof(caps));
}

/* Intel SDM vol. 3D, A.7, A.8 and A.10: nothing is fixed, and EPT has four levels, write-back tables and pages of 2 MiB. */
static void nothing_of_it_is_fixed(void **state)
{
	struct vmx_caps caps;

	(void)state;
	vmx_caps_assume(36, &caps);
	assert_int_equal(caps.cr0_fixed0, 0);
	assert_int_equal(caps.cr4_fixed0, 0);
	assert_true(caps.cr0_fixed1 == UINT64_MAX);
	assert_true(caps.cr4_fixed1 == UINT64_MAX);
	assert_int_equal(caps.vmfunc, 1);
	assert_int_equal(caps.maxphyaddr, 36);
	assert_int_equal(caps.paging.maxphyaddr, 36);
	assert_true(caps.paging.has_2m);
	assert_false(caps.paging.has_1g);
	assert_false(caps.paging.exec_only);
	assert_false(caps.paging.ad_bits);
	assert_int_equal(caps.ept_vpid, 1u << 6 | 1u << 14 | 1u << 16);
}

static const char *const engines_of_it[] = {"vmx", "svm"};

static void make(struct plan *plan, const struct host *host, const char *engine)
{
	const struct plan_request request = {
		.engine = engine, .vms = 1, .vcpus = 1, .on_violation = ON_VIOLATION_INJECT};
	struct error error = {0};

	assert_int_equal(plan_make(plan, &request, host, &error), 0);
}

/* Where the block is, and who serves the guest there. */
static void a_plan_for_it_is_bare(void **state)
{
	struct error error = {0};
	struct host host;

	(void)state;
	assert_int_equal(host_bare(&host, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(engines_of_it); i++) {
		struct plan plan;

		make(&plan, &host, engines_of_it[i]);
		assert_true(plan.bare);
		assert_int_equal(plan_base(&plan, 0), PLAN_BARE_BASE);
		assert_null(plan_counters_missing(&plan, &host));
		for (uint32_t n = 1; n <= plan.image.operation_count; n++) {
			const uint32_t kind = plan.image.operations[n - 1].kind;
			const bool vmm = kind == SS_KIND_PIN || kind == SS_KIND_DISK;

			/* Devices and buffers are a process's. */
			assert_false(vmm && plan_bit(plan.selected, n));
			if (vmm && plan.skipped[n - 1])
				assert_non_null(strstr(plan.skipped[n - 1], "needs: "));
			assert_true(vmm ? plan.skipped[n - 1] != NULL : true);
			/* Rights the monitor changes by itself. */
			assert_true(kind != SS_KIND_MAP || plan_bit(plan.selected, n));
		}
		plan_finish(&plan);
	}
	host_close(&host);
}

/* KVM's vmcs12 has no field for what #VE needs; bare, only SVM and memory slots are without. */
static void of_the_engines_vmx_has_ve(void **state)
{
	struct error error = {0};
	struct host host;

	(void)state;
	assert_int_equal(host_bare(&host, &error), 0);
	for (size_t i = 0; i < engine_count; i++) {
		struct paging_caps caps;
		char reason[160];

		assert_int_equal(engines[i]->paging_caps(&host, &caps, reason, sizeof(reason)), 0);
		assert_int_equal(caps.ve, engines[i]->id == ENGINE_VMX);
	}
	host_close(&host);
}

static const struct ss_operation *operation_of(const struct plan *plan, const char *name, uint32_t *ret_number)
{
	for (uint32_t n = 1; n <= plan->image.operation_count; n++)
		if (strcmp(plan->image.operations[n - 1].name, name) == 0) {
			*ret_number = n;
			return &plan->image.operations[n - 1];
		}
	fail_msg("there is no operation %s", name);
	return NULL;
}

/* Where #VE is, what is about it is performed and the default views have it; elsewhere a plan says why not. */
static void what_needs_ve_is_selected_where_it_is(void **state)
{
	static const char *const names[] = {
		"view.write.shared.ve", "view.read.private.ve", "view.call.shared.ve", "view.write.kernel.ve"};
	struct error error = {0};
	struct host host;

	(void)state;
	assert_int_equal(host_bare(&host, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(engines_of_it); i++) {
		const bool vmx = i == 0;
		struct plan plan;
		uint32_t n;

		make(&plan, &host, engines_of_it[i]);
		assert_int_equal(plan.has_ve, vmx);
		assert_int_equal(policy_has_ve(&plan.policy), vmx);
		for (size_t op = 0; op < ARRAY_SIZE(names); op++) {
			assert_int_equal(operation_of(&plan, names[op], &n)->setup, SS_SETUP_VE);
			assert_int_equal(plan_bit(plan.selected, n), vmx);
			if (vmx)
				assert_null(plan.skipped[n - 1]);
			else
				assert_string_equal(plan.skipped[n - 1],
						    "needs: ve; host: only processors with VMX have #VE");
		}
		/* The same without #VE are performed by both. */
		operation_of(&plan, "view.write.shared", &n);
		assert_true(plan_bit(plan.selected, n));
		plan_finish(&plan);
	}
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_device_is_open),
		cmocka_unit_test(every_address_of_the_block_has_a_name),
		cmocka_unit_test(a_processor_with_vmx_has_what_is_asked_for),
		cmocka_unit_test(nothing_of_it_is_fixed),
		cmocka_unit_test(a_plan_for_it_is_bare),
		cmocka_unit_test(of_the_engines_vmx_has_ve),
		cmocka_unit_test(what_needs_ve_is_selected_where_it_is),
	};

	return cmocka_run_group_tests_name("host_bare", tests, NULL, NULL);
}
