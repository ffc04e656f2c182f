/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/panic_text.h"

#include <string.h>

static const char words[] = "Kernel panic - not syncing: ";

/* The kernel says it again in its last line: "---[ end Kernel panic - not syncing: ... ]---". */
static const char last_line[] = "end ";

static void found(struct panic_text *panic)
{
	panic->matched = 0;
	if (strcmp(panic->before, last_line) == 0)
		panic->ended = panic->length > 0;
	else if (panic->length == 0)
		panic->taking = true;
}

static void keep(struct panic_text *panic, uint8_t byte)
{
	if (byte < ' ' || byte > '~' || panic->length == sizeof(panic->text) - 1) {
		panic->taking = false;
		return;
	}
	panic->text[panic->length++] = (char)byte;
}

void panic_text_take(struct panic_text *panic, uint8_t byte)
{
	if (panic->taking) {
		keep(panic, byte);
		return;
	}
	if (byte == (uint8_t)words[panic->matched]) {
		if (words[++panic->matched] == '\0')
			found(panic);
		return;
	}
	if (panic->matched)
		memset(panic->before, 0, sizeof(panic->before));
	/* The first letter comes no second time in the words. */
	panic->matched = byte == (uint8_t)words[0];
	if (panic->matched)
		return;
	memmove(panic->before, panic->before + 1, sizeof(last_line) - 2);
	panic->before[sizeof(last_line) - 2] = (char)byte;
}
