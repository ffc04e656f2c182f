/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/bare/bare_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guestfw/bare/plan.h"
#include "guestfw/guest.h"
#include "vmm/analysis/verdict.h"
#include "vmm/bare/bare_setup.h"
#include "vmm/base/progress.h"
#include "vmm/base/written.h"
#include "vmm/engine/engines.h"
#include "vmm/engine/monitor.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/run_description.h"
#include "vmm/service/differential.h"
#include "vmm/vm/vcpu.h"
#include "vmm/vm/vm_create.h"

#define PAGE GPA_PAGE_SIZE
#define CONTROL_SIZE 4096
#define MEMORY_MAX (UINT64_C(1) << 30) /* there has to be as much in one piece below 3 GiB */
#define RSI 6
#define RDI 7

_Static_assert(PLAN_BARE_BASE == BARE_BASE, "both speak of the same block");

/* A plan that is being made. */
struct bare_build {
	struct blob *blob;
	uint64_t start; /* of the plan in the blob */
	struct host host;
	struct plan plan;
	struct vm *vms; /* as many as the plan has; those that are not there are zero */
	struct bare_extent *extents;
	size_t extent_count;
	int written; /* of written_open() */
	bool planned;
};

static uint64_t append(struct bare_build *build, const void *data, size_t size)
{
	return blob_append(build->blob, data, size) - build->start;
}

_Static_assert(BOOT_VE_COUNT == 16, "as the message says");

static int check_request(const struct plan_request *request, struct error *error)
{
	const struct {
		bool holds;
		const char *text;
	} faults[] = {
		{request->vms > 1 && !request->share_vcpu,
		 "--vms: the guests of an image have one processor; add --share-vcpu"},
		{request->vcpus > BOOT_VE_COUNT, "-c: an image has up to 16 vCPUs"},
		{request->differential && (request->vcpus > 1 || request->vms > 1),
		 "--random: programs are for one guest with one vCPU; leave out -c and --vms"},
		{gpa_whole_large(request->memory) > MEMORY_MAX / (request->vms ? request->vms : 1),
		 "-m: the guests of an image have up to 1G in all"},
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].holds)
			return error_set(error, -EINVAL, STATUS_USAGE, "%s", faults[i].text);
	return 0;
}

/* Everything that a vCPU of KVM would start with. */
static int prepare_vcpu(struct vcpu *vcpu, struct vm *vm, unsigned index, struct error *error)
{
	int rc;

	vcpu_prepare(vcpu, vm, index);
	vm->vcpus_created = index + 1;
	rc = vm->ops->vcpu_prepare(vcpu, error);
	if (rc != 0)
		return rc;
	monitor_vcpu(vcpu)->regs[RDI] = BOOT_CONTEXT;
	monitor_vcpu(vcpu)->regs[RSI] = index;
	return vm->plan->share_vcpu ? monitor_share_vcpu(vcpu, error) : 0;
}

static int prepare_vm(struct bare_build *build, unsigned index, const struct engine_ops *ops, struct error *error)
{
	struct vm *vm = &build->vms[index];
	int rc = vm_prepare(vm, index, &build->plan, &build->host, ops, error);

	if (rc == 0)
		rc = ops->vm_prepare(vm, error);
	for (unsigned i = 0; rc == 0 && i < build->plan.vcpus; i++)
		rc = prepare_vcpu(&vm->vcpus[i], vm, i, error);
	return rc;
}

static int prepare(struct bare_build *build, const struct plan_request *request, struct error *error)
{
	const struct engine_ops *ops;
	int rc = host_bare(&build->host, error);

	if (rc == 0)
		rc = plan_make(&build->plan, request, &build->host, error);
	if (rc != 0)
		return rc;
	build->planned = true;
	ops = engine_ops(build->plan.engine->id);
	if (!ops->vm_prepare)
		return error_set(error, -EINVAL, STATUS_USAGE, "--engine %s: an image needs a monitor; vmx or svm have one",
				 engine_keys[build->plan.engine->id]);
	build->vms = calloc(build->plan.vms, sizeof(*build->vms));
	if (!build->vms)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	for (unsigned i = 0; rc == 0 && i < build->plan.vms; i++)
		rc = prepare_vm(build, i, ops, error);
	return rc;
}

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/* The pages of an area that are not zero, those that follow one another as one extent. Returns where the last one ends. */
static int append_area(struct bare_build *build, const uint8_t *area, uint64_t size, uint64_t place, uint64_t *ret_end)
{
	*ret_end = 0;
	for (uint64_t at = 0; (at = written_next(build->written, area, at, size)) < size; at += PAGE) {
		const uint64_t first = at;
		struct bare_extent *extents;

		while (at < size && !is_zero(area + at)) {
			if (at % PROGRESS_BYTES == 0)
				progress_at(at, size);
			at += PAGE;
		}
		if (at == first)
			continue;
		extents = realloc(build->extents, (build->extent_count + 1) * sizeof(*extents));
		if (!extents)
			return -ENOMEM;
		build->extents = extents;
		extents[build->extent_count++] =
			(struct bare_extent){place + first, at - first, append(build, area + first, at - first)};
		*ret_end = at;
	}
	return 0;
}

