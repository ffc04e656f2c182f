/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/engine_target.h"

#include <stdio.h>

#include "devices/pc_map.h"
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

/* Pages of devices. Those of the platform pc are in KVM. */
static const struct device_page {
	enum platform platform;
	uint64_t gpa;
} device_pages[] = {
	{PLATFORM_SIDESTEP, SS_MMIO_GPA},
	{PLATFORM_PC, PC_IOAPIC},
	{PLATFORM_PC, PC_LOCAL_APIC},
};

size_t engine_ranges(enum platform platform, uint64_t size, struct gpa_range ranges[ENGINE_RANGES_MAX])
{
	const struct guest_ram ram = {.size = size};
	size_t count = 0;

	ranges[count++] = (struct gpa_range){gpa_at(0), guest_ram_low(&ram)};
	for (size_t i = 0; i < sizeof(device_pages) / sizeof(device_pages[0]); i++)
		if (device_pages[i].platform == platform)
			ranges[count++] = (struct gpa_range){gpa_at(device_pages[i].gpa), GPA_PAGE_SIZE};
	if (guest_ram_high(&ram))
		ranges[count++] = (struct gpa_range){gpa_at(RAM_HIGH_BASE), guest_ram_high(&ram)};
	return count;
}

void engine_target_init(struct engine_target *target, const struct engine *engine, const struct host *host,
			enum platform platform, uint64_t memory)
{
	char reason[160] = "no KVM";

	*target = (struct engine_target){.view.format = engine->format};
	target->view.memory =
		(struct guest_memory){target->ranges, engine_ranges(platform, memory, target->ranges)};
	if (host && engine->paging_caps(host, &target->view.caps, reason, sizeof(reason)) == 0) {
		snprintf(target->basis, sizeof(target->basis), "what this host offers");
		return;
	}
	target->view.caps = assumed;
	snprintf(target->basis, sizeof(target->basis),
		 "assumed: large pages, no execute-only; this host: %s", reason);
}
