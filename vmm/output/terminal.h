/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys as they are pressed, and a screen that is rewritten in place. There is one terminal. */
#ifndef VMM_OUTPUT_TERMINAL_H
#define VMM_OUTPUT_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Takes keys from standard input one by one, without echo, if it is a terminal; `raw`: also those that would send a
 * signal, and what is written to the terminal is left as it is. What was before comes back with terminal_leave(), or when
 * the process is killed. Returns the descriptor to wait on, -1 if there are no keys to be had. */
int terminal_enter(bool raw);
void terminal_leave(void);

/* Adds the signals that the keys of a terminal send, and that must not end or stop the process before the
 * terminal is as it was: SIGQUIT, and SIGTSTP where a shell can continue it. */
void terminal_signals(sigset_t *signals);

/* Stops the process as SIGTSTP would; the terminal is as it was meanwhile. Returns when it goes on. */
void terminal_suspend(void);

/* Whether q has been pressed. Does not wait. */
bool terminal_quit(void);

/* Rows of the terminal behind a stream; 0: it is none. */
size_t terminal_rows(FILE *stream);

/* Columns of it; 0: it is none, or does not say. */
size_t terminal_columns(FILE *stream);

/* Whether lines that are longer than those of the screen go on in the next one, or end at its edge. */
void terminal_wrap(FILE *stream, bool on);

/* Clears the screen before something new is written to it. */
void terminal_clear(FILE *stream);

#endif
