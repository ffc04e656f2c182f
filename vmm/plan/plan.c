/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "views/default_policy.h"
#include "views/list.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/image_file.h"
#include "vmm/guest/patterns.h"
#include "vmm/plan/engine_target.h"
#include "vmm/plan/needs.h"
#include "vmm/plan/service_list.h"
#include "vmm/policy/policy_load.h"

#define PAGE_MASK UINT64_C(0xfff)
#define CPUID_EXTENDED 0x80000001
#define CPUID_PAGE1GB_EDX 26

static void set_bit(uint64_t *set, uint32_t number)
{
	set[(number - 1) / 64] |= UINT64_C(1) << (number - 1) % 64;
}

/* Only a monitor can keep flags from a guest, and what is more, switch its views. */
static bool asks_for_monitor(const struct plan_request *request)
{
	return request->views || request->flag_path > FLAG_PATH_CPU || request->owned_count || request->kept_count ||
	       request->asked_count;
}

static int choose_engine(struct plan *plan, const struct plan_request *request, const struct host *host,
			 struct error *error)
{
	const bool kernel = plan->platform == PLATFORM_PC;
	const struct engine_wish wish = {
		.key = request->engine,
		.kernel = kernel,
		.starts_64 = kernel && pc_boot_starts_64(&plan->image),
		.monitor = asks_for_monitor(request),
		.vcpus = plan->vcpus,
	};

	return engine_choose(&wish, host, &plan->engine, &plan->offer, error);
}

int plan_check_memory(uint64_t memory, struct error *error)
{
	if (memory >= BOOT_MEMORY_MIN && (memory & PAGE_MASK) == 0)
		return 0;
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "-m: %" PRIu64 " bytes are no guest memory; give at least %" PRIu64
			 "M and whole 4 KiB pages",
			 memory, BOOT_MEMORY_MIN >> 20);
}

const char *const platform_keys[PLATFORM_COUNT] = {PLATFORMS(LIST_KEY)};

/* What the options ask for that only one of the platforms has. NULL: nothing. */
static const char *option_of_other(const struct plan *plan, const struct plan_request *request)
{
	if (plan->platform == PLATFORM_PC)
		return request->disk					? "--disk"
		       : request->share_vcpu				? "--share-vcpu"
		       : request->flag_path == FLAG_PATH_ENLIGHTENED	? "--flag-path enlightened"
									: NULL;
	return request->command_line ? "--append" : request->boot_file_count ? "--initrd" : NULL;
}

static int choose_platform(struct plan *plan, const struct plan_request *request, struct error *error)
{
	const char *name = request->guest ? request->guest : "the built-in firmware";
	const char *option;

	plan->platform = platform_of(plan->image.format);
	if (request->platform != PLATFORM_AUTO && request->platform != plan->platform)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: %s, which needs the platform %s; leave out --platform %s", name,
				 image_format_texts[plan->image.format], platform_keys[plan->platform],
				 platform_keys[request->platform]);
	option = option_of_other(plan, request);
	if (option)
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: not for the platform %s, which %s needs; leave it out",
				 option, platform_keys[plan->platform], name);
	if (!plan->memory)
		plan->memory = platform_memory(plan->platform);
	return 0;
}

static int check_platform(const struct plan *plan, const struct host *host, struct error *error)
{
	static const enum host_capability needed[] = {HOST_CAP_irqchip, HOST_CAP_pit2, HOST_CAP_irqfd};

	for (size_t i = 0; host && plan->platform == PLATFORM_PC && i < sizeof(needed) / sizeof(needed[0]); i++)
		if (host->capability[needed[i]] == 0)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "platform pc cannot run here: needs: %s; host: this KVM has none; use a kernel "
					 "whose KVM emulates interrupt controllers",
					 host_capability_names[needed[i]]);
	return 0;
}

