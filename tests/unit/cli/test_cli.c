/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cli/dispatch.h"
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

static int parse(const char *command, const char *first, const char *second,
		 struct settings *settings, struct error *error)
{
	char words[3][64];
	char *argv[4] = {words[0], NULL};
	int argc = 1;

	snprintf(words[0], sizeof(words[0]), "%s", command);
	if (first) {
		snprintf(words[1], sizeof(words[1]), "%s", first);
		argv[argc++] = words[1];
	}
	if (second) {
		snprintf(words[2], sizeof(words[2]), "%s", second);
		argv[argc++] = words[2];
	}
	argv[argc] = NULL;
	*error = (struct error){0};
	return cli_parse(command_by_name(command), argc, argv, settings, error);
}

static bool applies(const struct option_row *row, const struct command_row *command)
{
	return strchr(row->commands, command->letter) != NULL;
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
					     applies(&options[k], &commands[j]);
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
			if (row->letter && applies(row, &commands[j])) {
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

/* What --services makes of a list, and that nothing else is one. */
static void services(void **state)
{
	static const struct {
		const char *list;
		uint64_t enabled, cpl0, home, mode64, protected, exits;
	} good[] = {
		{"none", 0, 0, 0, 0, 0, 0},
		{"view", 1, 0, 0, 0, 0, 0},
		{"map", 2, 2, 2, 0, 0, 0},
		{"view,map", 3, 2, 2, 0, 0, 0},
		{"map:cpl3", 2, 0, 2, 0, 0, 0},
		{"map:views", 2, 2, 0, 0, 0, 0},
		{"map:views:cpl3", 2, 0, 0, 0, 0, 0},
		{"map:cpl3:cpl0,view:cpl0", 3, 3, 2, 0, 0, 0},
		{"view:view0", 1, 0, 1, 0, 0, 0},
		{"map:long", 2, 2, 2, 2, 0, 0},
		{"view,map:protected:cpl3", 3, 0, 2, 0, 2, 0},
		{"map:exit", 2, 2, 2, 0, 0, 2},
		{"map:off:exit", 0, 0, 0, 0, 0, 2},
		{"view:long:protected:exit,map", 3, 2, 2, 1, 1, 1},
		{"map:off", 0, 0, 0, 0, 0, 0},
	};
	static const char *const bad[] = {"",     ",",     "view,", ",view",    "none,view", "vie",
					  "views", "map:", "map:cpl1", "map:cpl", "map:view1",
					  "map::cpl0", "map cpl0", "map:exits", "map:real", "1", "NONE", ":cpl0"};
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct service_table *table = &settings.plan.services[0];

		assert_int_equal(parse("run", "--services", good[i].list, &settings, &error), 0);
		assert_int_equal(settings.plan.services_count, 1);
		assert_int_equal(table->enabled, good[i].enabled);
		assert_int_equal(table->cpl0 & table->enabled, good[i].cpl0);
		assert_int_equal(table->home & table->enabled, good[i].home);
		assert_int_equal(table->mode64, good[i].mode64);
		assert_int_equal(table->protected, good[i].protected);
		assert_int_equal(table->exits, good[i].exits);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(parse("run", "--services", bad[i], &settings, &error), 0);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_non_null(strstr(error.text, "--services"));
	}
}

/* Each --initrd is one more, up to a limit. */
static void boot_files(void **state)
{
	static char words[2 + 2 * (PC_FILES_MAX + 1)][16];
	char *argv[ARRAY_SIZE(words) + 1] = {NULL};
	struct settings settings;
	struct error error;

	(void)state;
	for (int count = 0; count <= PC_FILES_MAX + 1; count++) {
		int argc = 1, rc;

		strcpy(words[0], "run");
		for (int i = 0; i < count; i++) {
			strcpy(words[argc++], "--initrd");
			sprintf(words[argc++], "file%d", i);
		}
		for (int i = 0; i < argc; i++)
			argv[i] = words[i];
		argv[argc] = NULL;
		error = (struct error){0};
		rc = cli_parse(command_by_name("run"), argc, argv, &settings, &error);
		if (count > PC_FILES_MAX) {
			assert_int_equal(rc, -E2BIG);
			assert_int_equal(error.status, STATUS_USAGE);
			assert_non_null(strstr(error.text, "--initrd: given more than 16 times"));
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(settings.plan.boot_file_count, count);
		for (int i = 0; i < count; i++)
			assert_string_equal(settings.plan.boot_files[i], words[2 + 2 * i]);
	}
}

/* Files of symbols, of all three options together, up to a limit. */
static void symbol_files(void **state)
{
	static const char *const names[] = {"--symbols", "--guestkallsyms", "--guestmodules"};
	char command[] = "profile", plain[] = "file", placed[] = "file@0x1000";
	char *argv[2 * (SYMBOL_FILES_MAX + 1) + 2] = {command};
	struct settings settings;
	struct error error = {0};
	int argc = 1;

	(void)state;
	for (unsigned i = 0; i <= SYMBOL_FILES_MAX; i++) {
		argv[argc++] = (char *)(uintptr_t)names[i % 3];
		argv[argc++] = i % 2 ? placed : plain;
	}
	assert_int_equal(cli_parse(command_by_name("profile"), argc - 2, argv, &settings, &error), 0);
	assert_int_equal(settings.plan.symbol_count, SYMBOL_FILES_MAX);
	assert_int_equal(settings.file_count, SYMBOL_FILES_MAX);
	for (unsigned i = 0; i < SYMBOL_FILES_MAX; i++) {
		assert_ptr_equal(settings.plan.symbols[i].file, argv[2 + 2 * i]);
		assert_int_equal(settings.plan.symbols[i].kind, i % 3 == 2 ? SYMBOL_MODULES : SYMBOL_FUNCTIONS);
	}
	assert_int_equal(cli_parse(command_by_name("profile"), argc, argv, &settings, &error), -E2BIG);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_string_equal(error.text, "--guestkallsyms: more than 64 files of symbols; leave some out");
}

static void platforms(void **state)
{
	static const char *const bad[] = {"", "PC", "q35", "pc ", "sidestep,pc"};
	struct settings settings;
	struct error error;

	(void)state;
	assert_int_equal(parse("run", NULL, NULL, &settings, &error), 0);
	assert_int_equal(settings.plan.platform, PLATFORM_AUTO);
	for (int i = 0; i < PLATFORM_COUNT; i++) {
		assert_int_equal(parse("run", "--platform", platform_keys[i], &settings, &error), 0);
		assert_int_equal(settings.plan.platform, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(parse("run", "--platform", bad[i], &settings, &error), 0);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_non_null(strstr(error.text, "auto, sidestep or pc"));
	}
}

/* Every key by its name, and the sentence about them says no other. */
static void keys_of_by(void **state)
{
	char words[200] = "";
	struct settings settings;
	struct error error;

	(void)state;
	for (int i = 0; i < GROUP_KEY_COUNT; i++) {
		assert_int_equal(parse("report", "--by", group_key_names[i], &settings, &error), 0);
		assert_int_equal(settings.by, i);
		strcat(words, i == 0 ? "" : i + 1 < GROUP_KEY_COUNT ? ", " : " or ");
		strcat(words, group_key_names[i]);
	}
	assert_int_equal(parse("report", "--by", "reasons", &settings, &error), -EINVAL);
	assert_non_null(strstr(error.text, words));
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

static void memory(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{"1", 1}, {"4096", 4096}, {"64K", 64 << 10}, {"64k", 64 << 10}, {"16M", 16 << 20},
		{"16m", 16 << 20}, {"3G", UINT64_C(3) << 30}, {"1T", UINT64_C(1) << 40},
		{"18446744073709551615", UINT64_MAX}, {"16777215T", UINT64_C(16777215) << 40},
		{"017", 17},
	};
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse("run", "-m", good[i].text, &settings, &error), 0);
		assert_int_equal(settings.plan.memory, good[i].size);
	}
}

static void timeouts(void **state)
{
	static const struct {
		const char *text;
		unsigned ms;
	} good[] = {{"0", 0}, {"2.5", 2500}, {"0.001", 1}, {"0.0001", 1}, {".5", 500},
		    {"5.", 5000}, {"010", 10000}, {"1000000", 1000000000}};
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse("run", "--timeout", good[i].text, &settings, &error), 0);
		assert_int_equal(settings.plan.timeout_ms, good[i].ms);
	}
}

