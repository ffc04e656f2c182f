/* SPDX-License-Identifier: GPL-2.0-only */
/* Random accesses to ports and registers, then random bytes as code; the command line is the seed. However it ends. */
#include "pc.h"

#define ACCESSES 3000
#define CODE_SIZE 4096

static uint8_t code[CODE_SIZE];
static uint32_t state;

/* xorshift32 */
static uint32_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Not the one that tells an exit status, which would be the guest's word against sidestep's, nor those that end the guest
 * before it has come far. */
static uint16_t random_port(void)
{
	static const uint16_t devices[] = {0x20, 0x40, 0x60, 0x70, 0x90, 0xa0, 0xe0, 0x3f8, 0x4d0, 0x500, 0x510, 0x5c0,
					   0x5e4, 0x600, 0x608, 0xcf8, 0x2000, 0x2010};
	static const uint16_t ends[] = {0x64, 0x92, 0xcf9, 0x505, 0x604, 0x605, 0x60c};
	uint32_t number = random_number();
	uint16_t port = (uint16_t)(devices[number % (sizeof(devices) / sizeof(*devices))] + (number >> 16 & 15));

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (port <= ends[i] && port + 4 > ends[i])
			return 0x80;
	return port >= 0xf0 && port < 0xf8 ? 0x80 : port;
}

static void access_port(void)
{
	uint16_t port = random_port();
	uint32_t value = random_number();

	switch (random_number() % 6) {
	case 0:
		(void)inb(port);
		break;
	case 1:
		(void)inw(port);
		break;
	case 2:
		(void)inl(port);
		break;
	case 3:
		outb(port, (uint8_t)value);
		break;
	case 4:
		outw(port, (uint16_t)value);
		break;
	default:
		outl(port, value);
	}
}

static void access_memory(void)
{
	static const uint32_t bases[] = {0xff000000, 0xfec00000, 0xfee00000, 0xd0000000};
	uint32_t number = random_number();
	volatile uint32_t *at = (volatile uint32_t *)(bases[number & 3] + (number >> 8 & 0xff0));

	if (number & 4)
		*at = random_number();
	else
		(void)*at;
}

static uint32_t seed(const char *text)
{
	uint32_t number = 0;

	for (; *text; text++)
		number = *text >= '0' && *text <= '9' ? number * 10 + (uint32_t)(*text - '0') : number;
	return number * 2654435761u + 1;
}

int guest(const struct multiboot *told)
{
	state = seed(told->command_line);
	for (unsigned i = 0; i < ACCESSES; i++)
		if (random_number() % 8)
			access_port();
		else
			access_memory();
	for (size_t i = 0; i < CODE_SIZE; i++)
		code[i] = (uint8_t)(random_number() >> 8);
	((void (*)(void))code)();
	return 0;
}
