/* SPDX-License-Identifier: GPL-2.0-only */
/* What people see: text on the first serial line and on the screen. */
#ifndef SIDESTEP_BARE_CONSOLE_H
#define SIDESTEP_BARE_CONSOLE_H

#include "screen.h"

/* Both from here on; the screen is cleared. */
void console_init(const struct screen *screen);

/* On the serial line alone. */
void console_serial(char c);

/* On the screen alone. */
void console_show(char c);

/* On both; a line begins with nothing. */
void console_put(char c);
void console_text(const char *text);
void console_hex(uint64_t value);
void console_decimal(uint64_t value);

/* Of these pieces one line, "sidestep: ..."; NULL ends them. */
void console_say(const char *text, ...);

/* Says what is needed, which `name` may name, and why this computer does not have it; that is all. */
__attribute__((noreturn)) void console_needs(const char *what, const char *name, const char *why);

/* Says that it is over, and stays there. */
__attribute__((noreturn)) void console_end(void);

#endif
