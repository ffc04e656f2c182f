/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command line may say: one table of commands, one of options, and the settings that options set. */
#ifndef VMM_CLI_OPTIONS_H
#define VMM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vmm/analysis/diff.h"
#include "vmm/analysis/group_key.h"
#include "vmm/attach/attachment.h"
#include "vmm/base/error.h"
#include "vmm/base/printable.h"
#include "vmm/plan/plan.h"
#include "vmm/report/report_ledger.h"

#define COMMAND_TEXT_SIZE 960 /* a ledger has room for that */
#define SETTINGS_GIVEN_MAX 200
#define SETTINGS_FILES_MAX (8 + PC_FILES_MAX + SYMBOL_FILES_MAX)

/* What becomes of the file that an option names, see option.def. */
enum file_access { FILE_NONE, FILE_READ, FILE_READ_EACH, FILE_PLACED_EACH, FILE_WRITTEN, FILE_OUTPUT, FILE_DISK };

struct option_row;

/* The last one that was given for an option, or each. */
struct settings_file {
	const struct option_row *option;
	const char *name;
};

/* What the options of any command set. */
struct settings {
	struct plan_request plan;
	char command[COMMAND_TEXT_SIZE], date[PRINTABLE_TIME_SIZE]; /* that the plan is from */
	const char *format;
	enum group_key by;
	enum report_weight weight;
	bool diff, exits_only;
	struct diff_limits exits_limits, ticks_limits;
	bool limits_given;
	const char *output;
	bool list, quiet, help;
	bool launch, exit; /* bench: launches, or exits, instead of operations */
	bool bench; /* an image whose ledger is not judged */
	bool image; /* views of an image, not of this host */
	bool perf_command;
	unsigned interval_ms;
	/* VMs of other processes, whose exits are to be shown. */
	pid_t pids[ATTACH_PROCESSES_MAX];
	unsigned pid_count;
	bool all, one_vcpu;
	uint32_t vcpu;
	uint64_t random, seed; /* programs to perform; 0: the catalogue */
	uint64_t shard, shards;
	const char *replay;
	/* Options as they were given, as far as there is room. */
	struct {
		const char *name, *argument;
	} given[SETTINGS_GIVEN_MAX];
	unsigned given_count;
	struct settings_file files[SETTINGS_FILES_MAX];
	unsigned file_count;
	char *const *operands;
	int operand_count;
};

struct command_row {
	const char *name;
	char letter; /* in the option table */
	const char *operands, *meaning, *more;
};

struct option_row {
	int letter; /* 0: none */
	const char *name, *argument, *commands, *meaning;
	enum file_access access; /* NONE: the argument is no file */
	int (*parse)(struct settings *settings, const char *argument, struct error *error);
};

static inline bool option_applies(const struct option_row *option, const struct command_row *command)
{
	return strchr(option->commands, command->letter) != NULL;
}

extern const struct command_row commands[];
extern const size_t command_count;
extern const struct option_row options[];
extern const size_t option_count;

const struct command_row *command_by_name(const char *name);

#endif
