/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables of the platform `pc` (ACPI Specification 6.4, chapter 5): RSDP, RSDT, XSDT, FADT, FACS, MADT, and the
 * DSDT that is compiled from dsdt.asl. They tell of processors, the IOAPIC, the serial line, the timer, and how to turn
 * the computer off and reset it; of no PCI, no keyboard controller and no clock.
 */
#ifndef VMM_PC_ACPI_H
#define VMM_PC_ACPI_H

#include "vmm/guest/guest_ram.h"

/* Writes the tables for `vcpus` processors, whose APIC identifiers are 0, 1, 2..., into guest memory, which reaches
 * beyond PC_ACPI_TABLES_END. Returns where the RSDP is. Without `timer` they do not tell of the PM timer. */
uint64_t acpi_write(const struct guest_ram *ram, unsigned vcpus, bool timer);

#endif
