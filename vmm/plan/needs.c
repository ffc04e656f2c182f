/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/needs.h"

#include <string.h>
#include <sys/mman.h>

/* Words of an operation's `needs`, and why the run lacks them; NULL: it has them. */
static const char *lacks_views(const struct needs_run *run)
{
	if (!run->default_views)
		return "needs: default views; host: --views replaces them";
	if (run->vcpus > 1 && run->engine->views_are_slots)
		return "needs: views; host: engine flat has one view for all vCPUs of a VM, and there "
		       "are several";
	return run->services >> SS_SERVICE_VIEW & 1 ? NULL : "needs: views; host: --services leaves out view";
}

/* A page that is locked and unlocked: limit and privilege are the host's to judge. */
static const char *lacks_pin(const struct needs_run *run)
{
	static const char page[1];

	if (!run->host || (mlock(page, sizeof(page)) == 0 && munlock(page, sizeof(page)) == 0))
		return NULL;
	return "needs: pin; host: no memory may be locked; raise RLIMIT_MEMLOCK (ulimit -l)";
}

static const char *lacks_hypercall(const struct needs_run *run)
{
	if (!run->host || engine_has_monitor(run->engine) || run->host->backend == HOST_BACKEND_VMX ||
	    run->host->backend == HOST_BACKEND_SVM ||
	    run->host->capability[HOST_CAP_disable_quirks2] & 1 << 5)
		return NULL;
	return "needs: hypercall; host: this KVM patches hypercall instructions and cannot be told "
	       "not to";
}

static const char *lacks_disk(const struct needs_run *run)
{
	if (!run->scratch_disk)
		return "needs: disk; host: --disk names a file, which the catalogue does not overwrite";
	if (run->share_vcpu)
		return "needs: disk; host: VMs that share a vCPU have none";
	return run->vcpus > 1 ? "needs: disk; host: the vCPUs of a VM share one disk, and there are "
				 "several"
			       : NULL;
}

static const char *lacks_ve(const struct needs_run *run)
{
	if (!run->host || run->has_ve)
		return NULL;
	return run->engine->id != ENGINE_VMX ? "needs: ve; host: only processors with VMX have #VE"
					      : "needs: ve; host: KVM has no #VE for a nested guest";
}

static const char *lacks_shared(const struct needs_run *run)
{
	return run->share_vcpu ? NULL : "needs: shared; host: no other guest shares the vCPU (--share-vcpu)";
}

/* A word stands for services that every VM must have, for a monitor, and for what only a function can say. */
#define SERVICE(name) (UINT64_C(1) << SS_SERVICE_##name)
static const struct need {
	const char *word;
	uint64_t services;
	bool monitor;
	const char *why; /* without one of these */
	const char *(*lacks)(const struct needs_run *run);
} need_words[] = {
	{"views", 0, false, NULL, lacks_views},
	{NEEDS_ALL_VIEWS, 0, false, NULL, lacks_views},
	{"map", SERVICE(MAP), false, "needs: map; host: --services leaves out map", NULL},
	{"monitor", 0, true, "needs: monitor; host: engine flat has no relay in front of the VMM", NULL},
	{"masks", 0, true, "needs: masks; host: engine flat " NEEDS_NO_MASKS, NULL},
	{"hypercall", 0, false, NULL, lacks_hypercall},
	{"interrupt", SERVICE(INTERRUPT), false,
	 "needs: interrupt; host: --services leaves out interrupt", NULL},
	{"pin", SERVICE(PIN) | SERVICE(UNPIN), false,
	 "needs: pin; host: --services leaves out pin or unpin", lacks_pin},
	{"disk", 0, false, NULL, lacks_disk},
	{"ve", 0, false, NULL, lacks_ve},
	{"shared", 0, true, "needs: shared; host: engine flat has no monitor that could switch", lacks_shared},
};

static const char *lacks_word(const struct needs_run *run, const struct need *need)
{
	if (need->services & ~run->services)
		return need->why;
	if (need->monitor && !engine_has_monitor(run->engine))
		return need->why;
	return need->lacks ? need->lacks(run) : NULL;
}

/* What the bare monitor does not serve. */
static bool needs_vmm(const struct ss_operation *op)
{
	return op->kind == SS_KIND_PIN || op->kind == SS_KIND_DISK;
}

const char *needs_lacking(const struct needs_run *run, const struct ss_operation *op)
{
	const char *word = op->needs;

	if (run->bare && needs_vmm(op))
		return "needs: vmm; host: bare, where no process serves the guest";

	if (run->embodiment == SS_EMBODIMENT_SINGLE_MASK && op->masked & ~op->kept)
		return "needs: flags for the VMM; host: --embodiment single-mask keeps all that are not "
		       "owned";
	if (op->setup != SS_SETUP_NONE && op->setup != SS_SETUP_VE && run->vcpus > 1)
		return "needs: list; host: the vCPUs of a VM share one view list, which this would "
		       "change";
	while (*word) {
		size_t length = strcspn(word, " ");
		const char *why = "needs: a word that this version does not know";

		for (size_t i = 0; i < sizeof(need_words) / sizeof(need_words[0]); i++)
			if (strlen(need_words[i].word) == length &&
			    memcmp(need_words[i].word, word, length) == 0)
				why = lacks_word(run, &need_words[i]);
		if (why)
			return why;
		word += length;
		word += strspn(word, " ");
	}
	return NULL;
}
