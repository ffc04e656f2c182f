/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds in what a Linux kernel prints that it has panicked, and why (Linux, kernel/panic.c). */
#ifndef DEVICES_PANIC_TEXT_H
#define DEVICES_PANIC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct panic_text {
	size_t matched;	 /* so many bytes of the words */
	char before[5];	 /* what came in front of them */
	bool taking;	 /* the reason, up to the end of the line */
	bool ended;	 /* the last line of a kernel that does not reset its computer */
	size_t length;
	char text[100];	 /* the reason, NUL-terminated; empty: no panic so far */
};

/* The next byte of the output. Starts zeroed. */
void panic_text_take(struct panic_text *panic, uint8_t byte);

#endif
