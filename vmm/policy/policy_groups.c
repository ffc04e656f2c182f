/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_groups.h"

#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Settings in a group that libconfig reads; a larger one becomes a group of such. */
#define PART 32
/* What is put in at one place at most: "};", a name of up to four letters, ":{". */
#define INSERTED 8

static uint32_t names_in(const struct policy_text *text, uint32_t group)
{
	if (group == 0)
		return text->outside;
	return group <= text->token_count ? text->tokens[group - 1].number : 0;
}

static bool is_large(const struct policy_text *text, uint32_t group)
{
	return names_in(text, group) > PART;
}

struct named {
	const struct policy_text *text;
	const struct token *token;
};

static int compare_names(const struct named *a, const struct named *b)
{
	size_t x = a->token->length, y = b->token->length;
	int order = memcmp(a->text->data + a->token->offset, b->text->data + b->token->offset,
			   x < y ? x : y);

	return order != 0 ? order : (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order;

	if (x->token->group != y->token->group)
		return x->token->group < y->token->group ? -1 : 1;
	order = compare_names(x, y);
	return order != 0 ? order : (x->token > y->token) - (x->token < y->token);
}

/* The first name that its group has already, or NULL. */
static const struct token *repeated(struct named *names, size_t count)
{
	const struct token *found = NULL;

	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 1; i < count; i++)
		if (names[i - 1].token->group == names[i].token->group &&
		    compare_names(&names[i - 1], &names[i]) == 0 &&
		    (!found || names[i].token < found))
			found = names[i].token;
	return found;
}

/* libconfig looks for them in small groups. */
static int refuse_repeated(const struct policy_text *text, struct diagnostics *diagnostics)
{
	struct named *names = calloc(POLICY_SETTINGS_MAX, sizeof(*names));
	const struct token *name;
	size_t count = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < text->token_count; i++)
		if (text->tokens[i].kind == TOKEN_NAME && is_large(text, text->tokens[i].group))
			names[count++] = (struct named){text, &text->tokens[i]};
	name = repeated(names, count);
	free(names);
	if (!name)
		return 0;
	diagnose(diagnostics, SEVERITY_ERROR, "syntax", name->place, "duplicate setting name");
	return -EINVAL;
}

/* The text being written, and how much of the file's it has. */
struct copy {
	const struct policy_text *text;
	char *to;
	size_t copied;
};

static void put(struct copy *copy, const char *words)
{
	copy->to = stpcpy(copy->to, words);
}

static void take_until(struct copy *copy, size_t offset)
{
	memcpy(copy->to, copy->text->data + copy->copied, offset - copy->copied);
	copy->to += offset - copy->copied;
	copy->copied = offset;
}

/* A name is letters, as a number is digits, the last one first. */
static void begin_part(struct copy *copy, uint32_t number)
{
	do {
		*copy->to++ = (char)('a' + number % 26);
		number /= 26;
	} while (number > 0);
	put(copy, ":{");
}

static void take_token(struct copy *copy, const struct token *token)
{
	const struct policy_text *text = copy->text;

	if (token->kind == TOKEN_NAME && is_large(text, token->group) && token->number > 0 &&
	    token->number % PART == 0) {
		take_until(copy, token->offset);
		put(copy, "};");
		begin_part(copy, token->number / PART);
	} else if (token->kind == TOKEN_MARK && token->number > PART) {
		take_until(copy, token->offset + token->length);
		begin_part(copy, 0);
	} else if (token->kind == TOKEN_MARK && token->group && is_large(text, token->group)) {
		take_until(copy, token->offset);
		put(copy, "}");
	}
}

int policy_groups_prepare(struct policy_text *text, struct diagnostics *diagnostics)
{
	struct copy copy = {.text = text};

	text->readable = malloc(text->size + (text->token_count + 2) * INSERTED + 1);
	if (!text->readable)
		return -ENOMEM;
	copy.to = text->readable;
	if (is_large(text, 0))
		begin_part(&copy, 0);
	for (size_t i = 0; i < text->token_count; i++)
		take_token(&copy, &text->tokens[i]);
	take_until(&copy, text->size);
	/* The last line may be a comment, which ends with the line. */
	put(&copy, is_large(text, 0) ? "\n}" : "\n");
	return refuse_repeated(text, diagnostics);
}

/* Whether libconfig has the group in parts. */
static bool in_parts(const struct policy_text *text, const struct config_setting_t *group,
		     uint32_t *ret_names)
{
	uintptr_t hook = (uintptr_t)config_setting_get_hook(group);
	uint32_t bracket = 0;

	if (!config_setting_is_group(group))
		return false;
	/* The hook has the token of the name, or of the bracket in a list, plus one. */
	if (!config_setting_is_root(group))
		bracket = (uint32_t)hook + (config_setting_name(group) ? 2 : 0);
	*ret_names = names_in(text, bracket);
	return is_large(text, bracket);
}

int policy_groups_length(const struct policy_text *text, const struct config_setting_t *group)
{
	uint32_t names;

	return in_parts(text, group, &names) ? (int)names : config_setting_length(group);
}

struct config_setting_t *policy_groups_elem(const struct policy_text *text,
					    const struct config_setting_t *group, int index)
{
	struct config_setting_t *part;
	uint32_t names;

	if (!in_parts(text, group, &names))
		return config_setting_get_elem(group, (unsigned)index);
	part = config_setting_get_elem(group, (unsigned)index / PART);
	return part ? config_setting_get_elem(part, (unsigned)index % PART) : NULL;
}

struct config_setting_t *policy_groups_member(const struct policy_text *text,
					      const struct config_setting_t *group, const char *name)
{
	int count = policy_groups_length(text, group);

	for (int i = 0; i < count; i++) {
		struct config_setting_t *setting = policy_groups_elem(text, group, i);

		if (strcmp(config_setting_name(setting), name) == 0)
			return setting;
	}
	return NULL;
}
