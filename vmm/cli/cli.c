/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "vmm/base/number.h"
#include "vmm/base/words.h"
#include "vmm/plan/service_list.h"

#define OPTIONS_MAX 48
#define TIMEOUT_DEFAULT_MS 60000
#define TIMEOUT_MAX_S 1e6
#define SLICE_DEFAULT_MS 10
#define SLICE_MAX_MS 60000
#define INTERVAL_MIN_S 0.05
#define INTERVAL_MAX_S 3600
#define THRESHOLD_DEFAULT 10

static int bad_argument(struct error *error, const char *option, const char *argument,
			const char *wanted)
{
	return error_set(error, -EINVAL, STATUS_USAGE, "%s: '%s' is not %s", option, argument, wanted);
}

/* A number from 1 to limit, or a negative errno. */
static int64_t parse_count_of(const char *option, const char *argument, int64_t limit,
			      struct error *error)
{
	const char *end;
	uint64_t number;
	int rc = number_whole(argument, (uint64_t)limit, &number, &end);

	if (rc == 0 && *end == '\0' && number > 0)
		return (int64_t)number;
	if (rc == -ERANGE)
		return error_set(error, rc, STATUS_USAGE, "%s: %s is more than %lld", option, argument,
				 (long long)limit);
	return bad_argument(error, option, argument, "a whole number above 0");
}

/* Options that only switch something on. */
#define SWITCH(name, member)                                                                       \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		(void)argument;                                                                    \
		(void)error;                                                                       \
		settings->member = true;                                                           \
		return 0;                                                                          \
	}
SWITCH(all, all)
SWITCH(diff, diff)
SWITCH(exits_only, exits_only)
SWITCH(list, list)
SWITCH(perf_command, perf_command)
SWITCH(quiet, quiet)
SWITCH(bench, bench)
SWITCH(image, image)
SWITCH(help, help)
SWITCH(lenient, plan.lenient)
SWITCH(share_vcpu, plan.share_vcpu)

/* Options whose argument somebody else looks into: it names a file, or depends on the command or the catalogue. */
#define TEXT(name, member)                                                                         \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		(void)error;                                                                       \
		settings->member = argument;                                                       \
		return 0;                                                                          \
	}
TEXT(format, format)
TEXT(output, output)
TEXT(replay, replay)
TEXT(views, plan.views)
TEXT(guest, plan.guest)
TEXT(ledger, plan.ledger)
TEXT(disk, plan.disk)
TEXT(workload, plan.workload)
TEXT(append, plan.command_line)

/* Options that are a number from 1 to a limit. */
#define NUMBER(name, option, limit, member, type)                                                  \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		int64_t number = parse_count_of(option, argument, limit, error);                   \
                                                                                                   \
		if (number > 0)                                                                    \
			settings->member = (type)number;                                           \
		return number > 0 ? 0 : (int)number;                                               \
	}
NUMBER(random, "--random", INT64_C(1) << 40, random, uint64_t)
NUMBER(count, "--count", 100000000, plan.iterations, uint32_t)
NUMBER(vcpus, "-c", SS_MAX_VCPUS, plan.vcpus, unsigned)
NUMBER(vms, "--vms", PLAN_VMS_MAX, plan.vms, unsigned)
NUMBER(slice, "--slice", SLICE_MAX_MS, plan.slice_ms, unsigned)

/* Options that are one of the words from number `first` on. */
#define WORD(name, option, words, first, count, member, type, wanted)                              \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		int number = words_find(words, count, argument);                                   \
                                                                                                   \
		if (number < (first))                                                              \
			return bad_argument(error, option, argument, wanted);                      \
		settings->member = (type)number;                                                   \
		return 0;                                                                          \
	}
static const char *const weight_keys[] = {[WEIGHT_EXITS] = "exits", [WEIGHT_TICKS] = "ticks"};

