/* SPDX-License-Identifier: GPL-2.0-only */
/* The manual page. */
#include "gen-docs.h"

#include <stdio.h>
#include <string.h>

#include "vmm/observe/probe.h"
#include "vmm/profile/profile_write.h"

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
		man_pair(report_columns[i].header, report_columns[i].meaning);
}

static void man_profile_columns(void)
{
	for (int i = 0; i < PROFILE_COLUMN_COUNT; i++)
		if (profile_columns[i].header[0])
			man_pair(profile_columns[i].header, profile_columns[i].meaning);
}

static void man_statuses(void)
{
	for (size_t i = 0; i < exit_status_count; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", exit_statuses[i].value);
		man_pair(number, exit_statuses[i].meaning);
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

int print_man(const char *path)
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