static int check_memory(const struct plan *plan, const struct host *host, struct error *error)
{
	int rc = plan_check_memory(plan->memory, error);
	uint32_t extended = host ? cpuid_leaf(host->cpuid, CPUID_EXTENDED, 0)->edx : 0;

	if (rc != 0)
		return rc;
	if (host && plan->memory > host->memory / plan->vms)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "-m: %u x %" PRIu64 " MiB are more than the host's memory of %" PRIu64
				 " MiB; ask for less",
				 plan->vms, plan->memory >> 20, host->memory >> 20);
	if (host && plan->platform == PLATFORM_SIDESTEP && plan->memory > RAM_HOLE_BASE &&
	    !(extended >> CPUID_PAGE1GB_EDX & 1))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "-m: more than 3G needs 1 GiB pages, which this processor lacks; ask for "
				 "less");
	return 0;
}

static int check_counts(const struct plan *plan, const struct host *host, struct error *error)
{
	unsigned limit = SS_MAX_VCPUS;

	if (host && host->capability[HOST_CAP_max_vcpus] > 0 &&
	    (unsigned)host->capability[HOST_CAP_max_vcpus] < limit)
		limit = (unsigned)host->capability[HOST_CAP_max_vcpus];
	if (plan->vcpus < 1 || plan->vcpus > limit)
		return error_set(error, -EINVAL, STATUS_USAGE, "-c: give 1 to %u vCPUs", limit);
	if (plan->vms < 1 || plan->vms > PLAN_VMS_MAX)
		return error_set(error, -EINVAL, STATUS_USAGE, "--vms: give 1 to %u VMs",
				 PLAN_VMS_MAX);
	return 0;
}

/* One behind the other, on borders of large pages. */
uint64_t plan_base(const struct plan *plan, unsigned vm)
{
	const uint64_t first = plan->bare ? PLAN_BARE_BASE : 0;

	return first + (plan->share_vcpu ? vm * gpa_whole_large(plan->memory) : 0);
}

const char *plan_counters_missing(const struct plan *plan, const struct host *host)
{
	if (plan->share_vcpu)
		return "KVM counts those of a vCPU, which several VMs share";
	return plan->bare || host->capability[HOST_CAP_binary_stats_fd]
		       ? NULL
		       : "this KVM has no KVM_GET_STATS_FD; use Linux 5.14 or later";
}

static int check_sharing(const struct plan *plan, const struct plan_request *request, struct error *error)
{
	if (request->slice_ms && !request->share_vcpu)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--slice: is of VMs that share a vCPU; add --share-vcpu");
	if (!plan->share_vcpu)
		return 0;
	if (plan->vcpus > 1)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--share-vcpu: the VMs share one vCPU; leave out -c");
	if (!engine_has_monitor(plan->engine))
		return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
				 "--share-vcpu: needs the engine vmx or svm, which have a monitor; this is %s",
				 engine_keys[plan->engine->id]);
	if (plan_base(plan, plan->vms) - plan_base(plan, 0) > RAM_HOLE_BASE)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--share-vcpu: %u x %" PRIu64 " MiB do not fit below 3 GiB, where the "
				 "guests of one monitor have their memory; ask for less with -m",
				 plan->vms, plan->memory >> 20);
	return 0;
}

static int plan_workload(struct plan *plan, const char *text, struct error *error)
{
	if (plan->guest)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--workload is for the built-in firmware; leave out GUEST");
	plan->workload = malloc(sizeof(*plan->workload));
	if (!plan->workload)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	return workload_parse(plan->workload, text, plan->image.operations,
			      plan->image.operation_count, error);
}

/* A workload of nothing would spin for ever. */
static int check_workload(const struct plan *plan, struct error *error)
{
	const char *why = NULL;

	for (uint32_t n = 1; n <= plan->image.operation_count; n++) {
		if (plan_bit(plan->selected, n))
			return 0;
		why = plan->skipped[n - 1] ? plan->skipped[n - 1] : why;
	}
	return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
			 "nothing of the workload can be performed here: %s", why ? why : "?");
}

static bool matches(const struct plan *plan, const struct plan_request *request, uint32_t number)
{
	const char *name = plan->image.operations[number - 1].name;

	if (plan->workload)
		return plan->workload->pace[number - 1].count != 0;
	if (request->pattern_count == 0)
		return true;
	return patterns_name(request->patterns, request->pattern_count, name);
}

