/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints documentation from the tables behind the program, at build time:
 *   gen-docs man TEMPLATE   scdoc source of sidestep(1): the template with its @SECTION@ lines filled
 *   gen-docs bash           completion for bash
 *   gen-docs NAME           a Markdown table; tests/docs compares them with the documents
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "views/expect.h"
#include "views/policy_error.h"
#include "views/policy_lint.h"
#include "vmm/cli.h"
#include "vmm/jail.h"
#include "vmm/policy_file.h"
#include "vmm/policy_source.h"
#include "vmm/probe.h"
#include "vmm/profile_write.h"
#include "vmm/record.h"
#include "vmm/report.h"
#include "vmm/stats.h"
#include "vmm/summary.h"
#include "vmm/views_report.h"
#include "vmm/vm.h"

static const struct {
	int value;
	const char *meaning;
} statuses[] = {
#define X(value, name, meaning) {value, meaning},
	EXIT_STATUSES(X)
#undef X
};

static bool applies(const struct option_row *option, const struct command_row *command)
{
	return strchr(option->commands, command->letter) != NULL;
}

/* scdoc reads these characters as markup. */
static void put_scdoc(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\*_#`<>[|", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void put_option_name(const struct option_row *option)
{
	if (option->letter)
		printf("*-%c*, ", option->letter);
	printf("*--%s*", option->name);
	if (option->argument)
		printf(" _%s_", option->argument);
	putchar('\n');
}

static void man_synopsis(void)
{
	for (size_t i = 0; i < command_count; i++) {
		printf("*sidestep %s* [_options_]", commands[i].name);
		if (commands[i].operands[0]) {
			putchar(' ');
			put_scdoc(commands[i].operands);
		}
		puts("++");
	}
}

static void man_commands(void)
{
	for (size_t i = 0; i < command_count; i++) {
		printf("## sidestep %s\n\n", commands[i].name);
		put_scdoc(commands[i].more);
		puts("\n");
		for (size_t j = 0; j < option_count; j++) {
			if (!applies(&options[j], &commands[i]))
				continue;
			put_option_name(&options[j]);
			putchar('\t');
			put_scdoc(options[j].meaning);
			puts("\n");
		}
	}
}

static void man_pair(const char *name, const char *meaning)
{
	putchar('*');
	put_scdoc(name);
	fputs("*\n\t", stdout);
	put_scdoc(meaning);
	puts("\n");
}

static void man_columns(void)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		man_pair(column_headers[i], column_meanings[i]);
}

static void man_profile_columns(void)
{
	for (int i = 0; i < PROFILE_COLUMN_COUNT; i++)
		man_pair(profile_column_headers[i], profile_column_meanings[i]);
}

static void man_statuses(void)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", statuses[i].value);
		man_pair(number, statuses[i].meaning);
	}
}

static void man_engines(void)
{
	for (int i = ENGINE_INVALID + 1; i < ENGINE_COUNT; i++)
		man_pair(engine_keys[i], engine_meanings[i]);
}

static void man_reasons(void)
{
	for (int i = 0; i < EXIT_REASON_COUNT; i++) {
		put_scdoc(exit_reason_keys[i]);
		printf(" (%d)%s\n", i, i + 1 < EXIT_REASON_COUNT ? "," : "");
	}
}

static void man_probes(void)
{
	for (size_t i = 0; i < probe_count; i++) {
		man_pair(probes[i].name, probes[i].meaning);
		putchar('\t');
		for (int j = 0; probes[i].arguments[j].name; j++) {
			fputs(j ? ", _" : "_", stdout);
			put_scdoc(probes[i].arguments[j].name);
			fputs("_ (", stdout);
			put_scdoc(probes[i].arguments[j].meaning);
			putchar(')');
		}
		puts("\n");
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} sections[] = {
	{"@SYNOPSIS@", man_synopsis}, {"@COMMANDS@", man_commands},	    {"@ENGINES@", man_engines},
	{"@COLUMNS@", man_columns},   {"@EXIT STATUSES@", man_statuses}, {"@EXIT REASONS@", man_reasons},
	{"@PROFILE COLUMNS@", man_profile_columns},
	{"@PROBES@", man_probes},
};

static bool print_section(const char *line)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcmp(line, sections[i].name) != 0)
			continue;
		sections[i].print();
		return true;
	}
	return false;
}

