/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "views/effect.h"

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

void vm_stop(struct vm *vm, enum stop_cause cause, int status, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&vm->stop_lock);
	if (vm->why.cause == STOP_NONE) {
		vm->why.cause = cause;
		vm->why.status = status;
		va_start(args, format);
		vsnprintf(vm->why.text, sizeof(vm->why.text), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&vm->stop_lock);
	atomic_store(&vm->stop, true);
}