/* Those that every VM has. */
static uint64_t common_services(const struct plan *plan)
{
	uint64_t common = UINT64_MAX;

	for (unsigned i = 0; i < plan->vms; i++)
		common &= plan->services[i].enabled;
	return common;
}

/* The empty loop is performed with every selection: it is what other costs are compared with. */
static void select_operations(struct plan *plan, const struct plan_request *request,
			      const struct host *host)
{
	const struct needs_run run = {
		.engine = plan->engine,
		.host = host,
		.embodiment = plan->embodiment,
		.services = common_services(plan),
		.vcpus = plan->vcpus,
		.default_views = !plan->views || plan->guest,
		.scratch_disk = plan->scratch_disk,
		.share_vcpu = plan->share_vcpu,
		.bare = plan->bare,
		.has_ve = plan->has_ve,
	};

	for (uint32_t n = 1; !plan->differential && n <= plan->image.operation_count; n++) {
		const struct ss_operation *op = &plan->image.operations[n - 1];

		if (matches(plan, request, n)) {
			plan->skipped[n - 1] = needs_lacking(&run, op);
			if (!plan->skipped[n - 1])
				set_bit(plan->selected, n);
		} else if (op->kind == SS_KIND_NOTHING && !plan->workload) {
			set_bit(plan->hidden, n);
		}
	}
}

static int read_views(struct plan *plan, const struct plan_request *request, struct error *error)
{
	struct engine_target target;
	struct policy_file file;
	int rc;

	engine_target_init(&target, plan->engine, &plan->offer, plan->platform, plan->memory);
	rc = policy_load(&file, request->views,
			 &(struct policy_subject){
				 .image = &plan->image,
				 .target = &target.view,
				 .engine = engine_keys[plan->engine->id],
				 .lenient = request->lenient,
			 },
			 request->diagnostics, error);
	if (rc == 0) {
		plan->policy = file.policy;
		file.policy = (struct view_policy){0};
	}
	plan->frames = gpa_at(BOOT_FRAMES);
	plan->tagged_views = BOOT_FRAME_COUNT;
	policy_file_finish(&file);
	return rc;
}

/* Views beyond the few named ones exist only for the operations that want a full list. */
static int default_views(struct plan *plan, struct error *error)
{
	unsigned views = DEFAULT_POLICY_VIEWS;
	struct default_policy_layout layout;

	if (plan->platform == PLATFORM_PC)
		return policy_add_view(&plan->policy, "all", VIEW_RIGHTS_ALL, NULL) == 0
			       ? 0
			       : error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");

	for (uint32_t n = 1; n <= plan->image.operation_count; n++)
		if (plan_bit(plan->selected, n) &&
		    strstr(plan->image.operations[n - 1].needs, NEEDS_ALL_VIEWS))
			views = VIEW_MAX;
	plan->frames = boot_frames(plan->memory, views);
	plan->tagged_views = views;
	plan->kernel = image_read_only(&plan->image);
	layout = (struct default_policy_layout){gpa_at(BOOT_WINDOW), plan->frames, plan->kernel, plan->has_ve};
	if (default_policy(&plan->policy, &layout, views) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	return 0;
}

const char *const trace_mode_keys[TRACING_MODE_COUNT] = {TRACE_MODES(LIST_KEY)};

const char *const flag_path_keys[FLAG_PATH_COUNT] = {FLAG_PATHS(LIST_KEY)};

const char *const embodiment_keys[SS_EMBODIMENT_COUNT] = {"", SS_EMBODIMENTS(LIST_KEY)};

const char *const on_ask_keys[FLAGS_ON_ASK_COUNT] = {FLAGS_ON_ASKS(LIST_KEY)};

const char *const on_violation_keys[ON_VIOLATION_COUNT] = {ON_VIOLATIONS(LIST_KEY)};

#define FLAGS_WITH_OWNER (SS_CR0_TS | SS_CR0_MP)

static uint64_t nth(const uint64_t *values, unsigned count, unsigned n)
{
	return count == 0 ? 0 : values[n < count ? n : count - 1];
}

/* The flags of one VM, from what was asked for it. Without --own and --shadow a path other than cpu is
 * for both flags. */
static int plan_flags(struct flag_plan *flags, const struct plan_request *request, unsigned vm,
		      struct error *error)
{
	uint64_t owned = nth(request->owned, request->owned_count, vm);
	uint64_t kept = nth(request->kept, request->kept_count, vm);
	uint64_t asked = nth(request->asked, request->asked_count, vm);
	uint64_t masked = (request->owned_count ? FLAGS_WITH_OWNER & ~owned : 0) | kept | asked;
	const uint64_t named = FLAGS_WITH_OWNER | owned | kept | asked;

	if (asked & (owned | kept))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--ask names a flag of VM %u that --own or --shadow names too; a flag has "
				 "one place",
				 vm);
	if (owned & kept)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--own and --shadow name the same flag for VM %u; a flag has one place",
				 vm);
	if (!request->owned_count && !request->kept_count && !request->asked_count &&
	    request->flag_path > FLAG_PATH_CPU)
		masked = FLAGS_WITH_OWNER;
	if (request->flag_path == FLAG_PATH_CPU && masked)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--flag-path cpu serves owned flags only; leave out --shadow and own all, "
				 "or choose another path");
	if (request->flag_path == FLAG_PATH_MONITOR || request->flag_path == FLAG_PATH_ENLIGHTENED)
		kept = masked;
	if (request->embodiment == SS_EMBODIMENT_SINGLE_MASK && masked & ~kept)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--embodiment single-mask keeps every flag that is not owned; name those "
				 "of VM %u in --shadow, or choose another embodiment",
				 vm);
	if (request->flag_path == FLAG_PATH_ENLIGHTENED && PLAN_CR4(masked))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--flag-path enlightened is for flags of CR0, which the guest has words of; "
				 "choose another path for those of CR4");
	*flags = (struct flag_plan){named, masked, kept, masked, kept};
	if (request->flag_path == FLAG_PATH_ENLIGHTENED)
		flags->masked = flags->kept = 0;
	return 0;
}