/* Of all rows, and of some by name. */
static void limits(void **state)
{
	struct settings settings;
	struct error error;
	char command[] = "report", all[] = "--threshold=5", one[] = "--threshold-exits=op=er=2.5";
	char more[] = "--threshold-exits=x=1", name[700] = "--threshold=";
	char *argv[3 + DIFF_LIMITS_MAX] = {command, all, one};
	int argc = 3;

	(void)state;
	assert_int_equal(parse("report", "--diff", NULL, &settings, &error), 0);
	assert_true(settings.ticks_limits.percent == 10 && settings.exits_limits.percent == 0 && !settings.limits_given);
	assert_int_equal(cli_parse(command_by_name("report"), argc, argv, &settings, &error), 0);
	assert_true(settings.ticks_limits.percent == 5 && settings.ticks_limits.count == 0 && settings.limits_given);
	assert_true(settings.exits_limits.percent == 0 && settings.exits_limits.count == 1);
	assert_true(settings.exits_limits.rows[0].percent == 2.5 && settings.exits_limits.rows[0].length == 5);
	while (argc < 3 + DIFF_LIMITS_MAX)
		argv[argc++] = more;
	assert_int_equal(cli_parse(command_by_name("report"), argc, argv, &settings, &error), -E2BIG);
	assert_int_equal(parse("report", "--threshold", "=1", &settings, &error), -EINVAL);
	memset(name + strlen(name), 'x', sizeof(name) - strlen(name) - 3);
	strcat(name, "=1");
	argv[1] = name;
	assert_int_equal(cli_parse(command_by_name("report"), 2, argv, &settings, &error), -EINVAL);
}

