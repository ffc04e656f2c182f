/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything a run needs, decided before the first ioctl that creates something. */
#ifndef VMM_PLAN_PLAN_H
#define VMM_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "views/control_flag.h"
#include "views/flags.h"
#include "views/policy.h"
#include "views/service_table.h"
#include "vmm/guest/image.h"
#include "vmm/guest/symbol_set.h"
#include "vmm/jail/jail.h"
#include "vmm/pc/pc_boot.h"
#include "vmm/plan/boot_files.h"
#include "vmm/plan/engine.h"
#include "vmm/plan/host.h"
#include "vmm/plan/platform.h"
#include "vmm/plan/storage.h"
#include "vmm/plan/trace_mode.h"
#include "vmm/plan/workload.h"

#define PLAN_MEMORY_DEFAULT (UINT64_C(16) << 20)
#define PLAN_MEMORY_KERNEL (UINT64_C(128) << 20) /* the same, of a kernel that others wrote */
#define PLAN_VMS_MAX 64

/* Where a computer image is planned to lie in physical memory. It is moved to where there is memory, and addresses in it
 * are told from everything else by being there (guestfw/bare/plan.h). */
#define PLAN_BARE_BASE (UINT64_C(32) << 30)

/* What to do when a view forbids an access, beside recording it: ON(NAME, key, "meaning"). */
#define ON_VIOLATIONS(X)                                                                           \
	X(REPORT, "report", "reads give all ones, writes are dropped")                             \
	X(STOP, "stop", "the VM ends as a guest failure")                                          \
	X(INJECT, "inject", "the guest gets a page fault")

enum on_violation {
#define X(name, key, text) ON_VIOLATION_##name,
	ON_VIOLATIONS(X)
#undef X
	ON_VIOLATION_COUNT
};

extern const char *const on_violation_keys[ON_VIOLATION_COUNT];

/* How writes of flags that the guest does not own are carried out: PATH(NAME, key). */
#define FLAG_PATHS(X)                                                                              \
	X(AUTO, "auto")                                                                            \
	X(CPU, "cpu")                                                                              \
	X(MONITOR, "monitor")                                                                      \
	X(ENLIGHTENED, "enlightened")                                                              \
	X(VMM, "vmm")

enum flag_path {
#define X(name, key) FLAG_PATH_##name,
	FLAG_PATHS(X)
#undef X
	FLAG_PATH_COUNT
};

extern const char *const flag_path_keys[FLAG_PATH_COUNT];

extern const char *const embodiment_keys[SS_EMBODIMENT_COUNT]; /* "" for INVALID */
extern const char *const on_ask_keys[FLAGS_ON_ASK_COUNT];

/* A set of flags of both registers: those of CR0 in bits 31:0, those of CR4 above. None of one that has no owner but
 * the guest, some of which lie above bit 31. */
static inline uint64_t plan_flag(const struct control_flag *flag)
{
	return flag->fixed ? 0 : UINT64_C(1) << (flag->bit + (flag->reg == CONTROL_CR4 ? 32 : 0));
}

#define PLAN_CR0(flags) ((flags) & FLAGS_ALL)
#define PLAN_CR4(flags) ((flags) >> 32)

/* Flags of one VM, as such sets. */
struct flag_plan {
	uint64_t named;  /* those that somebody has said something about, and TS and MP */
	uint64_t masked; /* those that the processor keeps from the guest */
	uint64_t kept;   /* of these, the ones that the monitor keeps in the shadow */
	/* The same as the guest finds them in its context area; they differ from the above where the
	 * guest is to consult them and nothing is masked. */
	uint64_t word_masked, word_kept;
};

struct diagnostics;
struct differential;