static int print_man(const char *path)
{
	FILE *template = fopen(path, "r");
	char line[1024];

	if (!template) {
		perror(path);
		return 1;
	}
	printf("sidestep(1) \"sidestep %s\"\n", SIDESTEP_VERSION);
	while (fgets(line, sizeof(line), template)) {
		line[strcspn(line, "\n")] = '\0';
		if (print_section(line))
			continue;
		if (line[0] == '@') {
			fprintf(stderr, "%s: unknown section %s\n", path, line);
			fclose(template);
			return 1;
		}
		puts(line);
	}
	fclose(template);
	return 0;
}

/*
 * The values of an option whose meaning starts with a list of them, "a, b or c", separated by
 * spaces; false if it does not.
 */
static bool option_values(const struct option_row *option, char *values, size_t size)
{
	const char *at = option->meaning;
	size_t used = 0;
	bool last = false;

	for (;;) {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");

		if (length == 0 || used + length + 2 > size)
			return false;
		if (used)
			values[used++] = ' ';
		memcpy(values + used, at, length);
		used += length;
		values[used] = '\0';
		at += length;
		if (last)
			return true;
		last = strncmp(at, " or ", 4) == 0;
		if (!last && strncmp(at, ", ", 2) != 0)
			return false;
		at += last ? 4 : 2;
	}
}

static void bash_values(const struct command_row *command)
{
	printf("\t%s)\n\t\tcase $option in\n", command->name);
	for (size_t i = 0; i < option_count; i++) {
		char values[128];

		if (!applies(&options[i], command) || !options[i].argument)
			continue;
		fputs("\t\t", stdout);
		if (options[i].letter)
			printf("-%c | ", options[i].letter);
		printf("--%s) ", options[i].name);
		if (option_values(&options[i], values, sizeof(values)))
			printf("kind=words words='%s' ;;\n", values);
		else
			printf("kind=%s ;;\n", strcmp(options[i].argument, "FILE") == 0 ? "files" : "any");
	}
	fputs("\t\tesac\n\t\toptions='", stdout);
	for (size_t i = 0; i < option_count; i++)
		if (applies(&options[i], command))
			printf("%s--%s", i ? " " : "", options[i].name);
	printf("'\n\t\toperands=%s ;;\n",
	       strstr(command->operands, "PATTERN") ? "operations" :
	       command->operands[0]		    ? "files" :
						      "none");
}

static int print_bash(void)
{
	puts("# bash completion for sidestep                              -*- shell-script -*-\n"
	     "# Generated from the tables behind the command line; do not edit.\n"
	     "\n"
	     "_sidestep_reply()\n"
	     "{\n"
	     "\tlocal IFS=$' \\t\\n'\n"
	     "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$current\"))\n"
	     "}\n"
	     "\n"
	     "_sidestep()\n"
	     "{\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
	     "\tlocal option=${COMP_WORDS[COMP_CWORD - 1]} kind= words= options= operands=none\n"
	     "\n"
	     "\tCOMPREPLY=()\n"
	     "\t# --option=value arrives as three words.\n"
	     "\tif [[ $current == = ]]; then\n"
	     "\t\tcurrent=\n"
	     "\telif [[ $option == = ]]; then\n"
	     "\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	     "\tfi\n"
	     "\tif ((COMP_CWORD == 1)); then");
	fputs("\t\t_sidestep_reply '", stdout);
	for (size_t i = 0; i < command_count; i++)
		printf("%s ", commands[i].name);
	puts("--help --version'\n\t\treturn\n\tfi\n\tcase $command in");
	for (size_t i = 0; i < command_count; i++)
		bash_values(&commands[i]);
	puts("\t*) return ;;\n"
	     "\tesac\n"
	     "\tif [[ -z $kind && $current == -* ]]; then\n"
	     "\t\t_sidestep_reply \"$options\"\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase ${kind:-$operands} in\n"
	     "\twords) _sidestep_reply \"$words\" ;;\n"
	     "\tfiles) compopt -o default 2>/dev/null ;;\n"
	     "\toperations)\n"
	     "\t\t_sidestep_reply \"$(\"${COMP_WORDS[0]}\" test --list 2>/dev/null |\n"
	     "\t\t\tsed -n '2,$s/ .*//p')\" ;;\n"
	     "\tesac\n"
	     "}\n"
	     "\n"
	     "complete -F _sidestep sidestep");
	return 0;
}

/* Markdown tables. */

static void put_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void row2(const char *a, const char *b)
{
	printf("| `%s` | ", a);
	put_cell(b);
	puts(" |");
}

static void row3(const char *a, long number, const char *b)
{
	printf("| `%s` | %ld | ", a, number);
	put_cell(b);
	puts(" |");
}

