/* SPDX-License-Identifier: GPL-2.0-only */
/* Every port that a device might have, in every size, read and written; and the addresses where registers are in memory. */
#include "pc.h"

#define PORTS 0x2100 /* above those of devices only some are tried */
#define STEP 0xfb

/* Where a write ends the computer. */
static bool ends(uint32_t port)
{
	static const uint16_t ends[] = {0x64, 0x92, 0xcf9, 0xf4, 0x505, 0x604, 0x605, 0x60c};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends[i] >= port && ends[i] < port + 4)
			return true;
	return port > 0xf4 && port < 0xf8;
}

static void write_port(uint16_t port, uint32_t value)
{
	outb(port, (uint8_t)value);
	outw(port, (uint16_t)value);
	outl(port, value);
}

static void try_port(uint16_t port)
{
	(void)inb(port);
	(void)inw(port);
	(void)inl(port);
	if (ends(port))
		return;
	write_port(port, 0);
	write_port(port, 0xffffffff);
	write_port(port, 0xa55a5aa5);
}

static void try_memory(uint32_t address)
{
	volatile uint32_t *words = (volatile uint32_t *)address;
	volatile uint8_t *bytes = (volatile uint8_t *)address;

	(void)*words;
	(void)*bytes;
	*words = 0xa55a5aa5;
	*bytes = 0xff;
	(void)*(volatile uint16_t *)(bytes + 1);
}

int guest(const struct multiboot *told)
{
	(void)told;
	for (uint32_t port = 0; port < 0x10000; port += port < PORTS ? 1 : STEP)
		if (port != 0x3f8 && port != 0xe9)
			try_port((uint16_t)port);
	for (uint32_t offset = 0; offset < 0x10000; offset += 0xff4)
		try_memory(0xff000000 + offset);
	/* Nothing is here; the IOAPIC is at the last. */
	try_memory(0xd0000000);
	try_memory(0xfe000000);
	try_memory(0xfec00000);
	outb(0x3fb, 3);
	outb(0x3fc, 3);
	outb(0x3f9, 0);
	print("swept\n");
	return 0;
}
