/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Standard input goes to the serial line of a guest on the platform `pc`. A terminal is the guest's alone meanwhile: keys
 * arrive as they are pressed, and what the guest prints is not escaped. Ctrl-A x ends the guest, Ctrl-A twice is one.
 */
#ifndef VMM_COMMAND_TYPED_CONSOLE_H
#define VMM_COMMAND_TYPED_CONSOLE_H

#include "vmm/command/session.h"

struct typed_console {
	struct machine_watch hook;
	struct session *session; /* NULL: the guest has no such line */
	int input; /* -1: it has ended, or is not ours to read */
	bool terminal;
	bool escaped; /* Ctrl-A was the last key */
	uint8_t bytes[512]; /* typed, and not taken yet */
	size_t count;
	uint64_t deaf_from; /* when the guest does not listen unless it takes something before, in ms of machine_now() */
};

/* Between session_start() and session_run(). */
void typed_console_begin(struct typed_console *typed, struct session *session);

/* The terminal is as it was. */
void typed_console_end(struct typed_console *typed);

#endif
