/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cli/cli_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/command/dispatch.h"
#include "vmm/report/ledger_formats.h"

/* A good argument for every parser that takes one. */
static const struct {
	const char *option, *good;
} good_arguments[] = {
	{"engine", "flat"},   {"format", "json"},       {"by", "rip"},       {"output", "file"},
	{"count", "10"},      {"memory", "64M"},        {"vcpus", "2"},      {"vms", "3"},
	{"ledger", "file"},   {"on-violation", "stop"}, {"timeout", "2.5"},
	{"shard", "2/3"}, {"flag-path", "monitor"}, {"embodiment", "one-word"}, {"on-ask", "refuse"}, {"own", "ts,mp"}, {"shadow", "ts"}, {"ask", "smep,wp"},
	{"trace", "sample"},
	{"services", "view,map:cpl0"},
	{"weight", "ticks"},
	{"seccomp", "log"},
	{"platform", "pc"},
};

static const char *good_argument(const struct option_row *row)
{
	for (size_t i = 0; row->argument && i < ARRAY_SIZE(good_arguments); i++)
		if (strcmp(good_arguments[i].option, row->name) == 0)
			return good_arguments[i].good;
	/* A new option: what its help gives as the choices starts with a good one. */
	return row->argument ? "1" : NULL;
}

/* command.def and option.def: every text is there, letters and names are unambiguous. */
static void tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct command_row *row = &commands[i];

		assert_true(strlen(row->name) > 0 && strlen(row->meaning) > 0);
		assert_true(strlen(row->more) > 0);
		assert_non_null(row->operands);
		assert_non_null(dispatch(row));
		assert_ptr_equal(command_by_name(row->name), row);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(row->letter, commands[j].letter);
	}
	assert_null(command_by_name(""));
	assert_null(command_by_name("tes"));
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &options[i];

		assert_true(strlen(row->name) > 0 && strlen(row->meaning) > 0);
		assert_true(!row->argument || strlen(row->argument) > 0);
		/* What becomes of a file is said of every file, and of nothing else. */
		assert_int_equal(row->access != FILE_NONE, row->argument && strcmp(row->argument, "FILE") == 0);
		assert_non_null(row->parse);
		assert_true(strlen(row->commands) > 0);
		for (const char *letter = row->commands; *letter; letter++) {
			unsigned known = 0, same = 0;

			for (size_t j = 0; j < command_count; j++)
				known += commands[j].letter == *letter;
			assert_int_equal(known, 1);
			for (size_t j = 0; j < option_count; j++)
				same += strchr(options[j].commands, *letter) &&
					(strcmp(options[j].name, row->name) == 0 ||
					 (row->letter && options[j].letter == row->letter));
			assert_int_equal(same, 1);
		}
	}
}

/* Every option is taken by its commands, in every spelling, and by no other. */
static void every_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++)
		for (size_t j = 0; j < command_count; j++) {
			const struct option_row *row = &options[i];
			const char *good = good_argument(row), *command = commands[j].name;
			char word[64];
			struct settings settings;
			struct error error;
			bool same_name = false;
			int rc;

			for (size_t k = 0; k < option_count; k++)
				same_name |= strcmp(options[k].name, row->name) == 0 &&
					     option_applies(&options[k], &commands[j]);
			snprintf(word, sizeof(word), "--%s", row->name);
			rc = parse(command, word, good, &settings, &error);
			if (rc != 0 && same_name)
				fail_msg("%s %s %s: %s", command, word, good, error.text);
			assert_int_equal(rc == 0, same_name);
			if (!same_name) {
				assert_int_equal(error.status, STATUS_USAGE);
				if (!strstr(error.text, word))
					fail_msg("'%s' does not name %s", error.text, word);
				continue;
			}
			assert_int_equal(settings.operand_count, 0);
			if (row->letter && option_applies(row, &commands[j])) {
				snprintf(word, sizeof(word), "-%c", row->letter);
				assert_int_equal(parse(command, word, good, &settings, &error), 0);
			}
			if (!good)
				continue;
			/* Without its argument. */
			snprintf(word, sizeof(word), "--%s", row->name);
			assert_true(parse(command, word, NULL, &settings, &error) < 0);
			assert_int_equal(error.status, STATUS_USAGE);
			assert_non_null(strstr(error.text, "needs an argument"));
			assert_non_null(strstr(error.text, word));
		}
}

