/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of the arguments of options, and which are none. */
#include "tests/unit/cli/cli_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services),
		cmocka_unit_test(boot_files),
		cmocka_unit_test(symbol_files),
		cmocka_unit_test(platforms),
		cmocka_unit_test(keys_of_by),
		cmocka_unit_test(memory),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(limits),
		cmocka_unit_test(odd_numbers),
		cmocka_unit_test(bad_arguments),
	};

	return cmocka_run_group_tests_name("option arguments", tests, NULL, NULL);
}
