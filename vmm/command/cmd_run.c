/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep run: launch a guest and print the ledger. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/command/typed_console.h"
#include "vmm/policy/diagnostic.h"

/* A guest may also have ended before its kernel could be found. */
static void tell_symbols(const struct session *session)
{
	if (session->plan.symbols.kernel && !atomic_load(&session->machine.vms[0].kernel_found))
		fprintf(stderr,
			"sidestep: %s: not of the kernel that the guest has run, as far as it came; no function of it is "
			"named\n",
			session->plan.symbols.kernel->path);
}

static int run_and_report(struct session *session, const struct settings *settings,
			  struct error *error)
{
	const struct stop *why = &session->machine.why;
	struct console *console = &session->machine.console;
	bool progress = !settings->quiet && session->plan.platform == PLATFORM_SIDESTEP;
	struct typed_console typed;
	int status, rc;

	typed_console_begin(&typed, session);
	rc = session_run(session, progress, error);
	typed_console_end(&typed);
	if (rc != 0)
		return error->status;
	/* A guest may have ended by itself before anybody looked what has become of its output. */
	if (machine_reader_gone(&session->machine) || console->error == EPIPE) {
		error_reader_gone(error);
		return error->status;
	}
	tell_symbols(session);
	if (console->dropped)
		fprintf(stderr, "sidestep: the guest printed more than %llu bytes; %llu were dropped\n",
			(unsigned long long)console->limit, (unsigned long long)console->dropped);
	if (console->error) {
		error_set(error, -console->error, STATUS_INTERNAL, "guest output: %s",
			  strerror(console->error));
		return error->status;
	}
	/* The ledger is to begin in a line of its own. */
	if (!settings->quiet && console->fd == STDOUT_FILENO && !session->output.path)
		console_end_line(console);
	status = settings->quiet ? why->status
				 : session_emit(session, settings, "sidestep.run", false,
						HIDE_IN_RUN, error);
	if ((why->cause != STOP_EXIT && why->cause != STOP_OFF) || why->status != STATUS_SUCCESS)
		error_set(error, -EIO, status, "%s", why->text);
	return status;
}

/* Nobody sees the counts of a quiet run, and the kernel takes its time to let go of each tracepoint: some
 * 35 ms, nine times, where nobody else uses them. */
static enum trace_mode default_trace(const struct settings *given)
{
	if (given->plan.ledger)
		return TRACING_SAMPLE;
	return given->quiet ? TRACING_OFF : TRACING_COUNT;
}

/* Where a program reads the ledger it is not to find what the guest prints in it. */
static int console_of(const struct settings *given)
{
	bool apart = given->output && !output_is_stdout(given->output);

	return apart || given->quiet || strcmp(given->format, "text") == 0 ? STDOUT_FILENO : STDERR_FILENO;
}

static int check_options(const struct settings *given, struct error *error)
{
	if (given->operand_count > 1)
		return error_set(error, -EINVAL, STATUS_USAGE, "run takes one GUEST, not %d", given->operand_count);
	if (cli_check_format(given, FORMATS_PLAIN, error) != 0)
		return -EINVAL;
	if (given->quiet && (given->output || strcmp(given->format, "text") != 0))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--quiet prints no ledger, which --format and --output are for; leave one out");
	return 0;
}

int command_run(const struct settings *given)
{
	struct settings settings = *given;
	struct session session = {0};
	struct diagnostics diagnostics = {0};
	struct error error = {0};
	bool started;
	int status;

	if (check_options(given, &error) != 0)
		return error_report(&error);
	if (!given->plan.trace_asked)
		settings.plan.trace = default_trace(given);
	settings.plan.guest = given->operand_count ? given->operands[0] : NULL;
	settings.plan.diagnostics = &diagnostics;
	started = session_start(&session, &settings, console_of(given), &error) == 0;
	if (given->plan.views)
		diagnostics_print(&diagnostics, given->plan.views, stderr);
	if (!started)
		status = error.status;
	else
		status = run_and_report(&session, &settings, &error);
	return session_end(&session, &error, status);
}
