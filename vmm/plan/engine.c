/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/engine.h"

#include <errno.h>
#include <string.h>

#include "vmm/ledger/hw_reason.h"
#include "vmm/plan/svm_caps.h"
#include "vmm/plan/vmx_caps.h"

/* What nested EPT and NPT have wherever KVM offers them (arch/x86/kvm/vmx/nested.c,
 * nested_vmx_setup_ctls_msrs); the width is that of the smallest server processors that have
 * VMFUNC. */
static const struct paging_caps assumed = {
	.has_2m = true,
	.has_1g = true,
	.maxphyaddr = 46,
};

/* Only the width has a meaning for memory slots. */
static int flat_paging_caps(const struct host *host, struct paging_caps *ret_caps, char *reason,
			    size_t size)
{
	(void)reason;
	(void)size;
	*ret_caps = (struct paging_caps){.maxphyaddr = host_maxphyaddr(host)};
	return 0;
}

static int svm_paging_caps(const struct host *host, struct paging_caps *ret_caps, char *reason,
			   size_t size)
{
	struct svm_caps caps;
	int rc = svm_caps_read(host, &caps, reason, size);

	if (rc == 0)
		*ret_caps = caps.paging;
	return rc;
}

static const char *svm_reason_name(uint64_t reason)
{
	return hw_reason_name(ISA_SVM, reason);
}

static int vmx_paging_caps(const struct host *host, struct paging_caps *ret_caps, char *reason,
			   size_t size)
{
	struct vmx_caps caps;
	int rc = 0;

	if (host->backend == HOST_BACKEND_BARE)
		vmx_caps_assume(host_maxphyaddr(host), &caps);
	else if (!host_has_nested(host, true, reason, size))
		rc = -EOPNOTSUPP;
	else
		rc = vmx_caps_read(host->kvm, host_maxphyaddr(host), &caps, reason, size);
	if (rc != 0)
		return rc;
	*ret_caps = caps.paging;
	/* A vmcs12 has no field for the page that a #VE needs (arch/x86/kvm/vmx/vmcs12.h). */
	ret_caps->ve = host->backend == HOST_BACKEND_BARE && caps.controls[VMX_WORD_secondary] & VMX_VE;
	return 0;
}

static const char *vmx_reason_name(uint64_t reason)
{
	return hw_reason_name(ISA_VMX, reason);
}

static const struct engine flat = {
	.id = ENGINE_FLAT,
	.format = &paging_slots,
	.paging_caps = flat_paging_caps,
	.views_are_slots = true,
};

static const struct engine svm = {
	.id = ENGINE_SVM,
	.format = &paging_formats[PAGING_NPT],
	.paging_caps = svm_paging_caps,
	.reason_name = svm_reason_name,
	.context_flags = SS_CONTEXT_MONITOR | SS_CONTEXT_VMMCALL,
};

static const struct engine vmx = {
	.id = ENGINE_VMX,
	.format = &paging_formats[PAGING_EPT],
	.paging_caps = vmx_paging_caps,
	.reason_name = vmx_reason_name,
	.context_flags = SS_CONTEXT_MONITOR,
};

const struct engine *const engines[] = {&flat, &svm, &vmx};
const size_t engine_count = sizeof(engines) / sizeof(engines[0]);

struct engine_offer engine_ask(const struct engine *engine, const struct host *host)
{
	struct engine_offer offer = {.rc = -ENODEV, .reason = "no KVM"};

	if (host)
		offer.rc = engine->paging_caps(host, &offer.caps, offer.reason, sizeof(offer.reason));
	if (offer.rc != 0)
		offer.caps = assumed;
	return offer;
}

const struct engine *engine_by_key(const char *key)
{
	for (size_t i = 0; i < engine_count; i++)
		if (strcmp(engine_keys[engines[i]->id], key) == 0)
			return engines[i];
	return NULL;
}

/* What an engine lacks that a kernel needs; NULL: nothing. */
static const char *kernel_lacks(const struct engine *engine, const struct engine_wish *wish)
{
	if (!engine_has_monitor(engine))
		return wish->monitor ? "a monitor, for --views, --own, --shadow, --ask and --flag-path; a kernel gets these from "
				       "the engines vmx and svm"
				     : NULL;
	if (wish->vcpus > 1)
		return "one vCPU, as their monitor cannot start others yet; leave out -c, or use --engine flat";
	return wish->starts_64 ? NULL : "a kernel that starts in 64-bit mode; use --engine flat for this one";
}

static bool is_candidate(const struct engine *engine, const struct engine_wish *wish, bool automatic)
{
	if (!automatic)
		return strcmp(wish->key, engine_keys[engine->id]) == 0;
	return !wish->kernel || engine_has_monitor(engine) == wish->monitor;
}

int engine_choose(const struct engine_wish *wish, const struct host *host, const struct engine **ret_engine,
		  struct engine_offer *ret_offer, struct error *error)
{
	const bool automatic = strcmp(wish->key, "auto") == 0;

	for (size_t i = engine_count; i-- > 0;) {
		const struct engine *engine = engines[i];
		const char *lacks = wish->kernel ? kernel_lacks(engine, wish) : NULL;

		if (!is_candidate(engine, wish, automatic))
			continue;
		if (lacks)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED, "engine %s: needs: %s",
					 engine_keys[engine->id], lacks);
		*ret_offer = engine_ask(engine, host);
		if (!host || ret_offer->rc == 0) {
			*ret_engine = engine;
			return 0;
		}
		if (!automatic)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "engine %s cannot run here: needs: %s; host: %s; --engine flat runs on any KVM",
					 wish->key, wish->key, ret_offer->reason);
	}
	if (automatic)
		return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
				 "--views, --own, --shadow, --ask and --flag-path: needs: the engine vmx or svm for a kernel; "
				 "host: no nested VMX or SVM; leave them out, or load kvm_intel or kvm_amd with nested=1");
	return error_set(error, -EINVAL, STATUS_USAGE, "unknown engine '%s'; engines are auto, flat, vmx, svm", wish->key);
}