static int append_memory(struct bare_build *build, struct bare_plan *plan)
{
	const struct monitor *monitor = vm_monitor(&build->vms[0]);
	uint64_t end;
	int rc = 0;

	build->written = written_open();
	progress_step("copying the guests' memory for %s", engine_keys[build->plan.engine->id]);
	for (unsigned i = 0; rc == 0 && i < build->plan.vms; i++)
		rc = append_area(build, build->vms[i].ram.host, build->vms[i].ram.size, build->vms[i].base - BARE_BASE, &end);
	plan->guest_size = build->vms[0].ram.size;
	plan->monitor = monitor->physical - BARE_BASE;
	if (rc == 0)
		rc = append_area(build, monitor->host, RELAY_SIZE, plan->monitor, &end);
	progress_end();
	if (build->written >= 0)
		close(build->written);
	plan->monitor_size = gpa_whole_large(end);
	plan->log = plan->monitor + plan->monitor_size;
	plan->pool = plan->log + BARE_LOG_SIZE;
	plan->block = plan->pool + BARE_POOL_PAGES * PAGE;
	plan->extents = append(build, build->extents, build->extent_count * sizeof(build->extents[0]));
	plan->extent_count = build->extent_count;
	return rc;
}

/* A blob has borders of 16 bytes, so what is appended one by one is an array. */
_Static_assert(sizeof(struct bare_region) == 16 && sizeof(struct bare_view) == 16 && sizeof(struct bare_rule) == 16,
	       "arrays in a plan");

/* All rules of a view. */
static void append_rules(struct bare_build *build, const struct view *view)
{
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *from = &view->rules[i];
		const struct bare_rule rule = {
			.region = from->region,
			.ve = from->ve,
			.shown = from->remapped ? from->target.v : build->plan.policy.regions[from->region].gpa.v,
		};

		append(build, &rule, sizeof(rule));
	}
}

/* What the monitor has to know of the policy when a guest changes rights. */
static void append_policy(struct bare_build *build, struct bare_plan *plan)
{
	const struct view_policy *policy = &build->plan.policy;
	uint32_t rules = 0;

	plan->region_count = policy->region_count;
	plan->regions = append(build, NULL, 0);
	for (size_t i = 0; i < policy->region_count; i++) {
		const struct bare_region region = {policy->regions[i].gpa.v, policy->regions[i].size};

		append(build, &region, sizeof(region));
	}
	plan->views = append(build, NULL, 0);
	for (size_t i = 0; i < policy->view_count; i++) {
		const struct bare_view view = {rules, (uint32_t)policy->views[i].rule_count, policy->views[i].rights,
					       policy->views[i].ve};

		append(build, &view, sizeof(view));
		rules += view.rule_count;
	}
	plan->rules = append(build, NULL, 0);
	for (size_t i = 0; i < policy->view_count; i++)
		append_rules(build, &policy->views[i]);
}

static int append_setups(struct bare_build *build, struct bare_plan *plan, struct vm *vm,
			 struct bare_guest_plan *guest, struct error *error)
{
	const size_t count = build->plan.image.operation_count + 1;
	const size_t programs = plan->programs ? BARE_PROGRAM_SETUPS : 0;
	struct bare_setup *setups = calloc(count + programs, sizeof(*setups));
	int writes;

	if (!setups)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	writes = bare_setup_all(&vm->vcpus[0], programs != 0, setups);
	guest->setups = append(build, setups, (count + programs) * sizeof(*setups));
	guest->program_setups = guest->setups + count * sizeof(*setups);
	plan->operation_count = count - 1;
	guest->write_count = (uint64_t)writes;
	free(setups);
	return writes >= 0 ? 0 : error_set(error, writes, STATUS_INTERNAL, "operations differ in too many fields");
}

static int append_guests(struct bare_build *build, struct bare_plan *plan, struct error *error)
{
	struct bare_guest_plan *guests = calloc(build->plan.vms, sizeof(*guests));
	int rc = guests ? 0 : error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");

	for (unsigned i = 0; rc == 0 && i < build->plan.vms; i++) {
		guests[i].place = build->vms[i].base - BARE_BASE;
		rc = append_setups(build, plan, &build->vms[i], &guests[i], error);
	}
	if (rc == 0)
		plan->guests = append(build, guests, build->plan.vms * sizeof(*guests));
	plan->guest_count = build->plan.vms;
	plan->vcpu_count = build->plan.vcpus;
	free(guests);
	return rc;
}

static void append_controls(struct bare_build *build, struct bare_plan *plan)
{
	plan->controls = append(build, NULL, 0);
	for (unsigned i = 0; i < build->plan.vms; i++)
		for (unsigned j = 0; j < build->plan.vcpus; j++)
			append(build, build->vms[i].ops->control(&build->vms[i].vcpus[j]), CONTROL_SIZE);
}

