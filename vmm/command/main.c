/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "vmm/base/progress.h"
#include "vmm/base/stream.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/hint.h"
#include "vmm/cli/named_files.h"
#include "vmm/command/dispatch.h"
#include "vmm/output/output.h"
#include "vmm/output/startup.h"
#include "vmm/run/deadline.h"

/* One heap for all threads, of which no thread but the main one needs to map more, and no limit that moves
 * between it and separate mappings: what malloc asks the kernel for is then the same in every run. A thread
 * that ends gives small chunks back, which must not make malloc shrink the heap: a sealed thread of a vCPU
 * has no call for it. */
static void settle_malloc(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, -1);
}

/* What can be said without a run. */
static int print(const struct command_row *command, void (*write)(const struct command_row *command, FILE *stream))
{
	struct error error = {0};
	struct output output;

	if (output_open(&output, NULL, JAIL_NONE, &error) == 0) {
		write(command, output.stream);
		output_commit(&output, &error);
	}
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}

static void write_version(const struct command_row *command, FILE *stream)
{
	(void)command;
	fprintf(stream, "sidestep %s\n", SIDESTEP_VERSION);
}

static void write_usage(const struct command_row *command, FILE *stream)
{
	(void)command;
	cli_usage(stream);
}

static bool is_one_of(const char *word, const char *name, const char *letter)
{
	return strcmp(word, name) == 0 || strcmp(word, letter) == 0;
}

/* `words` follow "help": the command that is meant, or none. */
static int help(char *const *words)
{
	const char *name = words[0];
	const struct command_row *command = name ? command_by_name(name) : NULL;
	struct error error = {0};

	if (name && words[1])
		error_set(&error, -E2BIG, STATUS_USAGE, "help takes one COMMAND, not '%s' too", words[1]);
	else if (!name || command || strcmp(name, "help") == 0)
		return print(command, command ? cli_help : write_usage);
	else
		hint_no_command(name, &error);
	return error_report(&error);
}

static bool tap_on_stdout(const struct settings *settings)
{
	return strcmp(settings->format, "tap") == 0 &&
	       (!settings->output || output_is_stdout(settings->output));
}

int main(int argc, char **argv)
{
	const struct command_row *command;
	struct settings settings;
	struct error error = {0};

	startup_settle();
	settle_malloc();
	if (argc < 2) {
		cli_usage(stderr);
		return STATUS_USAGE;
	}
	if (is_one_of(argv[1], "--version", "-V"))
		return print(NULL, write_version);
	if (is_one_of(argv[1], "--help", "-h"))
		return print(NULL, write_usage);
	if (strcmp(argv[1], "help") == 0)
		return help(argv + 2);
	command = command_by_name(argv[1]);
	if (!command) {
		hint_no_command(argv[1], &error);
		return error_report(&error);
	}
	if (cli_parse(command, argc - 1, argv + 1, &settings, &error) != 0)
		return error_report(&error);
	if (settings.help)
		return print(command, cli_help);
	/* What is launched has times of its own. */
	if (deadline_start(settings.launch ? 0 : settings.plan.timeout_ms, tap_on_stdout(&settings), &error) != 0 ||
	    named_files_check(command, &settings, &error) != 0)
		return error_report(&error);
	progress_start(command->name, stream_is_screen(STDERR_FILENO));
	return dispatch(command)(&settings);
}
