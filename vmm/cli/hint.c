/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/cli/hint.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/nearest.h"

#define LAUNCHERS "rl" /* letters of the commands that launch a guest as other VMMs do */
#define NAME_MAX_SIZE 48

static const struct {
	const char *name, *whose, *here;
} foreign[] = {
#define FOREIGN(name, whose, here) {name, whose, here},
#include "vmm/cli/foreign.def"
#undef FOREIGN
};

int hint_no_command(const char *word, struct error *error)
{
	struct nearest nearest = {.given = word};

	for (size_t i = 0; i < command_count; i++)
		nearest_offer(&nearest, commands[i].name);
	nearest_offer(&nearest, "help");
	if (nearest.word)
		return error_set(error, -EINVAL, STATUS_USAGE, "'%s' is no command; did you mean `sidestep %s`?", word,
				 nearest.word);
	return error_set(error, -EINVAL, STATUS_USAGE, "'%s' is no command; see `sidestep --help`", word);
}

static bool has_option(const struct command_row *command, const char *name, size_t length)
{
	for (size_t i = 0; i < option_count; i++)
		if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0 &&
		    option_applies(&options[i], command))
			return true;
	return false;
}

/* The first command that has an option of this name, NULL if none. */
static const struct command_row *owner_of(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (has_option(&commands[i], name, strlen(name)))
			return &commands[i];
	return NULL;
}

int hint_no_option(const struct command_row *command, const char *word, struct error *error)
{
	const int length = (int)strcspn(word, "=");
	char name[NAME_MAX_SIZE] = "";
	struct nearest nearest = {.given = name};
	const struct command_row *other;

	if (strncmp(word, "--", 2) == 0)
		snprintf(name, sizeof(name), "%.*s", length - 2, word + 2);
	other = owner_of(name);
	for (size_t i = 0; i < option_count; i++)
		if (option_applies(&options[i], command))
			nearest_offer(&nearest, options[i].name);
	if (other)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%.*s is no option of this command, but of `%s`; see `sidestep %s --help`", length, word,
				 other->name, command->name);
	if (nearest.word)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%.*s is no option of this command; did you mean --%s? See `sidestep %s --help`", length,
				 word, nearest.word, command->name);
	return error_set(error, -EINVAL, STATUS_USAGE, "%.*s is no option of this command; see `sidestep %s --help`",
			 length, word, command->name);
}

int hint_foreign(const struct command_row *command, const char *word, struct error *error)
{
	const char *name = word ? word + strspn(word, "-") : "";
	const size_t length = strcspn(name, "="), dashes = word ? (size_t)(name - word) : 0;

	if (dashes < 1 || dashes > 2 || !strchr(LAUNCHERS, command->letter) ||
	    (dashes == 2 && has_option(command, name, length)))
		return 0;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strlen(foreign[i].name) == length && memcmp(foreign[i].name, name, length) == 0)
			return error_set(error, -EINVAL, STATUS_USAGE, "%.*s is an option of %s, not of sidestep: %s",
					 (int)(dashes + length), word, foreign[i].whose, foreign[i].here);
	return 0;
}