static void defaults(void **state)
{
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		assert_int_equal(parse(commands[i].name, NULL, NULL, &settings, &error), 0);
		assert_string_equal(settings.plan.engine, "auto");
		assert_string_equal(settings.format, "text");
		assert_int_equal(settings.by, GROUP_OPERATION);
		assert_int_equal(settings.plan.vcpus, 1);
		assert_int_equal(settings.plan.vms, 1);
		assert_int_equal(settings.plan.timeout_ms,
				 strcmp(commands[i].name, "test") == 0 ||
						 strcmp(commands[i].name, "bench") == 0
					 ? 60000
					 : 0);
		assert_null(settings.output);
		assert_false(settings.help);
	}
}

static void operands(void **state)
{
	struct settings settings;
	struct error error;

	(void)state;
	assert_int_equal(parse("test", "cr0.*", "view.*", &settings, &error), 0);
	assert_int_equal(settings.operand_count, 2);
	assert_string_equal(settings.operands[1], "view.*");
	/* After "--" and "-" nothing is an option. */
	assert_int_equal(parse("run", "--", "-q", &settings, &error), 0);
	assert_int_equal(settings.operand_count, 1);
	assert_string_equal(settings.operands[0], "-q");
	assert_false(settings.quiet);
	assert_int_equal(parse("run", "guest", "-q", &settings, &error), 0);
	assert_true(settings.quiet);
}

/* An option whose name another begins with. */
static bool is_option(const struct command_row *command, const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_applies(&options[i], command) && strcmp(options[i].name, name) == 0)
			return true;
	return false;
}

/* No beginning of an option's name is that option; the message says which one it begins. */
static void abbreviations(void **state)
{
	struct settings settings;
	struct error error;
	char word[64], full[64];

	(void)state;
	for (size_t i = 0; i < option_count; i++)
		for (size_t j = 0; j < command_count; j++)
			for (size_t length = 1; length < strlen(options[i].name); length++) {
				const char *good = good_argument(&options[i]);
				size_t begun = 0;

				if (!option_applies(&options[i], &commands[j]))
					continue;
				snprintf(word, sizeof(word), "--%.*s", (int)length, options[i].name);
				snprintf(full, sizeof(full), "--%s", options[i].name);
				if (is_option(&commands[j], word + 2))
					continue;
				for (size_t k = 0; k < option_count; k++)
					begun += option_applies(&options[k], &commands[j]) &&
						 strncmp(options[k].name, options[i].name, length) == 0;
				for (int spelling = 0; spelling < 3; spelling++) {
					if (spelling == 2 && good)
						snprintf(word + strlen(word), 30, "=%s", good);
					if (parse(commands[j].name, word, spelling == 0 ? good : NULL,
						  &settings, &error) == 0)
						fail_msg("%s %s was taken for %s", commands[j].name, word, full);
					assert_int_equal(error.status, STATUS_USAGE);
					if (!strstr(error.text, "is no option of this command"))
						fail_msg("%s %s: %s", commands[j].name, word, error.text);
					if (begun == 1)
						assert_non_null(strstr(error.text, full));
				}
			}
}

static void unknown_options(void **state)
{
	static const char *const words[] = {"--frobnicate", "-Z", "--list=3", "-"};
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(parse("test", words[i], NULL, &settings, &error) < 0);
		assert_int_equal(error.status, STATUS_USAGE);
		if (!strstr(error.text, words[i]))
			fail_msg("'%s' does not name %s", error.text, words[i]);
		assert_non_null(strstr(error.text, "sidestep test --help"));
	}
	assert_int_equal(parse("test", "-", NULL, &settings, &error), 0);
}

