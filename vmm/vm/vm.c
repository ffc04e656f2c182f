/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "views/effect.h"
#include "vmm/guest/boot.h"

int vm_set_rights(struct vm *vm, uint32_t view, uint32_t region, unsigned rights)
{
	unsigned before;
	int rc;

	if (view >= vm->policy.view_count || region >= vm->policy.region_count)
		return -ENOENT;
	before = policy_effect(&vm->policy, view, vm->policy.regions[region].gpa).rights;
	rc = -policy_error_number(vm->plan->engine->format->check_rights(rights, &vm->vmfunc.caps));
	if (rc != 0 || rights == before)
		return rc;
	vm->open_page = 0;
	rc = policy_set_rights(&vm->policy, view, region, rights);
	if (rc != 0)
		return rc;
	rc = vm->ops->rights_changed(vm, view, region);
	/* The rule is there now, so this cannot fail. */
	if (rc != 0)
		policy_set_rights(&vm->policy, view, region, before);
	return rc;
}

bool vm_stop(struct vm *vm, enum stop_cause cause, int status, const char *format, ...)
{
	va_list args;
	bool first;

	pthread_mutex_lock(&vm->stop_lock);
	first = vm->why.cause == STOP_NONE;
	if (first) {
		vm->why.cause = cause;
		vm->why.status = status;
		va_start(args, format);
		vsnprintf(vm->why.text, sizeof(vm->why.text), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&vm->stop_lock);
	atomic_store(&vm->stop, true);
	return first;
}

struct expect_environment vm_environment(const struct vm *vm)
{
	const struct plan *plan = vm->plan;
	struct expect_environment environment = {
		.engine = plan->engine->id,
		.backend = vm->host->backend,
		.traits = vm->host->traits,
		.embodiment = plan->embodiment,
		.on_ask = plan->on_ask,
		.policy = &plan->policy,
		.window = gpa_at(BOOT_WINDOW),
		.kernel = plan->kernel.start,
		.vmfunc = vm->vmfunc,
		.inject = plan->on_violation == ON_VIOLATION_INJECT,
		.alone = plan->vcpus == 1,
	};

	environment.vmfunc.list = vm->view_list;
	environment.vmfunc.eptp = vm->view_list[0];
	return environment;
}

struct ss_flag_words vm_words(const struct vm *vm, const struct ss_operation *op)
{
	const enum ss_embodiment embodiment = vm->plan->embodiment;

	if (op)
		return boot_words(embodiment, SS_CR0_BASE, op->masked, op->kept, op->shadow, op->cr0);
	return boot_words(embodiment, SS_CR0_BASE, PLAN_CR0(vm->flags->word_masked), PLAN_CR0(vm->flags->word_kept),
			  SS_CR0_BASE, 0);
}
