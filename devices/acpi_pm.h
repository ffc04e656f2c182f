/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI's fixed hardware (ACPI specification, section 4.8.3): PM1a event and control registers, the power management
 * timer, and a reset register (4.8.3.6). Nothing happens of which PM1 status would tell, and so there is no SCI.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/clock.h"
#include "devices/power.h"

#define ACPI_PM_HZ UINT64_C(3579545)

struct acpi_pm {
	const struct clock *clock;
	struct power *power;
	uint16_t enable, control;
};

/* Clock and power outlive the device. ACPI is enabled from the start. */
void acpi_pm_init(struct acpi_pm *pm, const struct clock *clock, struct power *power);

/* The device of all of them is the struct acpi_pm. Each is for the range that devices/pc_map.h names. */
extern const struct bus_ops acpi_pm_event_ops; /* PC_PM1_EVENT: status, enable */
/* PC_PM1_CONTROL. SLP_EN with the sleep type PC_SLEEP_TYPE_OFF ends the computer; other types are ignored. */
extern const struct bus_ops acpi_pm_control_ops;
extern const struct bus_ops acpi_pm_timer_ops; /* PC_PM_TIMER: 32 bits, read-only */
extern const struct bus_ops acpi_reset_ops;    /* PC_ACPI_RESET, one port: PC_ACPI_RESET_VALUE resets */

#endif