WORD(by, "--by", group_key_names, 0, GROUP_KEY_COUNT, by, enum group_key, GROUP_KEY_WORDS)
WORD(weight, "--weight", weight_keys, 0, 2, weight, enum report_weight, "exits or ticks")
WORD(platform, "--platform", platform_keys, 0, PLATFORM_COUNT, plan.platform, enum platform, "auto, sidestep or pc")
WORD(flag_path, "--flag-path", flag_path_keys, 0, FLAG_PATH_COUNT, plan.flag_path, enum flag_path,
     "auto, cpu, monitor, enlightened or vmm")
WORD(embodiment, "--embodiment", embodiment_keys, SS_EMBODIMENT_TWO_WORDS, SS_EMBODIMENT_COUNT, plan.embodiment,
     enum ss_embodiment, "two-words, one-word, single-mask, owned-first or shadow-first")
WORD(on_ask, "--on-ask", on_ask_keys, 0, FLAGS_ON_ASK_COUNT, plan.on_ask, enum flags_on_ask,
     "register, shadow or refuse")
WORD(on_violation, "--on-violation", on_violation_keys, 0, ON_VIOLATION_COUNT, plan.on_violation,
     enum on_violation, "report, stop or inject")
WORD(seccomp, "--seccomp", jail_mode_keys, JAIL_ON, JAIL_MODE_COUNT, plan.jail, enum jail_mode, "on, log or off")

static int parse_engine(struct settings *settings, const char *argument, struct error *error)
{
	if (strcmp(argument, "auto") != 0 && !engine_by_key(argument))
		return bad_argument(error, "--engine", argument, "auto, flat, vmx or svm");
	settings->plan.engine = argument;
	return 0;
}

static int parse_trace(struct settings *settings, const char *argument, struct error *error)
{
	int mode = words_find(trace_mode_keys, TRACING_MODE_COUNT, argument);

	if (mode < 0 || mode == TRACING_PART)
		return bad_argument(error, "--trace", argument, "off, count or sample");
	settings->plan.trace = (enum trace_mode)mode;
	settings->plan.trace_asked = true;
	return 0;
}

/* Options that say how much rows of --diff may differ. */
#define LIMITS(name, option, member)                                                               \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		settings->limits_given = true;                                                     \
		return diff_limits_add(&settings->member, option, argument, error);                \
	}
LIMITS(threshold, "--threshold", ticks_limits)
LIMITS(threshold_exits, "--threshold-exits", exits_limits)

static int parse_seed(struct settings *settings, const char *argument, struct error *error)
{
	const char *end;

	if (number_whole(argument, UINT64_MAX, &settings->seed, &end) != 0 || *end != '\0')
		return bad_argument(error, "--seed", argument, "a whole number");
	return 0;
}

/* I/N, I from 1. */
static int parse_shard(struct settings *settings, const char *argument, struct error *error)
{
	const char *end;

	if (number_whole(argument, UINT32_MAX, &settings->shard, &end) != 0 || *end != '/' ||
	    number_whole(end + 1, UINT32_MAX, &settings->shards, &end) != 0 || *end != '\0' ||
	    settings->shard == 0 || settings->shard > settings->shards)
		return bad_argument(error, "--shard", argument, "I/N with I from 1 to N");
	return 0;
}

static int parse_memory(struct settings *settings, const char *argument, struct error *error)
{
	static const char suffixes[] = "KMGT";
	const char *end, *suffix;
	uint64_t number;
	unsigned shift = 0;

	if (number_whole(argument, UINT64_MAX, &number, &end) != 0)
		return bad_argument(error, "-m", argument, "a size such as 64M");
	if (*end != '\0') {
		suffix = strchr(suffixes, *end >= 'a' ? *end - 'a' + 'A' : *end);
		if (!suffix || end[1] != '\0')
			return bad_argument(error, "-m", argument, "a size such as 64M");
		shift = 10 * (unsigned)(suffix - suffixes + 1);
	}
	if (number == 0 || number > UINT64_MAX >> shift)
		return bad_argument(error, "-m", argument, "a size that a guest can have, such as 64M");
	settings->plan.memory = number << shift;
	return 0;
}

