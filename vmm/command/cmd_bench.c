/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep bench: what each operation costs, beside the empty loop. */
#include <unistd.h>

#include "vmm/command/bench_beside.h"
#include "vmm/command/commands.h"
#include "vmm/command/session.h"

int command_bench(const struct settings *given)
{
	struct settings settings = *given;
	struct session session = {0};
	struct error error = {0};
	int status;

	settings.plan.patterns = (const char *const *)given->operands;
	settings.plan.pattern_count = (size_t)given->operand_count;
	if (cli_check_format(&settings, FORMATS_PLAIN, &error) != 0)
		return error_report(&error);
	if (given->launch)
		return bench_launch(given);
	if (given->exit)
		return bench_exit(given);
	if (session_start(&session, &settings, STDERR_FILENO, &error) != 0)
		status = error.status;
	else if (session_run(&session, true, &error) != 0)
		status = error.status;
	else
		status = session_emit(&session, &settings, "sidestep.bench", false, HIDE_IN_BENCH,
				      &error);
	return session_end(&session, &error, status);
}
