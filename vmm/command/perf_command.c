/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/perf_command.h"

#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/observe/trace.h"
#include "vmm/output/output.h"
#include "vmm/plan/host.h"

/* Bash reads \xNN in quotes of this kind; what is no ASCII would speak to a terminal. */
static void put_escaped(const char *text, FILE *stream)
{
	fputs("$'", stream);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', stream);
		printable_put(stream, (char[2]){*text, '\0'});
	}
	fputc('\'', stream);
}

static bool printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* In single quotes nothing is special to a shell but the quote itself. */
static void put_quoted(const char *text, FILE *stream)
{
	if (text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
						 "0123456789-_./,:=@+")] == '\0') {
		fputs(text, stream);
		return;
	}
	if (!printable(text)) {
		put_escaped(text, stream);
		return;
	}
	fputc('\'', stream);
	for (; *text; text++)
		fputs(*text == '\'' ? "'\\''" : (char[2]){*text, '\0'}, stream);
	fputc('\'', stream);
}

static bool run_has(const char *option)
{
	const struct command_row *run = command_by_name("run");

	for (size_t i = 0; i < option_count; i++)
		if (strcmp(options[i].name, option) == 0 && strchr(options[i].commands, run->letter))
			return true;
	return false;
}

/* `sidestep run` with what was given to `sidestep profile`. */
static void put_run(const struct settings *settings, FILE *stream)
{
	fputs("sidestep run -q", stream);
	for (unsigned i = 0; i < settings->given_count; i++) {
		if (!run_has(settings->given[i].name))
			continue;
		fprintf(stream, " --%s", settings->given[i].name);
		if (settings->given[i].argument) {
			fputc(' ', stream);
			put_quoted(settings->given[i].argument, stream);
		}
	}
	for (int i = 0; i < settings->operand_count; i++) {
		fputc(' ', stream);
		put_quoted(settings->operands[i], stream);
	}
	fputc('\n', stream);
}

static void put_events(FILE *stream)
{
	for (int id = 0; id < TRACE_COUNT; id++) {
		const char *filter = trace_filter((enum trace_id)id, TRACING_COUNT);

		if (!strchr(trace_uses[id], 'C'))
			continue;
		fprintf(stream, " -e kvm:%s", trace_names[id]);
		if (filter)
			fprintf(stream, " --filter '%s'", filter);
	}
}

static void put_commands(const struct settings *settings, bool interpreted, FILE *stream)
{
	fputs("# all of a run: counts of every tracepoint, without the host's own interrupts\n"
	      "perf stat",
	      stream);
	put_events(stream);
	fputs(" -- ", stream);
	put_run(settings, stream);
	fputs("# a run that goes on: until Ctrl-C\n"
	      "perf stat",
	      stream);
	put_events(stream);
	fputs(" -p \"$(pidof sidestep)\"\n"
	      "# every hit of one, with time, RIP and reason; then perf script\n",
	      stream);
	fprintf(stream, "perf record -e kvm:%s -- ",
		trace_names[interpreted ? TRACE_kvm_emulate_insn : TRACE_kvm_exit]);
	put_run(settings, stream);
	if (interpreted) {
		fputs("# perf kvm stat: KVM interprets the guest on this host, and passes neither kvm_exit "
		      "nor kvm_entry\n",
		      stream);
		return;
	}
	fputs("# exits by reason, with handling times\n"
	      "perf kvm stat live -p \"$(pidof sidestep)\"\n"
	      "perf kvm stat record -p \"$(pidof sidestep)\"\n",
	      stream);
}

int perf_command_print(const struct settings *settings)
{
	struct error error = {0};
	struct output output;
	struct host host;
	/* Which backend there is decides; without KVM the usual one is as good as any. */
	bool known = host_open(&host, &error) == 0;

	error = (struct error){0};
	if (output_open(&output, NULL, JAIL_NONE, &error) == 0) {
		put_commands(settings, known && host.backend == HOST_BACKEND_PVM, output.stream);
		output_commit(&output, &error);
	}
	if (known)
		host_close(&host);
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}
