/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep profile: exits as they happen. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/stream.h"
#include "vmm/cli/formats.h"
#include "vmm/command/commands.h"
#include "vmm/command/perf_command.h"
#include "vmm/command/profile_watch.h"
#include "vmm/command/session.h"

/* What somebody who watches has asked for is no failure: that the time is over, or Ctrl-C. */
static int end_status(const struct machine *machine, struct error *error)
{
	const struct stop *why = &machine->why;

	if (why->cause == STOP_QUIT || why->cause == STOP_OFF || why->cause == STOP_RESET || why->cause == STOP_TIMEOUT ||
	    (why->cause == STOP_SIGNAL && machine->signal == SIGINT) ||
	    (why->cause == STOP_EXIT && why->status == STATUS_SUCCESS))
		return STATUS_SUCCESS;
	if (machine_reader_gone(machine))
		error_reader_gone(error);
	error_set(error, -EIO, why->status, "%s", why->text);
	return why->status;
}

static int watch_run(struct session *session, const struct settings *settings, struct error *error)
{
	struct profile_watch watch;
	struct output *output = &session->output;
	int status, rc = profile_watch_begin(&watch, session, settings, output->stream);

	status = rc == 0 && session_run(session, false, error) != 0
			 ? error->status
			 : end_status(&session->machine, error);
	if (rc == 0 && session->machine.why.cause != STOP_NONE)
		rc = profile_watch_summary(&watch);
	profile_watch_finish(&watch);
	if (rc == -ENOMEM) {
		error_set(error, rc, STATUS_INTERNAL, "out of memory");
		return error->status;
	}
	/* What could not be written, the stream remembers. */
	return output_commit(output, error) == 0 ? status : error->status;
}

/* The guest's own output would be in the way of the table. */
static int console_of(const struct settings *settings)
{
	bool table = strcmp(settings->format, "text") == 0 && stream_is_screen(STDOUT_FILENO);

	return table && isatty(STDERR_FILENO) ? -1 : STDERR_FILENO;
}

int command_profile(const struct settings *given)
{
	struct settings settings = *given;
	struct session session = {0};
	struct error error = {0};
	int status;

	if (given->pid_count || given->all)
		return command_attach(given);
	if (given->one_vcpu)
		error_set(&error, -EINVAL, STATUS_USAGE, "--vcpu goes with --pid or --all");
	else if (!profile_by_known(given->by))
		error_set(&error, -EINVAL, STATUS_USAGE, PROFILE_BY_UNKNOWN, group_key_names[given->by]);
	else if (given->operand_count > 1)
		error_set(&error, -EINVAL, STATUS_USAGE, "profile takes one GUEST, not %d",
			  given->operand_count);
	else
		cli_check_format(given, FORMATS_PROFILE, &error);
	if (error.text[0])
		return error_report(&error);
	if (given->perf_command)
		return perf_command_print(given);
	if (!given->plan.trace_asked)
		settings.plan.trace = TRACING_PART;
	settings.plan.guest = given->operand_count ? given->operands[0] : NULL;
	if (session_start(&session, &settings, console_of(&settings), &error) != 0)
		status = error.status;
	else
		status = watch_run(&session, &settings, &error);
	return session_end(&session, &error, status);
}
