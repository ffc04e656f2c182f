/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/run_description.h"

#include <stdio.h>
#include <string.h>

#include "vmm/plan/vm_plan.h"

void run_describe(const struct plan *plan, const struct host *host, struct ledger *ledger)
{
	const struct image *image = &plan->image;
	char number[24];

	ledger_append_meta(ledger, "engine", engine_keys[plan->engine->id]);
	ledger_append_meta(ledger, "backend", host_backend_keys[host->backend]);
	ledger_append_meta(ledger, "kernel", host->kernel);
	ledger_append_meta(ledger, "guest", plan->guest ? plan->guest : "built-in");
	ledger_append_meta(ledger, "platform", platform_keys[plan->platform]);
	if (plan->boot.boot.command_line && plan->boot.boot.command_line[0])
		ledger_append_meta(ledger, "append", plan->boot.boot.command_line);
	ledger_append_meta(ledger, "sidestep", SIDESTEP_VERSION);
	/* An image is run later, by whoever boots it, and is the same whenever it is made. */
	if (!plan->bare && plan->command)
		ledger_append_meta(ledger, "command", plan->command);
	if (!plan->bare && plan->date)
		ledger_append_meta(ledger, "date", plan->date);
	snprintf(number, sizeof(number), "%u", plan->vcpus);
	ledger_append_meta(ledger, "vcpus", number);
	snprintf(number, sizeof(number), "%u", plan->vms);
	ledger_append_meta(ledger, "vms", number);
	if (!plan->bare) {
		ledger_append_meta(ledger, "seccomp", jail_mode_keys[plan->jail]);
		ledger_append_meta(ledger, "landlock", host->landlock);
	}
	if (plan_counters_missing(plan, host))
		ledger_append_meta(ledger, "counters.missing", plan_counters_missing(plan, host));
	if (jail_instrumented && !plan->bare)
		ledger_append_meta(ledger, "instrumented", jail_instrumented);
	for (size_t i = 0; i < plan->policy.view_count; i++) {
		char key[32];

		snprintf(key, sizeof(key), "view.%zu", i);
		ledger_append_meta(ledger, key, plan->policy.views[i].name);
	}
	for (size_t i = 0; plan->bare && i < plan->policy.region_count; i++) {
		const struct view_region *region = &plan->policy.regions[i];
		char key[32], value[128];

		snprintf(key, sizeof(key), "region.%zu", i);
		snprintf(value, sizeof(value), "0x%llx 0x%llx %s", (unsigned long long)region->gpa.v,
			 (unsigned long long)region->size, region->name);
		ledger_append_meta(ledger, key, value);
	}
	for (size_t i = 0; i < image->operation_count; i++) {
		struct record_operation record = {
			.record = {.type = RECORD_OPERATION, .size = sizeof(record)},
			.number = (uint32_t)i + 1,
			.kind = image->operations[i].kind,
		};

		memcpy(record.name, image->operations[i].name, sizeof(record.name));
		ledger_append(ledger, &record.record);
	}
	vm_plan_record(plan, ledger);
}
