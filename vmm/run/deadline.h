/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of --timeout, which runs from the start of the process: reading an image or a policy counts, and
 * so does waiting for one. The signal is SIGALRM. Until the run takes it with the others that end it (machine.c), it
 * ends the process at once, which leaves no file half written: other processes make those (file_writer.h).
 */
#ifndef VMM_RUN_DEADLINE_H
#define VMM_RUN_DEADLINE_H

#include <stdbool.h>

#include "vmm/base/error.h"

/* How a run that took too long says so, with a double of seconds. */
#define DEADLINE_WORDS "timeout after %g s"

/* Starts the clock; 0 ms is no limit. With `as_tap` an end before the run is told on standard output too, as
 * TAP. Returns 0 or a negative errno with the reason in `error`. */
int deadline_start(unsigned timeout_ms, bool as_tap, struct error *error);

#endif