/* Every option that takes a number takes one grammar: digits, in some of them a point. */
static void odd_numbers(void **state)
{
	static const char *const odd[] = {"0x10", "0X1p3", "+5", "-5", " 5", "5 ", "\t5", "1e3", "1E3", "nan", "inf",
					  "infinity", "5,5", "1_000", "5s", "0b1", ".", "1.2.3", "",
					  "99999999999999999999999999999999"};
	static const struct {
		const char *command, *option, *pattern;
	} rows[] = {
		{"run", "--timeout", "%s"},	     {"test", "--timeout", "%s"}, {"profile", "--interval", "%s"},
		{"report", "--threshold", "a=%s"},   {"report", "--threshold-exits", "%s"},
		{"report", "--threshold", "%s"},     {"run", "-m", "%s"},	  {"run", "-m", "%sM"},
		{"run", "-c", "%s"},		     {"run", "--vms", "%s"},	  {"test", "--random", "%s"},
		{"test", "--seed", "%s"},	     {"test", "--shard", "%s/9"}, {"test", "--shard", "1/%s"},
		{"bench", "--count", "%s"},
	};
	struct settings settings;
	struct error error;
	char argument[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(odd); j++) {
			snprintf(argument, sizeof(argument), rows[i].pattern, odd[j]);
			if (parse(rows[i].command, rows[i].option, argument, &settings, &error) == 0)
				fail_msg("%s %s '%s' was accepted", rows[i].command, rows[i].option, argument);
			assert_int_equal(error.status, STATUS_USAGE);
			assert_non_null(strstr(error.text, rows[i].option));
		}
}