static void md_commands(void)
{
	puts("| Command | What it does |\n|---|---|");
	for (size_t i = 0; i < command_count; i++)
		row2(commands[i].name, commands[i].meaning);
}

static void md_statuses(void)
{
	puts("| Status | Meaning |\n|---|---|");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", statuses[i].value);
		row2(number, statuses[i].meaning);
	}
}

static void md_columns(void)
{
	puts("| Column | JSON and CSV | Meaning |\n|---|---|---|");
	for (int i = 0; i < COLUMN_COUNT; i++) {
		printf("| `%s` | `%s` | ", column_headers[i], column_keys[i]);
		put_cell(column_meanings[i]);
		puts(" |");
	}
}

static void md_engines(void)
{
	puts("| Engine | How the guest runs |\n|---|---|");
	for (int i = ENGINE_INVALID + 1; i < ENGINE_COUNT; i++)
		row2(engine_keys[i], engine_meanings[i]);
}

static void md_levels(void)
{
	puts("| Level | Number | Who |\n|---|---|---|");
	for (int i = 0; i < LEVEL_COUNT; i++)
		row3(level_keys[i], i, level_meanings[i]);
}

static void md_requests(void)
{
	puts("| Request | Number | Arguments and results |\n|---|---|---|");
#define X(name, number, key, text) row3("SS_REQUEST_" #name, number, text);
	SS_REQUESTS(X)
#undef X
}

static void md_kinds(void)
{
	puts("| Kind | Number | `cr0` and `arg` |\n|---|---|---|");
#define X(name, key, text) row3("SS_KIND_" #name, SS_KIND_##name, text);
	SS_OPERATION_KINDS(X)
#undef X
}

static void md_hypercalls(void)
{
	puts("| Hypercall | RAX | What it does |\n|---|---|---|");
#define X(name, number, text) printf("| `SS_HYPERCALL_%s` | %#x | %s |\n", #name, number, text);
	SS_HYPERCALLS(X)
#undef X
}

static void md_dispositions(void)
{
	puts("| Disposition | Number | An interrupt of the vector is |\n|---|---|---|");
#define X(name, text) row3("SS_INTERRUPT_" #name, SS_INTERRUPT_##name, text);
	SS_DISPOSITIONS(X)
#undef X
}

static void md_interrupt_events(void)
{
	puts("| Event | Number | What became of the interrupt |\n|---|---|---|");
#define X(name, key, text) row3(key, INTERRUPT_##name, text);
	INTERRUPT_EVENTS(X)
#undef X
}

static void md_pin_events(void)
{
	puts("| Event | Number | What became of the buffer |\n|---|---|---|");
#define X(name, key, text) row3(key, PIN_##name, text);
	PIN_EVENTS(X)
#undef X
}

