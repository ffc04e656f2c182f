/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/engine_target.h"

#include <stdio.h>

#include "devices/pc_map.h"
#include "guestfw/abi.h"
#include "vmm/guest/guest_ram.h"

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

void engine_target_init(struct engine_target *target, const struct engine *engine, const struct engine_offer *offer,
			enum platform platform, uint64_t memory)
{
	*target = (struct engine_target){.view = {.format = engine->format, .caps = offer->caps}};
	target->view.memory =
		(struct guest_memory){target->ranges, engine_ranges(platform, memory, target->ranges)};
	if (offer->rc == 0)
		snprintf(target->basis, sizeof(target->basis), "what this host offers");
	else
		snprintf(target->basis, sizeof(target->basis),
			 "assumed: large pages, no execute-only; this host: %s", offer->reason);
}
