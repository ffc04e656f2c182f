/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/diagnostic.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"

const char *const severity_keys[SEVERITY_COUNT] = {"error", "warning"};

void diagnose(struct diagnostics *diagnostics, enum severity severity, const char *key,
	      struct place place, const char *format, ...)
{
	struct diagnostic *entry;
	char text[sizeof(entry->text)];
	va_list args;

	diagnostics->count[severity]++;
	if (diagnostics->kept == DIAGNOSTICS_MAX)
		return;
	entry = &diagnostics->list[diagnostics->kept++];
	*entry = (struct diagnostic){.severity = severity, .place = place, .key = key};
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printable_text(entry->text, sizeof(entry->text), text);
}

static int by_place(const void *a, const void *b)
{
	const struct diagnostic *x = a, *y = b;

	if (x->place.line != y->place.line)
		return (x->place.line > y->place.line) - (x->place.line < y->place.line);
	if (x->place.column != y->place.column)
		return (x->place.column > y->place.column) - (x->place.column < y->place.column);
	return strcmp(x->text, y->text);
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	qsort(diagnostics->list, diagnostics->kept, sizeof(diagnostics->list[0]), by_place);
}

void diagnostics_print(const struct diagnostics *diagnostics, const char *file, FILE *stream)
{
	size_t all = 0;

	for (size_t i = 0; i < diagnostics->kept; i++) {
		const struct diagnostic *entry = &diagnostics->list[i];

		printable_put(stream, file);
		fprintf(stream, ":%u:%u: %s: %s", entry->place.line, entry->place.column,
			severity_keys[entry->severity], entry->text);
		if (entry->key)
			fprintf(stream, " [%s]", entry->key);
		fputc('\n', stream);
	}
	for (int i = 0; i < SEVERITY_COUNT; i++)
		all += diagnostics->count[i];
	if (all > diagnostics->kept) {
		printable_put(stream, file);
		fprintf(stream, ": and %s%zu more\n", diagnostics->stopped ? "at least " : "",
			all - diagnostics->kept);
	}
}
