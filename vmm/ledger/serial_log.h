/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ledger that came over a serial line: the records as lines (vmm/ledger/frame.h) in what somebody took down of the
 * line, among boot messages and the guest's own text. Nothing in such a log is trusted.
 */
#ifndef VMM_LEDGER_SERIAL_LOG_H
#define VMM_LEDGER_SERIAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct serial_log {
	uint8_t *data; /* as the file of a ledger: a header of LEDGER_HEADER_SIZE bytes, and records */
	size_t size;
	uint64_t damaged; /* lines that were begun as one, with a wrong character, length or check */
	uint64_t missing; /* sequence numbers that no sound line has, those of damaged lines too */
	bool cut;         /* the log ends within a line */
};

/* Whether there is a line of a log in it. The text of a ledger may look like one: look for its magic number first. */
bool serial_log_is(const void *data, size_t size);

/* Decodes the last run in a log: where the sequence numbers begin again, the computer was started again. Takes no more
 * memory than some ten times the log. Returns 0 or -ENOMEM; the caller frees ret->data. */
int serial_log_decode(const char *data, size_t size, struct serial_log *ret);

#endif