static void md_disk_registers(void)
{
	puts("| Register | Number | Access | Meaning |\n|---|---|---|---|");
#define X(name, number, access, text)                                                              \
	printf("| `SS_DISK_REG_%s` | %d | %s | %s |\n", #name, number, access, text);
	SS_DISK_REGISTERS(X)
#undef X
}

static void md_disk_commands(void)
{
	puts("| Command | Number | What it does |\n|---|---|---|");
#define X(name, number, text) row3("SS_DISK_COMMAND_" #name, number, text);
	SS_DISK_COMMANDS(X)
#undef X
}

static void md_disk_statuses(void)
{
	puts("| Status | Number | Meaning |\n|---|---|---|");
#define X(name, text) row3("SS_DISK_STATUS_" #name, SS_DISK_STATUS_##name, text);
	SS_DISK_STATUSES(X)
#undef X
}

static void md_services(void)
{
	static const char *const callers[] = {
		[SS_PRIVILEGE_ANY] = "anybody",
		[SS_PRIVILEGE_CPL0] = "CPL 0",
		[SS_PRIVILEGE_HOME] = "view 0",
		[SS_PRIVILEGE_KERNEL] = "CPL 0 in view 0",
	};

	puts("| Service | EAX | Usual callers | Arguments and what it does |\n|---|---|---|---|");
#define X(name, number, key, privilege, text)                                                      \
	printf("| `%s` | %d | %s | %s |\n", #key, number, callers[SS_PRIVILEGE_##privilege], text);
	SS_SERVICES(X)
#undef X
}

static void md_setups(void)
{
	puts("| Setup | Number | What the VMM changes |\n|---|---|---|");
#define X(name, key, text) row3("SS_SETUP_" #name, SS_SETUP_##name, text);
	SS_SETUPS(X)
#undef X
}

static void md_traits(void)
{
	puts("| Trait | Meaning |\n|---|---|");
	for (int i = 0; i < TRAIT_COUNT; i++)
		row2(processor_trait_keys[i], processor_trait_meanings[i]);
}

static void md_records(void)
{
	puts("| Type | Number | Bytes | Says |\n|---|---|---|---|");
#define X(name, type, text)                                                                        \
	printf("| `RECORD_%s` | %d | %zu%s | %s |\n", #name, RECORD_##name, sizeof(struct type),    \
	       RECORD_##name == RECORD_PAD || RECORD_##name == RECORD_META ? " and more" : "", text);
	RECORD_TYPES(X)
#undef X
}

static void md_stats(void)
{
	puts("| Counter | Bit | Meaning |\n|---|---|---|");
	for (int i = 0; i < STAT_COUNT; i++)
		row3(stat_names[i], i, stat_meanings[i]);
}

static void md_causes(void)
{
	puts("| Cause | Number | Meaning |\n|---|---|---|");
#define X(name, key, text) row3(key, STOP_##name, text);
	STOP_CAUSES(X)
#undef X
}

static void md_profile_columns(void)
{
	puts("| Column | JSON, CSV | Meaning |\n|---|---|---|");
	for (int i = 0; i < PROFILE_COLUMN_COUNT; i++)
		printf("| %s | `%s` | %s |\n", profile_column_headers[i], profile_column_keys[i],
		       profile_column_meanings[i]);
}

static void md_tracepoints(void)
{
	static const char uses[] = "CSPI";
	static const struct {
		const char *name, *uses, *meaning;
	} rows[] = {
#define TRACEPOINT(name, uses, meaning) {#name, uses, meaning},
#include "vmm/tracepoint.def"
#undef TRACEPOINT
	};

	puts("| Tracepoint | count | sample | profile | profile, KVM interprets | What it shows |\n"
	     "|---|---|---|---|---|---|");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("| `kvm:%s`", rows[i].name);
		for (size_t j = 0; j < sizeof(uses) - 1; j++)
			printf(" | %s", strchr(rows[i].uses, uses[j]) ? "x" : "");
		printf(" | %s |\n", rows[i].meaning);
	}
}

static void md_agreements(void)
{
	puts("| Agreement | Number | The RIP is |\n|---|---|---|");
#define X(name, key, text) row3(key, AGREEMENT_##name, text);
	AGREEMENTS(X)
#undef X
}

static void md_l0_flags(void)
{
	puts("| Flag | Value | Meaning |\n|---|---|---|");
#define X(name, bit, tracepoint, key, text) row3(key, L0_##name, text);
	L0_FLAGS(X)
#undef X
}

static void md_builtin_regions(void)
{
	puts("| Region | A guest needs | What it holds |\n|---|---|---|");
	for (size_t i = 0; i < builtin_region_count; i++) {
		char rights[RIGHTS_TEXT_SIZE];

		rights_text(builtin_regions[i].needed, rights);
		printf("| `%s` | %s | ", builtin_regions[i].name,
		       builtin_regions[i].needed ? rights : "");
		put_cell(builtin_regions[i].meaning);
		puts(" |");
	}
}

static void md_view_columns(void)
{
	puts("| Column | JSON | Meaning |\n|---|---|---|");
	for (int i = 0; i < VIEW_COLUMN_COUNT; i++) {
		printf("| `%s` | `%s` | ", view_columns[i].header, view_columns[i].key);
		put_cell(view_columns[i].meaning);
		puts(" |");
	}
}

static void md_policy_warnings(void)
{
	puts("| Warning | Meaning |\n|---|---|");
	for (int i = LINT_INVALID + 1; i < LINT_COUNT; i++)
		row2(lint_key((enum lint_kind)i), lint_text((enum lint_kind)i));
}

static void md_violation_answers(void)
{
	puts("| Answer | Number | Meaning |\n|---|---|---|");
#define X(name, key, text) row3(key, VIOLATION_##name, text);
	VIOLATION_ANSWERS(X)
#undef X
}

static void md_violation_flags(void)
{
	puts("| Flag | Bit | Meaning |\n|---|---|---|");
#define X(name, bit, text) row3("VIOLATION_" #name, bit, text);
	VIOLATION_FLAGS(X)
#undef X
}

static void md_on_violation(void)
{
	puts("| `--on-violation` | What happens |\n|---|---|");
#define X(name, key, text) printf("| `%s` | %s |\n", key, text);
	ON_VIOLATIONS(X)
#undef X
}

#define BPFTRACE_ARGUMENTS 6 /* those that a function would have in registers */

/* The two tools number the arguments differently. */
static void md_probes(void)
{
	puts("| Probe | bpftrace | perf | Argument | Meaning |\n|---|---|---|---|---|");
	for (size_t i = 0; i < probe_count; i++) {
		printf("| `%s` | | | | ", probes[i].name);
		put_cell(probes[i].meaning);
		puts(" |");
		for (int j = 0; probes[i].arguments[j].name; j++) {
			if (j < BPFTRACE_ARGUMENTS)
				printf("| | `arg%d`", j);
			else
				fputs("| | -", stdout);
			printf(" | `arg%d` | `%s` | ", j + 1, probes[i].arguments[j].name);
			put_cell(probes[i].arguments[j].meaning);
			puts(" |");
		}
	}
}

static const char *const subject_words[JAIL_SUBJECT_COUNT] = {
#define X(name, words) words,
	JAIL_SUBJECTS(X)
#undef X
};

static void put_demands(const struct jail_rule *rule)
{
	put_cell(subject_words[rule->subject]);
	if (rule->conditions[0].mask == 0)
		return;
	fputs(rule->subject == JAIL_SUBJECT_ANY ? "`" : ", `", stdout);
	put_cell(rule->conditions_text);
	putchar('`');
}

/* Rules that only builds with sanitizers have are no part of any document. */
static void jail_rows(enum jail_role role)
{
	puts("| System call | Of, with | What for |\n|---|---|---|");
	for (size_t i = 0; i < jail_rule_count; i++) {
		const struct jail_rule *rule = &jail_rules[i];

		if (rule->role != role || rule->when & JAIL_WHEN_INSTRUMENTED)
			continue;
		printf("| `%s` | ", rule->name);
		put_demands(rule);
		printf(" | %s%s |\n", rule->purpose,
		       rule->when == JAIL_WHEN_FLAT	  ? " (engine flat)"
		       : rule->when == JAIL_WHEN_SVM	  ? " (engine svm)"
		       : rule->when == JAIL_WHEN_NESTED ? " (engines vmx and svm)"
							  : "");
	}
}

static void md_jail_main(void)
{
	jail_rows(JAIL_ROLE_MAIN);
}

static void md_jail_vcpu(void)
{
	jail_rows(JAIL_ROLE_VCPU);
}

static void md_jail_writer(void)
{
	jail_rows(JAIL_ROLE_WRITER);
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
	{"commands", md_commands}, {"exit-statuses", md_statuses}, {"columns", md_columns},
	{"engines", md_engines},   {"levels", md_levels},	   {"requests", md_requests},
	{"kinds", md_kinds},	   {"records", md_records},	   {"stats", md_stats},
	{"causes", md_causes},	   {"hypercalls", md_hypercalls}, {"setups", md_setups},
	{"services", md_services},
	{"dispositions", md_dispositions}, {"interrupt-events", md_interrupt_events},
	{"pin-events", md_pin_events}, {"disk-registers", md_disk_registers},
	{"disk-commands", md_disk_commands}, {"disk-statuses", md_disk_statuses},
	{"profile-columns", md_profile_columns}, {"tracepoints", md_tracepoints},
	{"agreements", md_agreements}, {"l0-flags", md_l0_flags},
	{"traits", md_traits},	   {"builtin-regions", md_builtin_regions},
	{"view-columns", md_view_columns}, {"policy-warnings", md_policy_warnings},
	{"on-violation", md_on_violation}, {"violation-answers", md_violation_answers},
	{"violation-flags", md_violation_flags}, {"probes", md_probes},
	{"jail-main", md_jail_main},	   {"jail-vcpu", md_jail_vcpu}, {"jail-writer", md_jail_writer},
};

static int usage(void)
{
	fputs("usage: gen-docs man TEMPLATE | bash", stderr);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		fprintf(stderr, " | %s", tables[i].name);
	fputc('\n', stderr);
	return 2;
}

static int run(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return print_man(argv[2]);
	if (argc != 2)
		return usage();
	if (strcmp(argv[1], "bash") == 0)
		return print_bash();
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strcmp(argv[1], tables[i].name) == 0) {
			tables[i].print();
			return 0;
		}
	return usage();
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	return fflush(stdout) == 0 && !ferror(stdout) ? status : 1;
}