static int plan_masks(struct plan *plan, const struct plan_request *request, struct error *error)
{
	for (unsigned i = 0; i < plan->vms; i++) {
		int rc = plan_flags(&plan->flags[i], request, i, error);

		if (rc != 0)
			return rc;
		if (plan->flags[i].masked && !engine_has_monitor(plan->engine))
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "flags that the guest does not own: needs: masks; host: "
					 "engine %s " NEEDS_NO_MASKS "; --flag-path "
					 "enlightened works on every engine",
					 engine_keys[plan->engine->id]);
	}
	plan->flag_path = request->flag_path;
	return 0;
}

/* Where KVM interprets the guest, every instruction would be a sample: only if somebody wants that. */
static enum trace_mode trace_mode(const struct plan_request *request, const struct host *host)
{
	bool interpreted = host && host->backend == HOST_BACKEND_PVM;

	/* What happens at L0 on a vCPU of several guests cannot be told apart. */
	if (request->share_vcpu)
		return TRACING_OFF;
	return interpreted && request->trace == TRACING_SAMPLE && !request->trace_asked
		       ? TRACING_COUNT
		       : request->trace;
}

/* On hardware nobody is asked before the processor switches views. */
static int plan_services(struct plan *plan, const struct plan_request *request, struct error *error)
{
	const uint64_t view = UINT64_C(1) << SS_SERVICE_VIEW;

	for (unsigned i = 0; i < plan->vms; i++) {
		unsigned given = request->services_count;
		struct service_table *table = &plan->services[i];

		*table = given == 0 ? service_list_default()
				    : request->services[i < given ? i : given - 1];
		if (table->enabled & table->home & view)
			return error_set(error, -EINVAL, STATUS_USAGE,
					 "--services view:view0: no other view could be left again; leave "
					 "out :view0");
		if (table->enabled & (table->cpl0 | table->mode64 | table->protected) & view &&
		    plan->engine->id == ENGINE_VMX)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "--services view:%s: needs: a check of the caller; host: in engine "
					 "vmx VMFUNC 0 is the processor's, which has none; leave it out",
					 table->cpl0 & view     ? "cpl0"
					 : table->mode64 & view ? "long"
								: "protected");
	}
	return 0;
}

