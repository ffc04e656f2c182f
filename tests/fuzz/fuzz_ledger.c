/* SPDX-License-Identifier: GPL-2.0-only */
/* A ledger, read and written in every format: whatever is in it, what claims to be JSON is JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "vmm/analysis/diff_make.h"
#include "vmm/report/ledger_formats.h"

#ifndef FUZZ_SEARCHES
#define FUZZ_SEARCHES 0
#endif

static void demand(bool condition, const char *what, const char *text)
{
	if (condition)
		return;
	fprintf(stderr, "%s:\n%s\n", what, text);
	abort();
}

static void check_json(const char *name, const char *text, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(text, size, 0, &error);

	demand(root != NULL, error.text, text);
	demand(json_object_size(root) > 0, name, text);
	json_decref(root);
}

/* The data of the page is between two lines of the template. */
static void check_page(const char *text)
{
	const char *start = strstr(text, "id=\"data\">\n"), *end;

	demand(start != NULL, "no data in the page", text);
	start += strlen("id=\"data\">\n");
	end = strchr(start, '\n');
	demand(end != NULL && memchr(start, '<', (size_t)(end - start)) == NULL, "markup in the data",
	       start);
	check_json("html", start, (size_t)(end - start));
}

static void write_one(const struct ledger_format *format, struct ledger_index *contents,
		      enum group_key by, enum report_weight weight)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		abort();
	demand(ledger_format_write(format, contents, by, weight, stream) == 0, format->name, "failed");
	fclose(stream);
	if (strcmp(format->name, "json") == 0 || strcmp(format->name, "trace") == 0)
		check_json(format->name, text, size);
	if (strcmp(format->name, "html") == 0)
		check_page(text);
	if (strcmp(format->name, "text") == 0)
		demand(strchr(text, '\033') == NULL, "an escape sequence in a text", text);
	free(text);
}

static void write_diff(const struct ledger_format *format, struct ledger_index *contents,
		       enum group_key by)
{
	struct diff diff = {.contents = {contents, contents}, .by = by};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		abort();
	demand(diff_make(&diff) == 0 && format->diff(&diff, stream) == 0, format->name, "failed");
	fclose(stream);
	if (strcmp(format->name, "json") == 0)
		check_json("diff", text, size);
	demand(!diff_changed(&diff), "a ledger differs from itself", text);
	diff_finish(&diff);
	free(text);
}

static void write_all(struct ledger_index *contents)
{
	for (size_t i = 0; i < ledger_format_count; i++) {
		const struct ledger_format *format = &ledger_formats[i];

		for (int by = 0; by < (format->groups ? GROUP_KEY_COUNT : 1); by++)
			write_one(format, contents, (enum group_key)by, WEIGHT_TICKS);
		for (int by = 0; by < GROUP_VIOLATION && format->diff; by++)
			write_diff(format, contents, (enum group_key)by);
	}
}

/* In one format by one key, as the bytes choose: a search that wrote all would see a fiftieth of the inputs. */
static void write_chosen(struct ledger_index *contents, const uint8_t *data, size_t size)
{
	const struct ledger_format *format;
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3;
	format = &ledger_formats[(hash & 0xffff) % ledger_format_count];
	hash >>= 16;
	if (format->diff && hash % 2)
		write_diff(format, contents, (enum group_key)(hash / 2 % GROUP_VIOLATION));
	else
		write_one(format, contents,
			  (enum group_key)(hash / 2 % (format->groups ? GROUP_KEY_COUNT : 1)), WEIGHT_TICKS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ledger_index contents;
	struct error error = {0};
	char complaint[300];

	if (ledger_index_open_memory(&contents, data, size, "ledger", &error) == 0) {
		ledger_index_complaint(&contents, complaint, sizeof(complaint));
		if (FUZZ_SEARCHES)
			write_chosen(&contents, data, size);
		else
			write_all(&contents);
	}
	ledger_index_close(&contents);
	return 0;
}