/* What the model has to know there to judge programs. */
static void plan_programs(const struct plan *from, struct bare_plan *plan)
{
	const struct differential *run = from->differential;

	plan->engine = from->engine->id;
	plan->embodiment = from->embodiment;
	plan->on_ask = from->on_ask;
	plan->program_masks = from->embodiment == SS_EMBODIMENT_SINGLE_MASK ? PROGRAM_MASKS_KEPT : PROGRAM_MASKS_ANY;
	if (!run)
		return;
	plan->programs = run->count;
	plan->seed = run->seed;
	plan->shard = run->shard;
	plan->shards = run->shards;
}

static void expect_all(const struct bare_build *build, struct ledger *ledger)
{
	const struct expect_environment environment = vm_environment(&build->vms[0]);
	const struct plan *plan = &build->plan;

	/* Also if no operation can be performed; random programs are judged on the computer. */
	if (!plan->differential)
		ledger_append_meta(ledger, "judged", "by expectations");
	for (uint32_t n = 1; n <= plan->image.operation_count; n++) {
		const struct ss_operation *op = &plan->image.operations[n - 1];
		struct record_expectation record;
		struct ss_result planned;
		char key[32];

		snprintf(key, sizeof(key), "skipped.%u", n);
		if (plan->skipped[n - 1])
			ledger_append_meta(ledger, key, plan->skipped[n - 1]);
		if (!plan_bit(plan->selected, n))
			continue;
		/* As the guest divides them into samples. */
		divide_samples(&planned, plan->iterations ? plan->iterations : op->count);
		verdict_expect(op, n, planned.count, &environment, &record);
		ledger_append(ledger, &record.record);
	}
}

/* Records say of an operation what is expected once, for all guests. */
static bool are_alike(const struct plan *plan)
{
	for (unsigned i = 1; i < plan->vms; i++)
		if (memcmp(&plan->flags[i], &plan->flags[0], sizeof(plan->flags[0])) != 0 ||
		    memcmp(&plan->services[i], &plan->services[0], sizeof(plan->services[0])) != 0)
			return false;
	return true;
}

static int append_records(struct bare_build *build, struct bare_plan *plan, bool judged, struct error *error)
{
	struct ledger ledger;
	int rc = ledger_create_scratch(&ledger, error);

	if (rc != 0)
		return rc;
	run_describe(&build->plan, &build->host, &ledger);
	if (judged && are_alike(&build->plan))
		expect_all(build, &ledger);
	plan->records = append(build, ledger.records, ledger.used);
	plan->records_size = ledger.used;
	ledger_close(&ledger);
	return 0;
}

static int fill(struct bare_build *build, bool judged, struct error *error)
{
	struct bare_plan plan = {
		.vendor = build->plan.engine->id == ENGINE_VMX ? BARE_VMX : BARE_SVM,
		.view_count = build->plan.policy.view_count,
		.slice_ms = build->plan.slice_ms,
		.unbacked = ((UINT64_C(1) << build->vms[0].vmfunc.caps.maxphyaddr) - 1) & ~(PAGE - 1),
		.stop_on_violation = build->plan.on_violation == ON_VIOLATION_STOP,
		.report_on_violation = build->plan.on_violation == ON_VIOLATION_REPORT,
		.refuse = build->plan.on_ask == FLAGS_ON_ASK_REFUSE,
		.vcpu_pages = boot_vcpu_page(0).v,
		.ve_pages = build->plan.has_ve ? BOOT_VE : 0,
		.needs_ve = build->plan.views && policy_has_ve(&build->plan.policy),
	};
	int rc;

	plan_programs(&build->plan, &plan);
	/* Before the memory, in which it leaves the state that a guest starts with. */
	rc = append_guests(build, &plan, error);
	if (rc == 0 && append_memory(build, &plan) != 0)
		rc = error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	if (rc == 0)
		rc = append_records(build, &plan, judged, error);
	if (rc != 0)
		return rc;
	append_policy(build, &plan);
	append_controls(build, &plan);
	plan.size = build->blob->size - build->start;
	if (build->blob->error != 0)
		return error_set(error, build->blob->error, STATUS_INTERNAL, "out of memory");
	memcpy(build->blob->data + build->start, &plan, sizeof(plan));
	return 0;
}

int bare_plan_append(struct blob *blob, const struct plan_request *request, bool judged, struct error *error)
{
	struct bare_build build = {.blob = blob, .host = {.kvm = -1}};
	int rc = check_request(request, error);

	blob_align(blob, PAGE);
	build.start = blob_append(blob, NULL, sizeof(struct bare_plan));
	if (rc == 0)
		rc = prepare(&build, request, error);
	if (rc == 0)
		rc = fill(&build, judged, error);
	/* The first one has what all are in. */
	for (unsigned i = build.vms ? build.plan.vms : 0; i-- > 0;)
		if (build.vms[i].plan)
			vm_destroy(&build.vms[i]);
	free(build.vms);
	if (build.planned)
		plan_finish(&build.plan);
	host_close(&build.host);
	free(build.extents);
	return rc;
}