static const char *help_text(const struct command_row *command)
{
	static char text[20000];
	FILE *stream = fmemopen(text, sizeof(text), "w");

	assert_non_null(stream);
	cli_help(command, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* A line of its own with the meaning: other texts may mention the option. */
static bool shows(const char *text, const struct option_row *row)
{
	char word[64];
	const char *heading;

	snprintf(word, sizeof(word), " --%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
	heading = strstr(text, word);
	while (heading && !strchr(" \n", heading[strlen(word)]))
		heading = strstr(heading + 1, word);
	return heading && strstr(heading, row->meaning);
}

/* The help of a command shows all its options and no other. */
static void help(void **state)
{
	(void)state;
	setenv("COLUMNS", "1000", 1);
	for (size_t i = 0; i < command_count; i++) {
		const char *text = help_text(&commands[i]);

		/* It begins with a capital letter there. */
		assert_non_null(strstr(text, commands[i].meaning + 1));
		for (size_t j = 0; j < option_count; j++) {
			if (option_applies(&options[j], &commands[i]))
				assert_true(shows(text, &options[j]));
			else
				assert_null(strstr(text, options[j].meaning));
		}
	}
	unsetenv("COLUMNS");
}

static void help_fits_a_terminal(void **state)
{
	(void)state;
	unsetenv("COLUMNS");
	for (size_t i = 0; i < command_count; i++) {
		const char *text = help_text(&commands[i]);

		for (const char *line = text; line && *line; line = strchr(line, '\n')) {
			line += *line == '\n';
			assert_true(strcspn(line, "\n") <= 80);
		}
	}
}

static void formats(void **state)
{
	static const struct {
		const char *format, *names;
		bool good;
	} rows[] = {
		{"text", "text json", true},  {"json", "text json", true},
		{"tex", "text json", false},  {"texts", "text json", false},
		{"", "text json", false},     {"text json", "text json", false},
		{" ", "text json", false},    {"csv", "text json csv", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct settings settings = {.format = rows[i].format};
		struct error error = {0};

		assert_int_equal(cli_check_format(&settings, rows[i].names, &error) == 0,
				 rows[i].good);
		if (!rows[i].good) {
			assert_int_equal(error.status, STATUS_USAGE);
			assert_non_null(strstr(error.text, rows[i].names));
		}
	}
}

/* The first failure is the one that is reported; a long one is cut, not overrun. */
static void errors(void **state)
{
	char long_text[1000];
	struct error error = {0};

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(error_set(&error, -5, 2, "%s", long_text), -5);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_int_equal(error_set(&error, -6, 3, "second"), -6);
	assert_int_equal(error.status, 2);
	assert_int_equal(error.text[0], 'x');
	assert_int_equal(error_set(NULL, -7, 1, "nowhere"), -7);
	/* What is wrong stands at the end, behind a name that may be long. */
	error = (struct error){0};
	error_set(&error, -1, 2, "%s: %s", long_text, "no such thing");
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_non_null(strstr(error.text, "xxx: no such thing"));
	assert_non_null(strstr(error.text, "xx...xx"));
	/* No byte of it speaks to a terminal, and none is half shown where the middle is left out. */
	for (size_t length = 1; length < 900; length++) {
		memset(long_text, '\x1b', length);
		long_text[length] = '\0';
		error = (struct error){0};
		error_set(&error, -1, 2, "%s", long_text);
		for (const char *c = error.text; *c;) {
			bool whole = strncmp(c, "\\x1b", 4) == 0;

			assert_true(whole || *c == '.');
			c += whole ? 4 : 1;
		}
		assert_int_equal(strchr(error.text, '.') != NULL, length * 4 >= sizeof(error.text));
	}
}

/* What --help offers can be written, and the other way round. */
static void report_formats(void **state)
{
	char words[] = FORMATS_REPORT, *rest = words, *word;
	size_t count = 0;

	(void)state;
	while ((word = strsep(&rest, ", ")) != NULL) {
		if (word[0] == '\0' || strcmp(word, "or") == 0)
			continue;
		if (!ledger_format_by_name(word))
			fail_msg("no format '%s'", word);
		count++;
	}
	assert_int_equal(count, ledger_format_count);
	assert_null(ledger_format_by_name("or"));
	for (size_t i = 0; i < ledger_format_count; i++) {
		const struct ledger_format *format = &ledger_formats[i];

		const bool of_tests = strcmp(format->name, "tap") == 0 || strcmp(format->name, "junit") == 0;

		/* Tables, or the whole. Of tests there is one table. */
		assert_int_equal(format->whole == NULL, format->operations != NULL);
		assert_int_equal(format->whole == NULL && !of_tests, format->groups != NULL);
		assert_int_equal(format->whole == NULL, format->diff != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(every_option),
		cmocka_unit_test(defaults),
		cmocka_unit_test(operands),
		cmocka_unit_test(abbreviations),
		cmocka_unit_test(unknown_options),
		cmocka_unit_test(report_formats),
		cmocka_unit_test(help),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(formats),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
