/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One page for a browser, complete in itself: page/page.html with style, script and data put into it.
 * What comes from a ledger is in the data only, as JSON, and the script treats it as text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/report/report_ledger.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"

/* Functions and instructions that are listed. */
#define PLACES_MAX 40

extern const char page_html_start[], page_html_end[];
extern const char page_css_start[], page_css_end[];
extern const char page_js_start[], page_js_end[];

static json_t *distribution(const struct operation_summary *operation)
{
	struct tick_histogram histogram;
	json_t *object, *bins;

	if (summary_histogram(operation, &histogram) != 0 || histogram.count == 0)
		return json_null();
	bins = json_array();
	for (size_t i = 0; i < histogram.count; i++)
		json_array_append_new(bins, json_pack("[i,I]", histogram.bins[i].number,
						      (json_int_t)histogram.bins[i].samples));
	object = json_pack("{s:f,s:i,s:I}", "max", histogram.maximum, "per_octave",
			   HISTOGRAM_PER_OCTAVE, "samples", (json_int_t)operation->sample_count);
	json_object_set_new(object, "bins", bins);
	summary_histogram_finish(&histogram);
	return object;
}

/* The first `most` groups; how many there are is told if `total` names a member for that. */
static int add_groups(json_t *root, struct ledger_index *contents, enum group_key by, const char *member,
		      const char *total, size_t most)
{
	struct group_list list;
	int rc = exit_groups_rank(contents, by, &list);
	struct table table = exit_groups_table(&list);

	if (rc == 0 && total)
		json_object_set_new(root, total, json_count(list.count));
	if (table.row_count > most)
		table.row_count = most;
	if (rc == 0)
		json_object_set_new(root, member, table_json(&table));
	exit_groups_finish(&list);
	return rc;
}

/* The document of --format json, with what the page shows besides. */
static json_t *document(struct ledger_index *contents)
{
	const struct report *report = &contents->report;
	json_t *root = json_report(report), *rows = json_object_get(root, "operations");
	char complaint[300];

	for (size_t i = 0; i < report->row_count; i++)
		json_object_set_new(json_array_get(rows, i), "distribution",
				    distribution(report->rows[i].summary));
	json_object_set_new(root, "module", json_string(host_backend_modules[report->backend]));
	json_object_set_new(root, "complaint",
			    json_text(ledger_index_complaint(contents, complaint, sizeof(complaint)) ? complaint
												 : NULL));
	if (add_groups(root, contents, GROUP_REASON, "reasons", NULL, SIZE_MAX) == 0 &&
	    add_groups(root, contents, GROUP_SYMBOL, "functions", "functions_total", PLACES_MAX) == 0 &&
	    add_groups(root, contents, GROUP_RIP, "places", "places_total", PLACES_MAX) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* Nothing in it may look like markup: "<" occurs in strings only, where it can be written in another
 * way. */
static int put_data(struct ledger_index *contents, FILE *stream)
{
	json_t *root = document(contents);
	char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII |
						     JSON_REAL_PRECISION(10))
			  : NULL;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	for (const char *c = text; *c; c++) {
		if (*c == '<')
			fputs("\\u003c", stream);
		else
			fputc(*c, stream);
	}
	free(text);
	return 0;
}

static bool is_line(const char *line, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(line, wanted, length) == 0;
}

int report_html(struct ledger_index *contents, enum report_weight weight, FILE *stream)
{
	int rc = 0;

	(void)weight;
	for (const char *line = page_html_start; line < page_html_end && rc == 0;) {
		const char *end = memchr(line, '\n', (size_t)(page_html_end - line));
		size_t length = (size_t)((end ? end : page_html_end) - line);

		if (is_line(line, length, "@STYLE@"))
			fwrite(page_css_start, 1, (size_t)(page_css_end - page_css_start), stream);
		else if (is_line(line, length, "@SCRIPT@"))
			fwrite(page_js_start, 1, (size_t)(page_js_end - page_js_start), stream);
		else if (is_line(line, length, "@DATA@"))
			rc = put_data(contents, stream);
		else
			fwrite(line, 1, length, stream);
		fputc('\n', stream);
		line += length + 1;
	}
	return rc;
}
