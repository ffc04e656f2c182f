/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a command is doing, for who waits for it: one line on standard error, if that is a screen (stream.h). It is
 * rewritten in place, no longer than the screen is wide, and gone before anything else is written. There is one such
 * line; it is the main thread's.
 */
#ifndef VMM_BASE_PROGRESS_H
#define VMM_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A command begins, and standard error is a screen or not (stream_is_screen()). Before this, and in programs that never
 * say so, nothing is shown. `command` is kept, not copied. */
void progress_start(const char *command, bool screen);

/* Whether anything is ever shown. */
bool progress_is_shown(void);

/* How often to say how far a step has come that is done byte by byte. No clock is read in between. */
#define PROGRESS_BYTES (UINT64_C(1) << 20)
/* The pieces that a file is read in, so that there is something to say in between. */
#define PROGRESS_READ (16 * PROGRESS_BYTES)

/* What the command does from now on, such as "reading run.ledger". It is shown once the command has taken a second. */
__attribute__((format(printf, 1, 2))) void progress_step(const char *format, ...);

/* How much of that is done, of `all`; 0: nobody knows how much that is, and `done` is in bytes, or 0 where nothing can
 * be counted. */
void progress_at(uint64_t done, uint64_t all);

/* Shows a line of another kind at once, in the place of what was there. Writes to standard error, and does nothing else
 * that a jail could refuse. */
__attribute__((format(printf, 1, 2))) void progress_show(const char *format, ...);

/* The step is over: nothing is shown until the next one. */
void progress_end(void);

/* The same for good: what follows on the screen is the command's own. */
void progress_stop(void);

/* The same from the handler of a signal, which ends the process. */
void progress_abandon(void);

#endif
