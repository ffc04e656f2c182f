/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/acpi_pm.h"

#include "devices/pc_map.h"

#define CONTROL_SCI_EN 0x0001
#define CONTROL_GBL_RLS 0x0004 /* reads as 0, like SLP_EN */
#define CONTROL_SLP_TYP_SHIFT 10
#define CONTROL_SLP_TYP_MASK 7
#define CONTROL_SLP_EN 0x2000

#define ENABLE_OFFSET (PC_PM1_EVENT_SIZE / 2)

void acpi_pm_init(struct acpi_pm *pm, const struct clock *clock, struct power *power)
{
	*pm = (struct acpi_pm){.clock = clock, .power = power, .control = CONTROL_SCI_EN};
}

/* Status is 0 at any time; to write it clears bits. */
static uint64_t event_read(void *device, uint64_t offset, unsigned size)
{
	const struct acpi_pm *pm = device;

	(void)size;
	return bus_part((uint64_t)pm->enable << 8 * ENABLE_OFFSET, offset);
}

static void event_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = device;
	uint64_t block = bus_merge((uint64_t)pm->enable << 8 * ENABLE_OFFSET, offset, size, value);

	pm->enable = (uint16_t)(block >> 8 * ENABLE_OFFSET);
}

const struct bus_ops acpi_pm_event_ops = {event_read, event_write};

static uint64_t control_read(void *device, uint64_t offset, unsigned size)
{
	const struct acpi_pm *pm = device;

	(void)size;
	return bus_part(pm->control, offset);
}

/* Without firmware there is no way out of ACPI mode. */
static void control_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = device;
	uint16_t control = (uint16_t)bus_merge(pm->control, offset, size, value);

	pm->control = (uint16_t)((control & ~(CONTROL_SLP_EN | CONTROL_GBL_RLS)) | CONTROL_SCI_EN);
	if (control & CONTROL_SLP_EN && (control >> CONTROL_SLP_TYP_SHIFT & CONTROL_SLP_TYP_MASK) == PC_SLEEP_TYPE_OFF)
		power_end(pm->power, POWER_OFF_ACPI);
}

const struct bus_ops acpi_pm_control_ops = {control_read, control_write};

/* Seconds apart from their fractions, because the product of nanoseconds and frequency does not fit into 64 bits. */
static uint64_t timer_read(void *device, uint64_t offset, unsigned size)
{
	const struct acpi_pm *pm = device;
	uint64_t now = clock_now(pm->clock);
	uint32_t ticks = (uint32_t)(now / NANOSECONDS * ACPI_PM_HZ + now % NANOSECONDS * ACPI_PM_HZ / NANOSECONDS);

	(void)size;
	return bus_part(ticks, offset);
}

const struct bus_ops acpi_pm_timer_ops = {timer_read, NULL};

static void reset_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = device;

	(void)offset;
	(void)size;
	if (value == PC_ACPI_RESET_VALUE)
		power_end(pm->power, POWER_RESET_ACPI);
}

const struct bus_ops acpi_reset_ops = {NULL, reset_write};
