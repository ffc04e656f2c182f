/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs as text: one word and its argument a line, # starts a comment. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/service/differential.h"

/* Of which register a program is, and by what its flags go. */
static const struct {
	const char *word;
	size_t offset;
} words[] = {
	{"cr", offsetof(struct ss_program, cr)},
	{"start", offsetof(struct ss_program, start)},
	{"masked", offsetof(struct ss_program, masked)},
	{"kept", offsetof(struct ss_program, kept)},
	{"shadow", offsetof(struct ss_program, shadow)},
};

static const struct {
	const char *word;
	uint8_t insn;
	bool operand;
	bool cr0; /* of CR0 alone */
} steps[] = {
	{"mov", SS_INSN_MOV, true, false},	  {"clts", SS_INSN_CLTS, false, true},
	{"lmsw", SS_INSN_LMSW, true, true},	  {"read", SS_INSN_LOAD, false, false},
	{"smsw", SS_INSN_SMSW, false, true},	  {"fxsave", SS_INSN_FXSAVE, false, true},
	{"yield", SS_INSN_VMCALL, false, false},
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
			const struct ss_step *step = &program->steps[i];

			if (steps[j].insn != step->insn)
				continue;
			fputs(steps[j].word, stream);
			if (steps[j].operand)
				fprintf(stream, " 0x%x", step->operand);
			if (step->inverted)
				fprintf(stream, " %u", step->inverted - 1u);
			fputs("\n", stream);
		}
}

/* A number, all of the text, with bits of `allowed` only. */
static bool parse_number(const char *text, unsigned long allowed, unsigned long *ret_value)
{
	char *end;

	if (!text || !isdigit((unsigned char)text[0]))
		return false;
	*ret_value = strtoul(text, &end, 0);
	return *end == '\0' && (*ret_value & ~allowed) == 0;
}

/* Nothing may come before the word that says of which register the flags are. */
static bool is_empty(const struct ss_program *program)
{
	return (program->count | program->start | program->masked | program->kept | program->shadow) == 0;
}

static bool parse_word(struct ss_program *program, size_t index, const char *argument)
{
	const bool is_cr = words[index].offset == offsetof(struct ss_program, cr);
	unsigned long value;

	if ((is_cr && !is_empty(program)) ||
	    !parse_number(argument, is_cr ? 4 : program_flags(program->cr), &value))
		return false;
	*word_of(program, index) = (uint32_t)value;
	return true;
}

static bool parse_step(struct ss_program *program, size_t index, const char *operand, const char *inverted)
{
	/* The flags of LMSW have PE among them. */
	const unsigned long flags = program_operands(program->cr);
	unsigned long value = 0, bit = 0;

	if (program->count == SS_PROGRAM_STEPS || (steps[index].cr0 && program->cr != 0) ||
	    (steps[index].operand ? !parse_number(operand, flags, &value) : operand != NULL) ||
	    (inverted && (steps[index].insn != SS_INSN_MOV || !parse_number(inverted, 63, &bit))))
		return false;
	program->steps[program->count++] = (struct ss_step){
		.insn = steps[index].insn,
		.inverted = inverted ? (uint8_t)(bit + 1) : 0,
		.operand = (uint16_t)value,
	};
	return true;
}

static bool parse_line(struct ss_program *program, const char *word, const char *argument, const char *more)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return !more && parse_word(program, i, argument);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (strcmp(word, steps[i].word) == 0)
			return parse_step(program, i, argument, more);
	return false;
}

int differential_read(FILE *stream, const char *name, struct ss_program *program,
		      struct error *error)
{
	char line[LINE_MAX_SIZE];
	unsigned number = 0;

	*program = (struct ss_program){0};
	while (fgets(line, sizeof(line), stream)) {
		char *rest = line, *word, *argument, *more;

		if (++number > LINES_MAX)
			return error_set(error, -EFBIG, STATUS_USAGE,
					 "%s: more than %d lines are too many for a program", name,
					 LINES_MAX);
		line[strcspn(line, "#\n")] = '\0';
		word = strtok_r(rest, " \t\r", &rest);
		argument = strtok_r(NULL, " \t\r", &rest);
		more = strtok_r(NULL, " \t\r", &rest);
		if (word && (!parse_line(program, word, argument, more) ||
			     strtok_r(NULL, " \t\r", &rest)))
			return error_set(error, -EINVAL, STATUS_USAGE,
					 "%s:%u: not a step of the register (mov, clts, lmsw, read, smsw, fxsave, "
					 "yield) or a word (cr, start, masked, kept, shadow) with its flags, or "
					 "more than %u steps",
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
