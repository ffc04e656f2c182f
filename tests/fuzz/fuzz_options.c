/* SPDX-License-Identifier: GPL-2.0-only */
/* A command line: words separated by newlines, the first of which names the command. */
#include "fuzz.h"
#include "vmm/cli/cli.h"

#define WORDS_MAX 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *words[WORDS_MAX + 1], *rest;
	const struct command_row *command;
	struct settings settings;
	struct error error = {0};
	int count = 0;

	MUST(text);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	for (char *word = strtok_r(text, "\n", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, "\n", &rest))
		words[count++] = word;
	words[count] = NULL;
	command = count ? command_by_name(words[0]) : NULL;
	if (command && cli_parse(command, count, words, &settings, &error) != 0)
		MUST(error.text[0] && error.status == STATUS_USAGE);
	free(text);
	return 0;
}
