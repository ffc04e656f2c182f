/* SPDX-License-Identifier: GPL-2.0-only */
/* A process of its own that sees to the terminal when this one cannot any more. */
#ifndef VMM_OUTPUT_TERMINAL_GUARD_H
#define VMM_OUTPUT_TERMINAL_GUARD_H

#include <termios.h>

/* From now on, whatever ends this process, the terminal of standard input becomes as `before` says, unless it is no
 * longer as `changed` says by then. Returns a descriptor that ends the guard when it is closed, or -1: there is none. */
int terminal_guard(const struct termios *before, const struct termios *changed);

#endif
