/* SPDX-License-Identifier: GPL-2.0-only */
/* A run from the command line to its end, and how a command writes what it has to say. */
#ifndef VMM_COMMAND_SESSION_H
#define VMM_COMMAND_SESSION_H

#include "vmm/analysis/report.h"
#include "vmm/cli/cli.h"
#include "vmm/output/output.h"
#include "vmm/run/machine.h"

struct session {
	struct startup inherited;
	struct output output;
	struct host host;
	struct plan plan;
	struct machine machine;
	bool host_open, planned, created;
};

/* Opens the output and the host, makes the plan, creates the machine. On failure returns a negative errno with the
 * reason in `error`; session_finish() is due in both cases. Guest output goes to `console_fd`. */
int session_start(struct session *session, const struct settings *settings, int console_fd,
		  struct error *error);
/* From here on the process is in the jail (jail.h), unless the settings say JAIL_NONE. */
int session_run(struct session *session, bool progress, struct error *error);
void session_finish(struct session *session);
/* The same, after saying what went wrong, if anything did. Returns `status`. */
int session_end(struct session *session, const struct error *error, int status);

/* What the reference model has to know of a session that has been started. */
struct expect_environment session_environment(const struct session *session);

/*
 * Describes a run that has ended: a row for every operation that was selected. With `judge` each is
 * compared with the reference model. `report` keeps pointers into the session; report_finish() is
 * due. Returns 0 or -ENOMEM.
 */
int session_report(const struct session *session, const char *schema, bool judge,
		   struct report *report);

/* What makes something of `data` for a stream. Returns 0 or -ENOMEM; what the stream does not take is found
 * when the output is closed. */
typedef int emit_writer(const void *data, const struct settings *settings, FILE *stream);

/* Writes to an output that is open, and closes it. */
int output_fill(emit_writer *write, const void *data, const struct settings *settings,
		struct output *output, struct error *error);

/* The same for a command that runs no guest: opens what the settings say. */
int output_emit(emit_writer *write, const void *data, const struct settings *settings, struct error *error);

/*
 * Describes a run that has ended, with the columns in `hidden` left out, and writes it to the session's
 * output. Returns the exit status; `error` has a line if the run did not end as it should.
 */
int session_emit(struct session *session, const struct settings *settings, const char *schema,
		 bool judge, uint32_t hidden, struct error *error);

#endif
