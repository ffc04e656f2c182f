/* SPDX-License-Identifier: GPL-2.0-only */
/* How every JSON document of ours begins and ends. */
#ifndef VMM_TABLE_JSON_H
#define VMM_TABLE_JSON_H

#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A document with "schema" and "version"; NULL if memory is short, which the functions that add to
 * it and json_finish() cope with. */
json_t *json_begin(const char *schema, int version);

/* 64-bit values do not survive every reader's numbers: a string in hexadecimal. */
json_t *json_hex(uint64_t value);

/* How often something happened. Past 2^63, which only a damaged ledger can say, it is the most that JSON
 * readers take for a whole number. */
json_t *json_count(uint64_t count);

/* Adds `count` numbers to an object, each by its key. */
void json_add_counts(json_t *object, const char *const *keys, const uint64_t *numbers, int count);

/* A string that need not be UTF-8, which JSON is: file names, foreign ledgers; null for NULL. */
json_t *json_text(const char *text);

/*
 * Writes the document and releases it. Returns 0 or -ENOMEM; what the stream did not take is found
 * when it is closed.
 */
int json_finish(json_t *root, FILE *stream);

/* The same in a line. */
int json_finish_line(json_t *root, FILE *stream);

#endif
