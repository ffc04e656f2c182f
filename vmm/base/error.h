/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line for a person: what is wrong, with what, and what helps. Libraries fill it, commands print
 * it. `status` is the exit status that the contract gives to this kind of failure.
 */
#ifndef VMM_BASE_ERROR_H
#define VMM_BASE_ERROR_H

#include <stdbool.h>

/* Exit statuses of the program (sidestep(1): EXIT STATUS). */
#define EXIT_STATUSES(X)                                                                           \
	X(0, SUCCESS, "everything asked for was done, and every test passed")                      \
	X(1, FAILED,                                                                               \
	  "a test or the guest failed, a view policy has warnings, or a ledger is damaged or differs")  \
	X(2, USAGE, "wrong usage or a bad input file")                                             \
	X(77, SKIPPED,                                                                             \
	  "this host lacks or refuses what it takes, all was skipped, or nothing compared; the reasons are printed") \
	X(99, INTERNAL, "the host or sidestep itself failed")                                      \
	X(124, TIMEOUT, "the time given with --timeout ran out")

enum exit_status {
#define X(value, name, text) STATUS_##name = value,
	EXIT_STATUSES(X)
#undef X
};

/* And the number of the signal that ended the command. */
#define STATUS_SIGNAL 128
/* 128 + SIGPIPE. */
#define STATUS_READER_GONE 141

struct error {
	int status;
	char text[400]; /* one line of printable ASCII */
	bool silent;
};

/* Fills the line, with what is not printable ASCII made visible (printable.h), unless one is there already: the first
 * failure is the one to report. Returns `result`, a negative errno, for use in a return statement. `error` may be
 * NULL. */
__attribute__((format(printf, 4, 5))) int error_set(struct error *error, int result, int status,
						    const char *format, ...);

/* Nobody reads what is written any more: there is no failure, and nothing to be said. Returns -EPIPE. */
int error_reader_gone(struct error *error);

/* Unless it is silent, prints "sidestep: <text>" to standard error and returns the status. */
int error_report(const struct error *error);

#endif
