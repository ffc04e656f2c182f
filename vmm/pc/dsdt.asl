// SPDX-License-Identifier: GPL-2.0-only
// What of the platform `pc` a guest cannot find otherwise: how to turn it off, the serial line, where to tell a panic.
// The rest is in the tables that acpi.c writes.
#include "pc_map.h"

DefinitionBlock ("", "DSDT", 2, "SDSTEP", "SIDESTEP", 1)
{
	Name (\_S5, Package () { PC_SLEEP_TYPE_OFF, PC_SLEEP_TYPE_OFF, 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, PC_SERIAL_PORT, PC_SERIAL_PORT, 0, 8)
				IRQNoFlags () { PC_SERIAL_IRQ }
			})
		}

		Device (PANI)
		{
			Name (_HID, "QEMU0001")
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, PC_PANIC_PORT, PC_PANIC_PORT, 0, 1)
			})
		}
	}
}
