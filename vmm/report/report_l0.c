/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/report_l0.h"

#include <inttypes.h>

#include "vmm/analysis/observed.h"
#include "vmm/table/json.h"

/* Whether somebody has recorded exits at L0, if there is one. */
static bool is_recorded(const struct report *report)
{
	return observed_records(report, LEVEL_L0) > RECORDED_NONE || report->samples_lost;
}

static json_t *not_recorded(const struct report *report)
{
	return observed_records(report, LEVEL_L0) == RECORDED_NO_LEVEL ? json_null() : json_string(NOT_OBSERVED);
}

void report_l0_text(const struct report *report, FILE *stream)
{
	const struct summary *summary = report->summary;
	struct l0_summary sum;

	summary_l0(summary, &sum);
	/* A guest of others has no marker, and how many were lost is said beside the levels. */
	if (!is_recorded(report) || report_attached(report))
		return;
	fprintf(stream, "l0, one by one: %" PRIu64 " recorded, %" PRIu64 " lost\n", sum.exits,
		report->samples_lost);
	fputs("by rip, beside the marker:", stream);
	for (int i = 0; i < AGREEMENT_COUNT; i++)
		fprintf(stream, "%s %" PRIu64 " %s", i ? "," : "", sum.agreement[i],
			agreement_keys[i]);
	fputc('\n', stream);
	for (size_t i = 0; i < summary->disagreement_count; i++) {
		const struct disagreement *differs = &summary->disagreements[i];

		fprintf(stream, "  marked %s, rip 0x%" PRIx64 " in the routine of ",
			report_operation_name(report, differs->marked), differs->rip);
		fprintf(stream, "%s, %" PRIu64 " times\n",
			report_operation_name(report, differs->routine), differs->count);
	}
}

static json_t *counts_json(const struct l0_summary *l0)
{
	json_t *object = json_object(), *by_rip = json_object();

	json_object_set_new(object, "exits", json_count(l0->exits));
	json_add_counts(object, l0_flag_keys, l0->flags, L0_FLAG_COUNT);
	json_add_counts(by_rip, agreement_keys, l0->agreement, AGREEMENT_COUNT);
	json_object_set_new(object, "by_rip", by_rip);
	return object;
}

json_t *report_l0_row_json(const struct report *report, const struct operation_summary *operation)
{
	return observed_records(report, LEVEL_L0) <= RECORDED_NONE ? not_recorded(report)
								   : counts_json(&operation->l0);
}

json_t *report_l0_json(const struct report *report)
{
	const struct summary *summary = report->summary;
	json_t *object, *examples;
	struct l0_summary sum;

	if (!is_recorded(report))
		return not_recorded(report);
	summary_l0(summary, &sum);
	examples = json_array();
	object = counts_json(&sum);
	json_object_set_new(object, "lost", json_count(report->samples_lost));
	for (size_t i = 0; i < summary->disagreement_count; i++) {
		const struct disagreement *differs = &summary->disagreements[i];

		json_array_append_new(examples, json_pack("{s:o,s:o,s:o,s:o}", "marked",
							  json_text(report_operation_name(report, differs->marked)),
							  "rip", json_hex(differs->rip), "routine_of",
							  json_text(report_operation_name(report, differs->routine)),
							  "times", json_count(differs->count)));
	}
	json_object_set_new(object, "disagreements", examples);
	return object;
}
