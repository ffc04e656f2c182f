/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the devices of the platform `pc` are: ports, interrupt lines, addresses. Numbers only: the compiler of
 * vmm/pc/dsdt.asl reads this too. Ports and lines of the serial line, the clock, the keyboard controller and port 92 are
 * those of every PC; the ones of the firmware configuration and of the test device are QEMU's (docs/specs/fw_cfg.rst and
 * hw/misc/pc-testdev.c there), because guests look for them there; those of ACPI are told to the guest by the FADT.
 */
#ifndef DEVICES_PC_MAP_H
#define DEVICES_PC_MAP_H

#define PC_SERIAL_PORT 0x3f8
#define PC_SERIAL_IRQ 4

#define PC_CMOS_PORT 0x70 /* index, data */
#define PC_CMOS_IRQ 8
#define PC_KEYBOARD_DATA 0x60
#define PC_KEYBOARD_COMMAND 0x64
#define PC_PORT_92 0x92
#define PC_RESET_CONTROL 0xcf9

/* ACPI: PM1a event and control block, the timer, and a register of our own for resets. */
#define PC_SCI_IRQ 9
#define PC_PM1_EVENT 0x600
#define PC_PM1_EVENT_SIZE 4
#define PC_PM1_CONTROL 0x604
#define PC_PM1_CONTROL_SIZE 2
#define PC_PM_TIMER 0x608
#define PC_PM_TIMER_SIZE 4
#define PC_ACPI_RESET 0x60c
#define PC_ACPI_RESET_VALUE 1
#define PC_SLEEP_TYPE_OFF 5 /* S5, as \_S5 tells it */

#define PC_PANIC_PORT 0x505 /* QEMU's pvpanic */

#define PC_FW_CFG_PORT 0x510 /* selector of 2 bytes, data at the next port */

/* The test device of kvm-unit-tests. */
#define PC_TEST_LATCH 0xe0
#define PC_TEST_LATCH_SIZE 4
#define PC_TEST_FLUSH 0xe4
#define PC_TEST_EXIT 0xf4
#define PC_TEST_IRQ 0x2000 /* port 0x2000 + n is line n */
#define PC_TEST_IRQ_COUNT 24
#define PC_TEST_MEMORY 0xff000000
#define PC_TEST_MEMORY_SIZE 0x10000

#define PC_IOAPIC 0xfec00000
#define PC_LOCAL_APIC 0xfee00000
#define PC_ACPI_TABLES 0xe0000 /* up to PC_ACPI_TABLES_END: the RSDP first, where a PC's is looked for */
#define PC_ACPI_TABLES_END 0xf0000

#endif
