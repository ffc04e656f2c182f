/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In a lab: what it takes that a right which is taken away is gone. The VMM rewrites the tables and then
 * does nothing; has the relay touch what was rewritten; or has KVM drop everything by a memory slot. The
 * first must show that the guest still gets at the page, or the others prove nothing. Arguments: the
 * engine, the guest. Exit status 0, 1, or 77 where the engine cannot run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/command/session.h"
#include "vmm/engine/monitor.h"

#define REGION SS_WINDOW_SHARED /* of the default views: regions have the order of the pages */
#define ROUNDS 200              /* of the guest */

enum way { NOTHING, TOUCH, SLOT };

static const char *const way_names[] = {"nothing", "touched by the relay", "slot deleted"};
static enum way way;

/* Takes the rights and gives them back in turn. */
static void hook(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	const bool there = vm->policy.views[0].rule_count == 0 ||
			   vm->policy.views[0].rules[0].rights != 0;
	const unsigned rights = there ? 0 : VIEW_RIGHTS_ALL;
	struct ept_change change;
	int rc;

	if (way == NOTHING) {
		rc = policy_set_rights(&vm->policy, 0, REGION, rights);
		if (rc == 0)
			rc = ept_live_update(vm_monitor(vm)->live, &vm->policy, 0, REGION, &change);
	} else {
		vcpu->relay_waits = way == TOUCH;
		rc = vm_set_rights(vm, 0, REGION, rights);
		vcpu->relay_waits = true;
	}
	if (rc != 0)
		vm_stop(vm, STOP_HOST, STATUS_INTERNAL, "rights: %s", strerror(-rc));
}

static int run(const char *engine, const char *guest, uint64_t *ret_stale, uint64_t *ret_ticks)
{
	struct settings settings = {
		.plan = {.engine = engine, .guest = guest, .vcpus = 1, .vms = 1,
			 .timeout_ms = 60000},
	};
	static struct session session;
	struct error error = {0};
	int status = 99;

	if (session_start(&session, &settings, -1, &error) == 0) {
		session.machine.vms[0].on_null_hypercall = hook;
		if (session_run(&session, false, &error) == 0) {
			const volatile struct ss_vcpu_page *page =
				session.machine.vms[0].vcpus[0].page;

			status = session.machine.why.status;
			*ret_stale = page->done;
			*ret_ticks = page->result.value;
		}
	}
	session_finish(&session);
	if (error.text[0])
		status = error_report(&error);
	return status;
}

int main(int argc, char **argv)
{
	int wrong = 0;

	if (argc != 3)
		return 2;
	printf("%-22s %-22s %s\n", "afterwards", "accesses that succeed", "ticks, both ways");
	for (way = NOTHING; way <= SLOT; way++) {
		uint64_t stale = 0, ticks = 0;
		int status = run(argv[1], argv[2], &stale, &ticks);

		if (status == STATUS_SKIPPED)
			return 77;
		printf("%-22s %3" PRIu64 " of %-15d %" PRIu64 "\n", way_names[way], stale, ROUNDS, ticks);
		wrong += status != 0 || (way == NOTHING ? stale == 0 : stale != 0);
	}
	return wrong != 0;
}
