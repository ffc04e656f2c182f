/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs as text: one word and its argument a line, # starts a comment. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/service/differential.h"

static const struct {
	const char *word;
	uint8_t insn;
	bool operand;
} steps[] = {
	{"mov", SS_INSN_MOV, true},   {"clts", SS_INSN_CLTS, false}, {"lmsw", SS_INSN_LMSW, true},
	{"read", SS_INSN_LOAD, false}, {"smsw", SS_INSN_SMSW, false},
	{"fxsave", SS_INSN_FXSAVE, false}, {"yield", SS_INSN_VMCALL, false},
};

static const struct {
	const char *word;
	size_t offset;
} words[] = {
	{"start", offsetof(struct ss_program, start)},
	{"masked", offsetof(struct ss_program, masked)},
	{"kept", offsetof(struct ss_program, kept)},
	{"shadow", offsetof(struct ss_program, shadow)},
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LINE_MAX_SIZE 256
/* Of a file, which may be a device without end. */
#define LINES_MAX 10000

static uint32_t *word_of(struct ss_program *program, size_t index)
{
	return (uint32_t *)(void *)((char *)program + words[index].offset);
}

void differential_write(const struct ss_program *program, FILE *stream)
{
	struct ss_program copy = *program;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		fprintf(stream, "%s 0x%x\n", words[i].word, *word_of(&copy, i));
	for (uint32_t i = 0; i < program->count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			if (steps[j].insn != program->steps[i].insn)
				continue;
			fputs(steps[j].word, stream);
			if (steps[j].operand)
				fprintf(stream, " 0x%x", program->steps[i].operand);
			fputs("\n", stream);
		}
}

/* A number of CR0 flags in bits 3:0, all of the text. */
static bool parse_flags(const char *text, uint32_t *ret_flags)
{
	char *end;
	unsigned long value;

	if (!text || !isdigit((unsigned char)text[0]))
		return false;
	value = strtoul(text, &end, 0);
	if (*end != '\0' || value > 0xf)
		return false;
	*ret_flags = (uint32_t)value;
	return true;
}

static bool parse_line(struct ss_program *program, const char *word, const char *argument)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0) {
			if (!parse_flags(argument, &flags) || flags & ~(uint32_t)PROGRAM_FLAGS)
				return false;
			*word_of(program, i) = flags;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (strcmp(word, steps[i].word) != 0)
			continue;
		if (steps[i].operand ? !parse_flags(argument, &flags) : argument != NULL)
			return false;
		if (program->count == SS_PROGRAM_STEPS)
			return false;
		program->steps[program->count++] =
			(struct ss_step){.insn = steps[i].insn, .operand = (uint8_t)flags};
		return true;
	}
	return false;
}

int differential_read(FILE *stream, const char *name, struct ss_program *program,
		      struct error *error)
{
	char line[LINE_MAX_SIZE];
	unsigned number = 0;

	*program = (struct ss_program){0};
	while (fgets(line, sizeof(line), stream)) {
		char *rest = line, *word, *argument;

		if (++number > LINES_MAX)
			return error_set(error, -EFBIG, STATUS_USAGE,
					 "%s: more than %d lines are too many for a program", name,
					 LINES_MAX);
		line[strcspn(line, "#\n")] = '\0';
		word = strtok_r(rest, " \t\r", &rest);
		argument = strtok_r(NULL, " \t\r", &rest);
		if (word && (!parse_line(program, word, argument) ||
			     strtok_r(NULL, " \t\r", &rest)))
			return error_set(error, -EINVAL, STATUS_USAGE,
					 "%s:%u: not a step (mov, clts, lmsw, read, smsw, fxsave, yield) or a word "
					 "(start, masked, kept, shadow) with flags 0 to 0xe, or more "
					 "than %u steps",
					 name, number, SS_PROGRAM_STEPS);
	}
	if (ferror(stream))
		return error_set(error, -EIO, STATUS_USAGE, "%s: cannot be read", name);
	if (program->count == 0)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: no steps; a file printed by `sidestep test --random` has some",
				 name);
	if (program->kept & ~program->masked)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: kept names flags that are not masked", name);
	return 0;
}