static const struct control_flag *find_flag(const char *word, size_t length)
{
	for (size_t i = 0; i < control_flag_count; i++)
		if (strlen(control_flags[i].name) == length &&
		    strncasecmp(control_flags[i].name, word, length) == 0)
			return &control_flags[i];
	return NULL;
}

/* "ts,mp" or "none". */
static int parse_flags(const char *option, const char *argument, uint64_t *ret_flags,
		       struct error *error)
{
	const char *word = argument;

	*ret_flags = 0;
	for (;;) {
		const size_t length = strcspn(word, ",");
		const struct control_flag *flag = find_flag(word, length);

		if (flag && flag->fixed)
			return error_set(error, -EINVAL, STATUS_USAGE, "%s: %s.%s has no owner but the guest: %s",
					 option, flag->reg == CONTROL_CR0 ? "CR0" : "CR4", flag->name,
					 flag->fixed);
		if (flag)
			*ret_flags |= plan_flag(flag);
		else if (length != 4 || strncmp(word, "none", length) != 0)
			return bad_argument(error, option, argument,
					    "a list of flags of CR0 and CR4, such as ts,mp,smep, or none");
		if (word[length] == '\0')
			return 0;
		word += length + 1;
	}
}

/* The place of one more argument of an option that may be repeated, or a negative errno. */
static int next_place(const char *option, unsigned *count, unsigned limit, struct error *error)
{
	if (*count == limit)
		return error_set(error, -E2BIG, STATUS_USAGE, "%s: given more than %u times", option, limit);
	return (int)(*count)++;
}

/* Options with the flags of one more VM. */
#define FLAGS(name, option, member)                                                                \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		struct plan_request *plan = &settings->plan;                                       \
		int vm = next_place(option, &plan->member##_count, PLAN_VMS_MAX, error);           \
                                                                                                   \
		return vm < 0 ? vm : parse_flags(option, argument, &plan->member[vm], error);      \
	}
FLAGS(own, "--own", owned)
FLAGS(shadow, "--shadow", kept)
FLAGS(ask, "--ask", asked)

static int parse_services(struct settings *settings, const char *argument, struct error *error)
{
	struct plan_request *plan = &settings->plan;
	int vm = next_place("--services", &plan->services_count, PLAN_VMS_MAX, error);

	return vm < 0 ? vm : service_list_parse(argument, &plan->services[vm], error);
}

static int parse_initrd(struct settings *settings, const char *argument, struct error *error)
{
	int place = next_place("--initrd", &settings->plan.boot_file_count, PC_FILES_MAX, error);

	if (place < 0)
		return place;
	settings->plan.boot_files[place] = argument;
	return 0;
}

static int add_symbols(struct settings *settings, const char *option, const char *argument, enum symbol_kind kind,
		       struct error *error)
{
	struct plan_request *plan = &settings->plan;

	if (plan->symbol_count == SYMBOL_FILES_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE, "%s: more than %d files of symbols; leave some out", option,
				 SYMBOL_FILES_MAX);
	plan->symbols[plan->symbol_count++] = (struct symbol_request){argument, kind};
	return 0;
}

