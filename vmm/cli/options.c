/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/cli/options.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "vmm/base/number.h"
#include "vmm/base/words.h"
#include "vmm/cli/formats.h"
#include "vmm/plan/service_list.h"

#define TIMEOUT_MAX_S 1e6
#define SLICE_MAX_MS 60000
#define INTERVAL_MIN_S 0.05
#define INTERVAL_MAX_S 3600

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
SWITCH(launch, launch)
SWITCH(exit, exit)
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
TEXT(pid_file, plan.pid_file)
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

const struct command_row *command_by_name(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}
