/* SPDX-License-Identifier: GPL-2.0-only */
#include "console.h"

#include <stdarg.h>

#include "guestfw/relay/insn.h"

#define SERIAL 0x3f8
#define SERIAL_IER 1
#define SERIAL_FCR 2
#define SERIAL_LCR 3
#define SERIAL_MCR 4
#define SERIAL_LSR 5
#define LCR_8N1 3
#define LCR_DIVISOR 0x80
#define LSR_EMPTY 0x20
#define PATIENCE 100000 /* a port that is not there never has room */

/* 115200 baud, 8 bits, no parity, queues on, no interrupts. */
void console_init(const struct screen *screen)
{
	out_port(SERIAL + SERIAL_IER, 0);
	out_port(SERIAL + SERIAL_LCR, LCR_DIVISOR);
	out_port(SERIAL, 1);
	out_port(SERIAL + 1, 0);
	out_port(SERIAL + SERIAL_LCR, LCR_8N1);
	out_port(SERIAL + SERIAL_FCR, 7);
	out_port(SERIAL + SERIAL_MCR, 3);
	screen_init(screen);
}

void console_serial(char c)
{
	for (unsigned i = 0; i < PATIENCE && !(in_port(SERIAL + SERIAL_LSR) & LSR_EMPTY); i++)
		__asm__ volatile("pause");
	out_port(SERIAL, (uint8_t)c);
}

void console_show(char c)
{
	screen_put(c);
}

void console_put(char c)
{
	console_serial(c);
	screen_put(c);
}

void console_text(const char *text)
{
	while (*text)
		console_put(*text++);
}

void console_hex(uint64_t value)
{
	unsigned digits = 1;

	while (digits < 16 && value >> 4 * digits)
		digits++;
	console_text("0x");
	while (digits-- > 0)
		console_put("0123456789abcdef"[value >> 4 * digits & 15]);
}

void console_decimal(uint64_t value)
{
	uint64_t unit = 1;

	while (value / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		console_put((char)('0' + value / unit % 10));
}

void console_say(const char *text, ...)
{
	va_list pieces;

	console_text("sidestep: ");
	va_start(pieces, text);
	for (; text; text = va_arg(pieces, const char *))
		console_text(text);
	va_end(pieces);
	console_put('\n');
}

void console_end(void)
{
	console_say("end of run", (const char *)0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void console_needs(const char *what, const char *name, const char *why)
{
	console_say("needs: ", what, name, "; host: ", why, (const char *)0);
	console_end();
}
