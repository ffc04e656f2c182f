/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a text that a user has written, and where in it. */
#ifndef VMM_POLICY_DIAGNOSTIC_H
#define VMM_POLICY_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* As many are kept; who has made more mistakes starts with these. */
#define DIAGNOSTICS_MAX 100

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_COUNT };

extern const char *const severity_keys[SEVERITY_COUNT];

/* Both from 1; columns are bytes. */
struct place {
	unsigned line, column;
};

struct diagnostic {
	enum severity severity;
	struct place place;
	const char *key; /* for machines; a constant, or NULL */
	char text[280];	 /* printable ASCII */
};

/* All zero is an empty list. */
struct diagnostics {
	struct diagnostic list[DIAGNOSTICS_MAX];
	size_t kept;
	size_t count[SEVERITY_COUNT]; /* also those that are not kept */
	bool stopped;		      /* there were so many that none was looked for any more */
};

/* What is not printable ASCII in the text is made visible (printable.h). */
__attribute__((format(printf, 5, 6))) void diagnose(struct diagnostics *diagnostics,
						    enum severity severity, const char *key,
						    struct place place, const char *format, ...);

/* Puts them into the order of the text. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* A line for each: FILE:LINE:COLUMN: SEVERITY: TEXT [KEY]. */
void diagnostics_print(const struct diagnostics *diagnostics, const char *file, FILE *stream);

#endif
