/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "vmm/cli/hint.h"

#define OPTIONS_MAX 48
#define TIMEOUT_DEFAULT_MS 60000
#define SLICE_DEFAULT_MS 10
#define THRESHOLD_DEFAULT 10

struct getopt_tables {
	char letters[3 * OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	const struct option_row *rows[OPTIONS_MAX];
	int count;
};

#define LONG_BASE 0x100 /* values of options, above any letter */

static void fill_tables(const struct command_row *command, struct getopt_tables *tables)
{
	char *letter = tables->letters;

	*letter++ = ':';
	for (size_t i = 0; i < option_count && tables->count < OPTIONS_MAX; i++) {
		const struct option_row *row = &options[i];

		if (!option_applies(row, command))
			continue;
		tables->longs[tables->count] = (struct option){
			row->name, row->argument ? required_argument : no_argument, NULL,
			LONG_BASE + tables->count};
		tables->rows[tables->count++] = row;
		if (row->letter == 0)
			continue;
		*letter++ = (char)row->letter;
		if (row->argument)
			*letter++ = ':';
	}
	*letter = '\0';
}

static const struct option_row *find_option(const struct getopt_tables *tables, int value)
{
	if (value >= LONG_BASE && value < LONG_BASE + tables->count)
		return tables->rows[value - LONG_BASE];
	for (int i = 0; i < tables->count; i++)
		if (value && tables->rows[i]->letter == value)
			return tables->rows[i];
	return NULL;
}

/* Whether the option that getopt_long() has found was written out. An abbreviation means another option as soon as
 * there is one that is called so. */
static bool spelled_out(const struct option_row *row, int value, const char *word)
{
	size_t length = strlen(row->name);

	return value < LONG_BASE ||
	       (strncmp(word + 2, row->name, length) == 0 && strchr("=", word[2 + length]));
}

static int abbreviated(const struct command_row *command, const struct option_row *row, const char *word,
		       struct error *error)
{
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "%.*s is no option of this command, --%s is; see `sidestep %s --help`",
			 (int)strcspn(word, "="), word, row->name, command->name);
}

/* The word that getopt_long() has just refused: it goes on to the next one when it has seen the last letter. */
static const char *refused_word(char **argv)
{
	const char *last = argv[optind - 1];
	const bool is_letter = optopt > 0 && optopt < LONG_BASE, ended = last[0] == '-' && last[strlen(last) - 1] == optopt;

	return is_letter && !ended && argv[optind] ? argv[optind] : last;
}

/* In the words of getopt_long(): ':' is an option without its argument, anything else is no option. `given` is the word
 * that it was found in. */
static int getopt_failed(const struct command_row *command, const struct getopt_tables *tables, int value,
			 const char *given, struct error *error)
{
	char letter[3] = {'-', (char)optopt, '\0'};
	const char *word = optopt > 0 && optopt < LONG_BASE ? letter : given;
	const struct option_row *row = find_option(tables, optopt);

	if (hint_foreign(command, given, error) != 0)
		return -EINVAL;
	if (row && !spelled_out(row, optopt, word))
		return abbreviated(command, row, word, error);
	if (value != ':' && !row)
		return hint_no_option(command, word, error);
	return error_set(error, -EINVAL, STATUS_USAGE, "%s %s; see `sidestep %s --help`", word,
			 value == ':' ? "needs an argument" : "has an argument, but takes none", command->name);
}

static void note_file(struct settings *settings, const struct option_row *row, const char *name)
{
	const bool each = row->access == FILE_READ_EACH || row->access == FILE_PLACED_EACH;
	unsigned i = 0;

	while (i < settings->file_count && (settings->files[i].option != row || each))
		i++;
	if (row->access == FILE_NONE || i == SETTINGS_FILES_MAX)
		return;
	settings->files[i] = (struct settings_file){row, name};
	if (i == settings->file_count)
		settings->file_count++;
}

/* Before the arguments are put in another order. */
static void note_command(struct settings *settings, int argc, char **argv)
{
	int length = snprintf(settings->command, sizeof(settings->command), "sidestep ");

	printable_words(settings->command + length, sizeof(settings->command) - (size_t)length, argv, argc);
	printable_time(settings->date, time(NULL));
	settings->plan.command = settings->command;
	settings->plan.date = settings->date;
}

int cli_parse(const struct command_row *command, int argc, char **argv, struct settings *settings,
	      struct error *error)
{
	struct getopt_tables tables = {0};
	int value;

	*settings = (struct settings){
		.plan = {.engine = "auto", .vcpus = 1, .vms = 1, .jail = JAIL_ON},
		.format = "text",
		.interval_ms = 1000,
		.by = GROUP_OPERATION,
		.ticks_limits.percent = THRESHOLD_DEFAULT,
		.seed = 1,
		.shard = 1,
		.shards = 1,
	};
	const bool is_measured = strcmp(command->name, "test") == 0 || strcmp(command->name, "bench") == 0;
	const bool is_image = strcmp(command->name, "image") == 0;

	if (is_measured)
		settings->plan.timeout_ms = TIMEOUT_DEFAULT_MS;
	/* Nothing there decodes what a report would need. */
	if (is_image)
		settings->plan.on_violation = ON_VIOLATION_INJECT;
	note_command(settings, argc, argv);
	fill_tables(command, &tables);
	optind = 0; /* glibc: start afresh, also within a word */
	while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		const struct option_row *row = find_option(&tables, value);
		const char *word = argv[optind - 1];
		int rc;

		if (!row)
			return getopt_failed(command, &tables, value, refused_word(argv), error);
		if (value >= LONG_BASE && optarg == word)
			word = argv[optind - 2];
		if (!spelled_out(row, value, word))
			return abbreviated(command, row, word, error);
		/* "-cpu host" would be "-c pu". */
		if (value < LONG_BASE && row->argument && optarg != word && hint_foreign(command, word, error) != 0)
			return -EINVAL;
		rc = row->parse(settings, optarg, error);
		if (rc != 0)
			return rc;
		note_file(settings, row, optarg);
		if (settings->given_count < SETTINGS_GIVEN_MAX) {
			settings->given[settings->given_count].name = row->name;
			settings->given[settings->given_count++].argument = optarg;
		}
	}
	/* A slice that ends in an operation costs it ticks. */
	if (settings->plan.share_vcpu && !settings->plan.slice_ms && !is_measured && !is_image)
		settings->plan.slice_ms = SLICE_DEFAULT_MS;
	settings->operands = argv + optind;
	settings->operand_count = argc - optind;
	return 0;
}

bool cli_given(const struct settings *settings, const char *name)
{
	for (unsigned i = 0; i < settings->given_count; i++)
		if (strcmp(settings->given[i].name, name) == 0)
			return true;
	return false;
}

int cli_check_format(const struct settings *settings, const char *formats, struct error *error)
{
	size_t length = strlen(settings->format);

	for (const char *word = formats; *word;) {
		size_t size = strcspn(word, ", ");

		if (size == length && memcmp(word, settings->format, size) == 0 &&
		    strcmp(settings->format, "or") != 0)
			return 0;
		word += size;
		word += strspn(word, ", ");
	}
	return error_set(error, -EINVAL, STATUS_USAGE, "--format: '%s' is none of: %s",
			 settings->format, formats);
}
