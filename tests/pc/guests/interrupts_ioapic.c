/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines through the IOAPIC to the local APIC: the serial line's, when it can take another byte, and the PIT's. */
#include "pc.h"

#define SERIAL 0x3f8
#define VECTOR_SERIAL 0x44
#define VECTOR_PIT 0x40

static volatile uint32_t ticks, empties;
static volatile uint8_t reason;

INTERRUPT(tick)
{
	ticks++;
	apic_write(APIC_END, 0);
}

INTERRUPT(empty)
{
	empties++;
	reason = inb(SERIAL + 2);
	apic_write(APIC_END, 0);
}

static void ioapic_write(uint32_t index, uint32_t value)
{
	const uint8_t *entry = madt_entry(1, 0);
	volatile uint32_t *ioapic;

	check(entry != NULL, "the MADT tells of an IOAPIC");
	check(acpi_get(entry + 8, 4) == 0, "the IOAPIC begins with interrupt 0");
	ioapic = (volatile uint32_t *)(uintptr_t)acpi_get(entry + 4, 4);
	ioapic[0] = index;
	ioapic[4] = value;
	check(ioapic[4] == value, "the IOAPIC keeps what it is told");
}

/* Edge, active high, to this processor. */
static void route(uint32_t pin, uint8_t vector)
{
	ioapic_write(0x10 + 2 * pin + 1, apic_id() << 24);
	ioapic_write(0x10 + 2 * pin, vector);
}

int guest(const struct multiboot *told)
{
	(void)told;
	set_gate(VECTOR_SERIAL, empty);
	set_gate(VECTOR_PIT, tick);
	load_gates();
	pic_setup(0);
	apic_write(APIC_SPURIOUS, 0x1ff);

	outb(SERIAL + 4, 0x0b);
	inb(SERIAL + 2);
	route(isa_pin(4), VECTOR_SERIAL);
	outb(SERIAL + 1, 2);
	while (empties == 0)
		wait_for_interrupt();
	check((reason & 0xf) == 2, "the serial line says that it is empty");
	check((inb(SERIAL + 2) & 1) == 1, "which is then known");
	outb(SERIAL, '.');
	while (empties == 1)
		wait_for_interrupt();
	check((reason & 0xf) == 2, "and says so again after a byte");
	outb(SERIAL + 1, 0);
	print("\nempty twice\n");

	pit_setup(100);
	route(isa_pin(0), VECTOR_PIT);
	while (ticks < 10)
		wait_for_interrupt();
	print("10 ticks\n");
	return 0;
}