/* As asked for on the command line, before it is checked against the host. */
struct plan_request {
	const char *engine; /* key, or "auto" */
	const char *command, *date; /* of the run, for those who read about it; NULL: nobody says */
	const char *guest;  /* path; NULL: the built-in firmware */
	const char *ledger; /* path or NULL */
	const char *workload; /* what the built-in firmware does for ever; NULL: its catalogue, once */
	const char *disk;   /* path, perhaps with ":ro", or NULL */
	struct symbol_request symbols[SYMBOL_FILES_MAX];
	unsigned symbol_count;
	enum platform platform;
	const char *command_line; /* of a kernel; NULL: none */
	const char *boot_files[PC_FILES_MAX]; /* paths of its initial file systems or modules */
	unsigned boot_file_count;
	const char *pid_file; /* path or NULL */
	uint64_t memory;    /* bytes; 0: the default */
	unsigned vcpus, vms;
	bool share_vcpu;     /* the VMs share one vCPU */
	unsigned slice_ms;   /* after which the next one has it; 0: only when it yields, halts or ends */
	unsigned timeout_ms; /* 0: none */
	uint32_t iterations; /* 0: each operation's own count */
	enum on_violation on_violation;
	enum trace_mode trace; /* of kvm tracepoints, where permitted; costs ticks */
	bool trace_asked;      /* by name */
	enum jail_mode jail;
	/* Flags of --own, --shadow and --ask, as plan_flag() has them; the n-th occurrence is for VM n, the last for all others */
	uint64_t owned[PLAN_VMS_MAX], kept[PLAN_VMS_MAX], asked[PLAN_VMS_MAX];
	unsigned owned_count, kept_count, asked_count;
	enum flag_path flag_path;
	enum ss_embodiment embodiment; /* INVALID: two words */
	enum flags_on_ask on_ask;
	const char *views; /* path of a policy file; NULL: the default views */
	bool lenient;      /* grant what the engine cannot withhold */
	struct diagnostics *diagnostics; /* takes what is wrong with the policy file */
	struct service_table services[PLAN_VMS_MAX]; /* of --services, as above; none given: usual */
	unsigned services_count;
	struct differential *differential; /* run programs, not the catalogue; NULL: none */
	const char *const *patterns; /* operations to perform; NULL or empty: all */
	size_t pattern_count;
};

struct plan {
	const struct engine *engine;
	struct engine_offer offer; /* of the host, for this engine */
	struct image image;
	enum platform platform; /* never AUTO */
	struct boot_files boot; /* of the platform pc */
	struct symbol_set symbols; /* of --symbols and its like; count 0: none, the image's own are all */
	struct view_policy policy;
	uint64_t memory;
	unsigned vcpus, vms;
	bool bare; /* for a computer without KVM */
	bool has_ve; /* violations can be #VE */
	bool share_vcpu;
	unsigned slice_ms; /* 0 unless they share one */
	unsigned timeout_ms;
	uint32_t iterations;
	enum on_violation on_violation;
	enum trace_mode trace;
	enum jail_mode jail;
	struct differential *differential;
	const char *guest, *ledger, *pid_file;
	const char *command, *date; /* NULL: not known */
	struct workload *workload; /* NULL: none */
	const char *views;   /* the policy file; NULL: the default views */
	size_t tagged_views; /* views that have a page of `frames` */
	struct storage storage; /* of the VMs' disks, if it is a file */
	bool scratch_disk;      /* each VM has a disk in memory */
	struct flag_plan flags[PLAN_VMS_MAX];
	enum flag_path flag_path;
	enum ss_embodiment embodiment;
	enum flags_on_ask on_ask;
	struct service_table services[PLAN_VMS_MAX];
	gpa_t frames;        /* pages that views show as their tag */
	struct gpa_range kernel; /* the guest's read-only part, for the default views */
	uint64_t selected[SS_MAX_OPERATIONS / 64];
	uint64_t hidden[SS_MAX_OPERATIONS / 64]; /* performed for calibration, not asked for */
	const char *skipped[SS_MAX_OPERATIONS];  /* why a selected operation is not performed */
};

/* Returns 0 or a negative errno with the reason in `error`. The strings of the request are used,
 * not copied. `host` may be NULL if nothing will be run: the plan then only selects. */
int plan_make(struct plan *plan, const struct plan_request *request, const struct host *host,
	      struct error *error);
void plan_finish(struct plan *plan);

/* Why exits at L0 will not be counted; NULL: they will. */
const char *plan_counters_missing(const struct plan *plan, const struct host *host);

/* Where the memory of a VM begins in that of its KVM VM: 0, unless several share one; or in that of the computer. */
uint64_t plan_base(const struct plan *plan, unsigned vm);

/* The platform that an image is made for, and how much memory it has there by default. */
static inline enum platform platform_of(enum image_format format)
{
	return image_format_is_kernel(format) ? PLATFORM_PC : PLATFORM_SIDESTEP;
}

static inline uint64_t platform_memory(enum platform platform)
{
	return platform == PLATFORM_PC ? PLAN_MEMORY_KERNEL : PLAN_MEMORY_DEFAULT;
}

/* Whether a guest can have this much memory, as far as that does not depend on the host. */
int plan_check_memory(uint64_t memory, struct error *error);

static inline bool plan_bit(const uint64_t *set, uint32_t number)
{
	return set[(number - 1) / 64] >> (number - 1) % 64 & 1;
}

#endif
