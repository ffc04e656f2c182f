/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/engine_target.h"

#include <stdio.h>

#include "guestfw/abi.h"
#include "vmm/guest/guest_ram.h"

/* What nested EPT and NPT have wherever KVM offers them (arch/x86/kvm/vmx/nested.c,
 * nested_vmx_setup_ctls_msrs); the width is that of the smallest server processors that have
 * VMFUNC. */
static const struct paging_caps assumed = {
	.has_2m = true,
	.has_1g = true,
	.maxphyaddr = 46,
};

size_t engine_ranges(uint64_t size, struct gpa_range ranges[ENGINE_RANGES_MAX])
{
	const struct guest_ram ram = {.size = size};

	ranges[0] = (struct gpa_range){gpa_at(0), guest_ram_low(&ram)};
	ranges[1] = (struct gpa_range){gpa_at(SS_MMIO_GPA), GPA_PAGE_SIZE};
	ranges[2] = (struct gpa_range){gpa_at(RAM_HIGH_BASE), guest_ram_high(&ram)};
	return ranges[2].size ? 3 : 2;
}

void engine_target_init(struct engine_target *target, const struct engine *engine,
			const struct host *host, uint64_t memory)
{
	char reason[160] = "no KVM";

	*target = (struct engine_target){.view.format = engine->format};
	target->view.memory =
		(struct guest_memory){target->ranges, engine_ranges(memory, target->ranges)};
	if (host && engine->paging_caps(host, &target->view.caps, reason, sizeof(reason)) == 0) {
		snprintf(target->basis, sizeof(target->basis), "what this host offers");
		return;
	}
	target->view.caps = assumed;
	snprintf(target->basis, sizeof(target->basis),
		 "assumed: large pages, no execute-only; this host: %s", reason);
}
