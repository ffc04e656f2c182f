/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where guest output goes: bounded, because a guest may write for ever, and escaped when it goes
 * to a terminal, because a terminal obeys escape sequences. Every device that prints shares one.
 */
#ifndef DEVICES_CONSOLE_H
#define DEVICES_CONSOLE_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What errno says of a write that failed: that a connection was reset is that nobody reads, as when a pipe has no
 * reader any more. */
static inline int console_errno(void)
{
	return errno == ECONNRESET ? EPIPE : errno;
}

/* Default bound on what one VM may print, in bytes. */
#define CONSOLE_LIMIT (UINT64_C(1) << 20)
#define CONSOLE_LIMIT_KERNEL (UINT64_C(64) << 20) /* of a guest that talks while it boots */

struct console {
	int fd; /* -1: output is counted and dropped */
	bool escape;
	bool lines_end_in_cr; /* then those are left out where output is escaped */
	atomic_bool prompt; /* somebody answers: pass on at once what is no whole line */
	uint64_t limit;
	uint64_t written; /* bytes of guest output taken, dropped ones not included */
	uint64_t dropped;
	atomic_int error; /* first errno of a failed write, 0 if none */
	/* Told of that by the thread that was to print; may be NULL. */
	void (*failed)(void *opaque);
	void *opaque;
	/* Once set, nothing waits for a reader any more; may be NULL. */
	const atomic_bool *stop;
	bool in_line; /* the last byte taken was no newline */
	size_t used;
	char buffer[512];
	pthread_mutex_t lock;
};

/* The descriptor stays the caller's. Output is escaped if it is a terminal. */
void console_init(struct console *console, int fd, uint64_t limit);
void console_finish(struct console *console); /* flushes; NULL is allowed */

/* Takes guest output. Lines are passed on whole where possible. */
void console_write(struct console *console, const char *text, size_t length);

/* Ends a line that the guest has begun, for what somebody else is to write behind it; passes on what is left. */
void console_end_line(struct console *console);

/* Passes on what is left; once `stop` is set only what the reader takes at once. */
void console_flush(struct console *console);

/*
 * Appends the escaped form of a byte to `out` and returns its length, 1 to 4: printable ASCII and,
 * with `keep_lines`, newline and tab as they are, everything else as \xNN.
 */
size_t console_escape(char out[4], unsigned char byte, bool keep_lines);

#endif
