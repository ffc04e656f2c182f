/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets the computer in the way that the command line names. A triple fault comes of an exception that KVM raises by
 * itself: one that interprets does not know all instructions that ask for one. */
#include "pc.h"

static void by_acpi(void)
{
	const uint8_t *fadt = acpi_table("FACP");

	check(fadt != NULL && acpi_get(fadt + 112, 4) & 1 << 10, "the FADT has a register for resets");
	check(fadt[116] == 1 && fadt[117] == 8, "which is a port of a byte");
	outb((uint16_t)acpi_get(fadt + 120, 4), fadt[128]);
}

static void by_triple_fault(void)
{
	static const char nothing[6];

	__asm__ volatile("lidt %0; mov %1, %%ds" : : "m"(nothing), "r"(0x7ff8));
}

int guest(const struct multiboot *told)
{
	print("reset\n");
	if (has_word(told, "keyboard")) {
		while (inb(0x64) & 2)
			cpu_pause();
		outb(0x64, 0xfe);
	} else if (has_word(told, "cf9")) {
		outb(0xcf9, 2);
		outb(0xcf9, 6);
	} else if (has_word(told, "port92")) {
		outb(0x92, (uint8_t)(inb(0x92) & ~1));
		outb(0x92, (uint8_t)(inb(0x92) | 1));
	} else if (has_word(told, "acpi")) {
		by_acpi();
	} else if (has_word(told, "triple")) {
		by_triple_fault();
	} else {
		check(false, "the command line names a way");
	}
	/* It takes its time elsewhere. */
	for (uint64_t start = rdtsc(); rdtsc() - start < 1000000000;)
		cpu_pause();
	check(false, "the computer was reset");
	return 1;
}
