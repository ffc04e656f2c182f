/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy file as its tokens, what it may have at most, and where in it things stand. */
#ifndef VMM_POLICY_POLICY_TOKEN_H
#define VMM_POLICY_POLICY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/policy/diagnostic.h"

/* What a file may have at most; docs/views.md has the same numbers. */
#define POLICY_TEXT_MAX (1u << 20)
#define POLICY_SETTINGS_MAX 65536
#define POLICY_ELEMENTS_MAX 65536 /* of lists */
/* Levels of brackets; the deepest that means anything is 4. */
#define POLICY_TEXT_DEPTH 8

enum token_kind {
	TOKEN_INVALID,
	TOKEN_WORD,   /* a number, true or false */
	TOKEN_NAME,   /* a word with = or : behind it */
	TOKEN_STRING, /* with its quotes */
	TOKEN_MARK,   /* a single other character */
};

struct token {
	enum token_kind kind;
	struct place place;
	uint32_t offset, length;
	uint32_t group;	 /* index of the bracket that a name is in or a bracket closes, plus one; 0: none */
	uint32_t number; /* of a name: how many the group has before it; of a bracket: how many it has in all */
};

struct policy_text {
	char *data; /* ends with a NUL */
	size_t size;
	struct token *tokens;
	size_t token_count;
	uint32_t outside; /* names that are in no bracket */
	char *readable; /* what libconfig gets to read, see policy_groups_prepare() */
};

#endif
