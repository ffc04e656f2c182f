/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside - arguments, names of files, what is in guests, policies and ledgers - as it may be shown: one line
 * that does not speak to a terminal. */
#ifndef VMM_BASE_PRINTABLE_H
#define VMM_BASE_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* Copies as much as there is room for: printable ASCII as it is, every other byte as \xNN, never a part of one. Returns
 * the length; `out` is terminated. */
size_t printable_text(char *out, size_t size, const char *text);

/* The same, but of a text that is too long the middle is left out: its beginning says what it is about, its end what
 * is wrong with that. `size` is 16 at least. */
void printable_shorten(char *out, size_t size, const char *text);

/* Adds a part to a text, or leaves it out if it does not fit whole: half a number is a wrong one. */
void printable_append(char *text, size_t size, const char *part);

/* Writes all of a text in that form. */
void printable_put(FILE *stream, const char *text);

/* Writes words as bash takes them, in printable characters alone; what there is no room for is left out. */
void printable_words(char *out, size_t size, char *const *words, int count);

/* A time as ISO 8601 has it, of UTC: "2026-01-31T23:59:59Z". */
#define PRINTABLE_TIME_SIZE 40
void printable_time(char out[PRINTABLE_TIME_SIZE], time_t time);

/* Writes a text for an attribute or an element of XML. XML 1.0 has no way to write control characters, and a file name
 * need not be UTF-8: what is no printable ASCII becomes a question mark. */
void printable_xml(FILE *stream, const char *text);

#endif