#define SYMBOLS(name, kind)                                                                        \
	static int parse_##name(struct settings *settings, const char *argument, struct error *error) \
	{                                                                                          \
		return add_symbols(settings, "--" #name, argument, kind, error);                   \
	}
SYMBOLS(symbols, SYMBOL_FUNCTIONS)
SYMBOLS(guestkallsyms, SYMBOL_FUNCTIONS)
SYMBOLS(guestmodules, SYMBOL_MODULES)

static int parse_pid(struct settings *settings, const char *argument, struct error *error)
{
	const int64_t number = parse_count_of("--pid", argument, INT32_MAX, error);
	int place = number < 0 ? (int)number : next_place("--pid", &settings->pid_count, ATTACH_PROCESSES_MAX, error);

	if (place < 0)
		return place;
	settings->pids[place] = (pid_t)number;
	return 0;
}

static int parse_vcpu(struct settings *settings, const char *argument, struct error *error)
{
	const char *end;
	uint64_t number;

	if (number_whole(argument, UINT32_MAX, &number, &end) != 0 || *end != '\0')
		return bad_argument(error, "--vcpu", argument, "the number of a vCPU, from 0");
	settings->vcpu = (uint32_t)number;
	settings->one_vcpu = true;
	return 0;
}

static int parse_pid_file(struct settings *settings, const char *argument, struct error *error)
{
	if (strcmp(argument, "-") == 0)
		return bad_argument(error, "--pid-file", argument, "the name of a file");
	settings->plan.pid_file = argument;
	return 0;
}

static int parse_interval(struct settings *settings, const char *argument, struct error *error)
{
	double seconds;

	if (number_decimal(argument, INTERVAL_MIN_S, INTERVAL_MAX_S, &seconds) != 0)
		return bad_argument(error, "--interval", argument,
				    "a number of seconds from 0.05 to 3600");
	settings->interval_ms = (unsigned)(seconds * 1000 + 0.5);
	return 0;
}

static int parse_timeout(struct settings *settings, const char *argument, struct error *error)
{
	double seconds;

	if (number_decimal(argument, 0, TIMEOUT_MAX_S, &seconds) != 0)
		return bad_argument(error, "--timeout", argument, "a number of seconds, such as 2.5");
	settings->plan.timeout_ms = (unsigned)ceil(seconds * 1000);
	return 0;
}

const struct command_row commands[] = {
#define COMMAND(name, letter, operands, meaning, more) {#name, letter, operands, meaning, more},
#include "vmm/cli/command.def"
#undef COMMAND
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct option_row options[] = {
#define OPTION(letter, name, argument, commands, parser, meaning)                                  \
	{letter, name, argument, commands, meaning, FILE_NONE, parse_##parser},
#define FILE_OPTION(letter, name, access, commands, parser, meaning)                               \
	{letter, name, "FILE", commands, meaning, FILE_##access, parse_##parser},
#include "vmm/cli/option.def"
#undef OPTION
};
const size_t option_count = sizeof(options) / sizeof(options[0]);

static bool applies(const struct option_row *option, const struct command_row *command)
{
	return strchr(option->commands, command->letter) != NULL;
}

const struct command_row *command_by_name(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

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

		if (!applies(row, command))
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
		if (tables->rows[i]->letter == value)
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

static int getopt_failed(const struct command_row *command, const struct getopt_tables *tables, int value,
			 char **argv, struct error *error)
{
	const char *what = value == ':' ? "needs an argument" : "is no option of this command";
	char letter[3] = {'-', (char)optopt, '\0'};
	const char *word = optopt > 0 && optopt < LONG_BASE ? letter : argv[optind - 1];
	const struct option_row *row = find_option(tables, optopt);

	if (row && !spelled_out(row, optopt, word))
		return abbreviated(command, row, word, error);
	return error_set(error, -EINVAL, STATUS_USAGE, "%s %s; see `sidestep %s --help`", word, what,
			 command->name);
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
			return getopt_failed(command, &tables, value, argv, error);
		if (value >= LONG_BASE && optarg == word)
			word = argv[optind - 2];
		if (!spelled_out(row, value, word))
			return abbreviated(command, row, word, error);
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

void cli_help(const struct command_row *command, FILE *stream)
{
	fprintf(stream, "usage: sidestep %s [options]%s%s\n\n%c%s.\n\n", command->name,
		command->operands[0] ? " " : "", command->operands,
		toupper((unsigned char)command->meaning[0]), command->meaning + 1);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &options[i];
		char name[48], letter[8] = "    ";

		if (!applies(row, command))
			continue;
		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(name, sizeof(name), "%s--%s%s%s", letter, row->name,
			 row->argument ? " " : "", row->argument ? row->argument : "");
		fprintf(stream, "  %-24s %s\n", name, row->meaning);
	}
}

void cli_usage(FILE *stream)
{
	fputs("usage: sidestep COMMAND [options]\n\n", stream);
	for (size_t i = 0; i < command_count; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].meaning);
	fputs("\n`sidestep COMMAND --help` shows a command's options, `sidestep --version` the "
	      "version.\n",
	      stream);
}