/* That the image fits into the memory, with what a kernel is given besides. */
static int plan_boot(struct plan *plan, const struct plan_request *request, struct error *error)
{
	int rc;

	if (plan->platform != PLATFORM_PC)
		return image_check_fit(&plan->image, plan->memory, error);
	rc = boot_files_open(&plan->boot, request->command_line, request->boot_files, request->boot_file_count, error);
	return rc == 0 ? pc_boot_check(&plan->image, &plan->boot.boot, plan->memory, error) : rc;
}

/* The built-in firmware has a disk to try things on; another guest has what it is given. */
static int plan_disk(struct plan *plan, const struct plan_request *request, struct error *error)
{
	int rc;

	plan->scratch_disk = !request->disk && !request->guest;
	if (!request->disk)
		return 0;
	rc = storage_open(&plan->storage, request->disk, error);
	if (rc == 0 && plan->vms > 1 && !plan->storage.read_only)
		rc = error_set(error, -EINVAL, STATUS_USAGE,
			       "--disk: %u VMs would write one file; add :ro to have them read it, or "
			       "run one VM",
			       plan->vms);
	return rc;
}

int plan_make(struct plan *plan, const struct plan_request *request, const struct host *host,
	      struct error *error)
{
	int rc;

	*plan = (struct plan){
		.memory = request->memory,
		.vcpus = request->vcpus,
		.vms = request->vms,
		.bare = host && host->backend == HOST_BACKEND_BARE,
		.share_vcpu = request->share_vcpu && request->vms > 1,
		.slice_ms = request->share_vcpu && request->vms > 1 ? request->slice_ms : 0,
		.timeout_ms = request->timeout_ms,
		.iterations = request->iterations,
		.on_violation = request->on_violation,
		.embodiment = request->embodiment ? request->embodiment : SS_EMBODIMENT_TWO_WORDS,
		.on_ask = request->on_ask,
		.trace = trace_mode(request, host),
		.jail = request->jail,
		.differential = request->differential,
		.guest = request->guest,
		.command = request->command,
		.date = request->date,
		.ledger = request->ledger,
		.pid_file = request->pid_file,
		.views = request->views,
		.storage = {.fd = -1},
	};
	rc = request->guest ? image_open(&plan->image, request->guest, error)
			    : image_builtin(&plan->image, error);
	if (rc == 0 && image_allow_marks(&plan->image) != 0)
		rc = error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	if (rc == 0)
		rc = choose_platform(plan, request, error);
	if (rc == 0)
		rc = choose_engine(plan, request, host, error);
	if (rc == 0)
		rc = check_platform(plan, host, error);
	if (rc == 0)
		rc = check_counts(plan, host, error);
	if (rc == 0)
		rc = check_memory(plan, host, error);
	if (rc == 0)
		rc = check_sharing(plan, request, error);
	if (rc == 0)
		rc = plan_boot(plan, request, error);
	if (rc == 0)
		rc = symbol_set_open(&plan->symbols, request->symbols, request->symbol_count, error);
	if (rc == 0)
		rc = patterns_check(request->patterns, request->pattern_count, plan->image.operations,
				    plan->image.operation_count, error);
	if (rc == 0 && request->workload)
		rc = plan_workload(plan, request->workload, error);
	if (rc == 0)
		rc = plan_masks(plan, request, error);
	if (rc == 0)
		rc = plan_services(plan, request, error);
	if (rc == 0)
		rc = plan_disk(plan, request, error);
	if (rc == 0) {
		plan->has_ve = plan->offer.caps.ve;
		select_operations(plan, request, host);
		rc = request->views ? read_views(plan, request, error)
				    : default_views(plan, error);
	}
	if (rc == 0 && plan->workload)
		rc = check_workload(plan, error);
	if (rc != 0)
		plan_finish(plan);
	return rc;
}

void plan_finish(struct plan *plan)
{
	image_close(&plan->image);
	free(plan->workload);
	plan->workload = NULL;
	policy_finish(&plan->policy);
	storage_close(&plan->storage);
	boot_files_close(&plan->boot);
	symbol_set_close(&plan->symbols);
	plan->engine = NULL;
}
