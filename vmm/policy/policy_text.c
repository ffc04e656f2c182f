/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_text.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/input_file.h"
#include "vmm/policy/policy_groups.h"

/* Looked at for the column of a fault; a line has fewer. */
#define ERROR_TOKENS 200

#define DIGITS(number) #number
#define LIMIT_TEXT(limit) DIGITS(limit)

struct scanner {
	struct policy_text *text;
	struct diagnostics *diagnostics;
	size_t at;
	struct place place;
	struct place open[POLICY_TEXT_DEPTH]; /* brackets */
	uint32_t brackets[POLICY_TEXT_DEPTH]; /* their tokens */
	unsigned depth, settings, elements;
};

static int read_all(int fd, struct policy_text *text)
{
	/* One byte more than allowed, to tell what is too long, and one for the NUL. */
	text->data = malloc(POLICY_TEXT_MAX + 2);
	if (!text->data)
		return -ENOMEM;
	while (text->size <= POLICY_TEXT_MAX) {
		ssize_t n = read(fd, text->data + text->size, POLICY_TEXT_MAX + 1 - text->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		text->size += (size_t)n;
	}
	text->data[text->size] = '\0';
	return text->size > POLICY_TEXT_MAX ? -EFBIG : 0;
}

int policy_text_read(struct policy_text *text, const char *path, struct error *error)
{
	int fd = input_open(path, POLICY_TEXT_MAX), rc;
	struct stat status;

	*text = (struct policy_text){0};
	if (fd < 0)
		return error_set(error, fd, STATUS_USAGE, "%s: %s; name a policy file", path, strerror(-fd));
	if (fstat(fd, &status) != 0)
		rc = -errno;
	else if (!S_ISREG(status.st_mode))
		rc = error_set(error, -EINVAL, STATUS_USAGE, "%s: not a regular file", path);
	else
		rc = read_all(fd, text);
	close(fd);
	if (rc == -EFBIG)
		error_set(error, rc, STATUS_USAGE,
			  "%s: more than %u bytes are too long for a policy file", path,
			  POLICY_TEXT_MAX);
	else if (rc != 0)
		error_set(error, rc, rc == -ENOMEM ? STATUS_INTERNAL : STATUS_USAGE, "%s: %s", path,
			  strerror(-rc));
	if (rc != 0)
		policy_text_finish(text);
	return rc;
}

static char peek(const struct scanner *scanner, size_t ahead)
{
	/* A NUL ends the data; one in the middle is refused when it is reached. */
	return scanner->at + ahead < scanner->text->size ? scanner->text->data[scanner->at + ahead]
							 : '\0';
}

static void advance(struct scanner *scanner)
{
	if (scanner->text->data[scanner->at++] == '\n')
		scanner->place = (struct place){scanner->place.line + 1, 1};
	else
		scanner->place.column++;
}

static int refuse(struct scanner *scanner, struct place place, const char *what)
{
	diagnose(scanner->diagnostics, SEVERITY_ERROR, "syntax", place, "%s", what);
	return -EINVAL;
}

/* Steps over what separates tokens. */
static int skip_blank(struct scanner *scanner)
{
	for (;;) {
		struct place start = scanner->place;
		char c = peek(scanner, 0), next = peek(scanner, 1);

		if (c != '\0' && strchr(" \t\n\r\f\v", c)) {
			advance(scanner);
		} else if (c == '#' || (c == '/' && next == '/')) {
			while (peek(scanner, 0) != '\0' && peek(scanner, 0) != '\n')
				advance(scanner);
		} else if (c == '/' && next == '*') {
			advance(scanner);
			advance(scanner);
			while (peek(scanner, 0) != '\0' &&
			       !(peek(scanner, 0) == '*' && peek(scanner, 1) == '/'))
				advance(scanner);
			if (peek(scanner, 0) == '\0')
				return refuse(scanner, start, "this comment has no end");
			advance(scanner);
			advance(scanner);
		} else {
			return 0;
		}
	}
}

static int scan_string(struct scanner *scanner)
{
	struct place start = scanner->place;

	advance(scanner);
	while (peek(scanner, 0) != '"') {
		if (peek(scanner, 0) == '\\' && peek(scanner, 1) != '\0')
			advance(scanner);
		if (peek(scanner, 0) == '\0')
			return refuse(scanner, start, "this string has no end");
		advance(scanner);
	}
	advance(scanner);
	return 0;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_-*.+", c));
}

/* The word before this is a name. */
static int scan_name(struct scanner *scanner)
{
	struct policy_text *text = scanner->text;
	struct token *name = &text->tokens[text->token_count - 1];
	uint32_t *count = &text->outside;

	if (scanner->depth > 0) {
		name->group = scanner->brackets[scanner->depth - 1] + 1;
		count = &text->tokens[name->group - 1].number;
	}
	name->kind = TOKEN_NAME;
	name->number = (*count)++;
	return ++scanner->settings <= POLICY_SETTINGS_MAX
		       ? 0
		       : refuse(scanner, name->place, "a policy has no more than " LIMIT_TEXT(POLICY_SETTINGS_MAX) " settings");
}

static bool behind_word(const struct scanner *scanner)
{
	const struct policy_text *text = scanner->text;

	return text->token_count > 0 && text->tokens[text->token_count - 1].kind == TOKEN_WORD;
}

static int scan_mark(struct scanner *scanner)
{
	char c = peek(scanner, 0);
	int rc = 0;

	if (c == '@')
		return refuse(
			scanner, scanner->place,
			"directives such as @include are not permitted; a policy is one file");
	if (strchr("{[(", c)) {
		if (scanner->depth == POLICY_TEXT_DEPTH)
			return refuse(scanner, scanner->place, "nested too deep for a policy");
		scanner->brackets[scanner->depth] = (uint32_t)scanner->text->token_count;
		scanner->open[scanner->depth++] = scanner->place;
	} else if (strchr("}])", c) && scanner->depth > 0) {
		scanner->text->tokens[scanner->text->token_count].group =
			scanner->brackets[--scanner->depth] + 1;
	} else if ((c == '=' || c == ':') && behind_word(scanner)) {
		rc = scan_name(scanner);
	} else if (c == ',' && ++scanner->elements > POLICY_ELEMENTS_MAX) {
		rc = refuse(scanner, scanner->place, "a policy has no more than " LIMIT_TEXT(POLICY_ELEMENTS_MAX)
				    " elements of lists");
	}
	advance(scanner);
	return rc;
}

static int scan_token(struct scanner *scanner)
{
	struct token *token = &scanner->text->tokens[scanner->text->token_count];
	size_t start = scanner->at;
	int rc = 0;

	*token = (struct token){.place = scanner->place, .offset = (uint32_t)start};
	if (peek(scanner, 0) == '\0') {
		rc = refuse(scanner, scanner->place, "a byte of value 0; a policy is text");
	} else if (peek(scanner, 0) == '"') {
		token->kind = TOKEN_STRING;
		rc = scan_string(scanner);
	} else if (in_word(peek(scanner, 0))) {
		token->kind = TOKEN_WORD;
		while (in_word(peek(scanner, 0)))
			advance(scanner);
	} else {
		token->kind = TOKEN_MARK;
		rc = scan_mark(scanner);
	}
	token->length = (uint32_t)(scanner->at - start);
	scanner->text->token_count += rc == 0;
	return rc;
}

int policy_text_scan(struct policy_text *text, struct diagnostics *diagnostics)
{
	struct scanner scanner = {.text = text, .diagnostics = diagnostics, .place = {1, 1}};
	int rc;

	text->tokens = calloc(text->size + 1, sizeof(*text->tokens));
	if (!text->tokens)
		return -ENOMEM;
	for (;;) {
		rc = skip_blank(&scanner);
		if (rc != 0 || scanner.at == text->size)
			break;
		rc = scan_token(&scanner);
		if (rc != 0)
			break;
	}
	if (rc == 0 && scanner.depth > 0)
		rc = refuse(&scanner, scanner.open[scanner.depth - 1],
			    "this bracket is never closed");
	return rc;
}

static bool is_mark(const struct policy_text *text, size_t at, char mark)
{
	return at < text->token_count && text->tokens[at].kind == TOKEN_MARK &&
	       text->data[text->tokens[at].offset] == mark;
}

/* Hooks hold the index of the setting's first token plus one. */
static void set_hook(struct config_setting_t *setting, size_t at)
{
	config_setting_set_hook(setting, (void *)(uintptr_t)(at + 1));
}

static bool is_word(const struct policy_text *text, size_t at, const char *word)
{
	const struct token *token = &text->tokens[at];

	return at < text->token_count && token->kind == TOKEN_NAME &&
	       strlen(word) == token->length &&
	       memcmp(text->data + token->offset, word, token->length) == 0;
}

/* Follows the settings through the tokens: both are in the order of the text. Moves *at to the
 * token after the last of them. */
static int place_children(const struct policy_text *text, struct config_setting_t *parent,
			  size_t *at)
{
	int count = policy_groups_length(text, parent);

	for (int i = 0; i < count; i++) {
		struct config_setting_t *child = policy_groups_elem(text, parent, i);
		const char *name = child ? config_setting_name(child) : "";

		if (name && !is_word(text, *at, name))
			return -EINVAL;
		set_hook(child, *at);
		*at += name ? 2 : 0; /* the name, = or : */
		if (config_setting_is_aggregate(child)) {
			*at += 1;
			if (place_children(text, child, at) != 0)
				return -EINVAL;
			*at += 1;
		} else if (config_setting_type(child) != CONFIG_TYPE_STRING) {
			*at += 1;
		} else {
			/* Strings that follow each other are one. */
			while (*at < text->token_count && text->tokens[*at].kind == TOKEN_STRING)
				*at += 1;
		}
		while (is_mark(text, *at, ';') || is_mark(text, *at, ','))
			*at += 1;
	}
	return 0;
}

int policy_text_place(const struct policy_text *text, struct config_setting_t *root,
		      struct diagnostics *diagnostics)
{
	struct place place = {1, 1};
	size_t at = 0;

	if (place_children(text, root, &at) == 0)
		return 0;
	if (at > 0 && at - 1 < text->token_count)
		place = text->tokens[at - 1].place;
	diagnose(diagnostics, SEVERITY_ERROR, "syntax", place,
		 "put a space or ';' between values and names");
	return -EINVAL;
}

static const struct token *token_of(const struct policy_text *text,
				    const struct config_setting_t *setting, size_t ahead)
{
	static const struct token none = {.place = {1, 1}};
	uintptr_t hook = (uintptr_t)config_setting_get_hook(setting);

	return hook == 0 || hook - 1 + ahead >= text->token_count ? &none
								  : &text->tokens[hook - 1 + ahead];
}

struct place policy_text_name(const struct policy_text *text,
			      const struct config_setting_t *setting)
{
	return token_of(text, setting, 0)->place;
}

static const struct token *value_of(const struct policy_text *text,
				    const struct config_setting_t *setting)
{
	return token_of(text, setting, config_setting_name(setting) ? 2 : 0);
}

struct place policy_text_value(const struct policy_text *text,
			       const struct config_setting_t *setting)
{
	return value_of(text, setting)->place;
}

static bool is_on(const struct policy_text *text, size_t at, unsigned line)
{
	return at < text->token_count && text->tokens[at].place.line == line;
}

static bool is_name(const struct policy_text *text, size_t at)
{
	return at < text->token_count && text->tokens[at].kind == TOKEN_NAME;
}

/* Whether an earlier setting of the group that the name at `at` is in has the same name. */
static bool repeated(const struct policy_text *text, size_t at)
{
	const struct token *name = &text->tokens[at];
	unsigned inside = 0; /* of groups that ended before the name */

	while (at-- > 0) {
		const struct token *token = &text->tokens[at];
		char mark = token->kind == TOKEN_MARK ? text->data[token->offset] : ' ';

		if (strchr("}])", mark))
			inside++;
		else if (strchr("{[(", mark) && inside-- == 0)
			return false;
		else if (inside == 0 && is_name(text, at) && token->length == name->length &&
			 memcmp(text->data + token->offset, text->data + name->offset,
				name->length) == 0)
			return true;
	}
	return false;
}

struct place policy_text_error(const struct policy_text *text, unsigned line)
{
	size_t first = 0;

	while (first < text->token_count && text->tokens[first].place.line < line)
		first++;
	/* Who writes all on one line gets the line. */
	for (size_t i = first; i < first + ERROR_TOKENS && is_on(text, i, line); i++)
		if (is_name(text, i) && repeated(text, i))
			return text->tokens[i].place;
	return is_on(text, first, line) ? text->tokens[first].place : (struct place){line, 1};
}

int policy_text_number(const struct policy_text *text, const struct config_setting_t *setting,
		       uint64_t *ret_number)
{
	const struct token *token = value_of(text, setting);
	const char *digits = text->data + token->offset;
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	unsigned long long number;
	char *end;

	if (token->kind != TOKEN_WORD || !isdigit((unsigned char)digits[0]))
		return -EINVAL;
	errno = 0;
	number = strtoull(digits, &end, hex ? 16 : 10);
	if (errno != 0)
		return -ERANGE;
	while (*end == 'L')
		end++;
	if (end != digits + token->length)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

void policy_text_finish(struct policy_text *text)
{
	free(text->data);
	free(text->tokens);
	free(text->readable);
	*text = (struct policy_text){0};
}