/* An option whose name another begins with. */
static bool is_option(const struct command_row *command, const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (applies(&options[i], command) && strcmp(options[i].name, name) == 0)
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

				if (!applies(&options[i], &commands[j]))
					continue;
				snprintf(word, sizeof(word), "--%.*s", (int)length, options[i].name);
				snprintf(full, sizeof(full), "--%s", options[i].name);
				if (is_option(&commands[j], word + 2))
					continue;
				for (size_t k = 0; k < option_count; k++)
					begun += applies(&options[k], &commands[j]) &&
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

/* One line that names the option and the argument, status 2. */
static void bad_arguments(void **state)
{
	static const struct {
		const char *command, *option, *argument;
	} rows[] = {
		{"run", "-m", "0"},
		{"run", "-m", "0K"},
		{"run", "-m", "12X"},
		{"run", "-m", "12MB"},
		{"run", "-m", "M"},
		{"run", "-m", ""},
		{"run", "-m", "-1"},
		{"run", "-m", "+1"},
		{"run", "-m", " 1"},
		{"run", "-m", "1 "},
		{"run", "-m", "0x1000"},
		{"run", "-m", "1.5G"},
		{"run", "-m", "18446744073709551616"},
		{"run", "-m", "16777216T"},
		{"run", "-m", "18014398509481984K"},
		{"run", "-m", "99999999999999999999999999"},
		{"run", "-c", "0"},
		{"run", "-c", "65"},
		{"run", "-c", "two"},
		{"run", "-c", "1.0"},
		{"run", "-c", "-1"},
		{"run", "-c", ""},
		{"run", "--vms", "0"},
		{"run", "--vms", "65"},
		{"run", "--vms", "4294967297"},
		{"run", "--vms", "18446744073709551617"},
		{"run", "--engine", "kvm"},
		{"run", "--engine", ""},
		{"run", "--engine", "FLAT"},
		{"run", "--engine", "invalid"},
		{"run", "--timeout", "-1"},
		{"run", "--timeout", "-0.5"},
		{"run", "--timeout", "nan"},
		{"run", "--timeout", "inf"},
		{"run", "--timeout", "1e7"},
		{"run", "--timeout", "1s"},
		{"run", "--timeout", ""},
		{"run", "--on-violation", "ignore"},
		{"report", "--by", "time"},
		{"report", "--by", ""},
		{"bench", "--count", "0"},
		{"bench", "--count", "-5"},
		{"bench", "--count", "100000001"},
		{"bench", "--count", "1k"},
	};
	struct settings settings;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int rc = parse(rows[i].command, rows[i].option, rows[i].argument, &settings, &error);

		if (rc >= 0)
			fail_msg("%s %s '%s' was accepted", rows[i].command, rows[i].option,
				 rows[i].argument);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_null(strchr(error.text, '\n'));
		if (!strstr(error.text, rows[i].argument) || !strstr(error.text, rows[i].option))
			fail_msg("'%s' does not name %s '%s'", error.text, rows[i].option,
				 rows[i].argument);
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

/* The help of a command shows all its options and no other. */
static void help(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		char *text = NULL;
		size_t size;
		FILE *stream = open_memstream(&text, &size);

		assert_non_null(stream);
		cli_help(&commands[i], stream);
		fclose(stream);
		/* It begins with a capital letter there. */
		assert_non_null(strstr(text, commands[i].meaning + 1));
		for (size_t j = 0; j < option_count; j++) {
			/* A heading of its own: other texts may mention the option. */
			char word[64];
			bool shown;

			snprintf(word, sizeof(word), " --%s%s%s ", options[j].name,
				 options[j].argument ? " " : "",
				 options[j].argument ? options[j].argument : "");
			shown = strstr(text, word) && strstr(text, options[j].meaning);
			if (applies(&options[j], &commands[i]))
				assert_true(shown);
			else
				assert_null(strstr(text, options[j].meaning));
		}
		for (const char *line = text; line && *line; line = strchr(line, '\n')) {
			line += *line == '\n';
			assert_true(strcspn(line, "\n") <= 130);
		}
		free(text);
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
		cmocka_unit_test(keys_of_by),
		cmocka_unit_test(tables),        cmocka_unit_test(every_option),
		cmocka_unit_test(boot_files),    cmocka_unit_test(symbol_files),    cmocka_unit_test(platforms),
		cmocka_unit_test(services),      cmocka_unit_test(defaults),      cmocka_unit_test(operands),
		cmocka_unit_test(memory),        cmocka_unit_test(timeouts),
		cmocka_unit_test(limits),        cmocka_unit_test(odd_numbers),   cmocka_unit_test(abbreviations),
		cmocka_unit_test(bad_arguments), cmocka_unit_test(unknown_options),
		cmocka_unit_test(report_formats),
		cmocka_unit_test(help),          cmocka_unit_test(formats),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
