/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who was looking at a level during a run. Every writer asks here whether a count that is not there is zero or
 * was not observed, and in what words to say so.
 */
#ifndef VMM_ANALYSIS_OBSERVED_H
#define VMM_ANALYSIS_OBSERVED_H

#include <jansson.h>

#include "vmm/analysis/report.h"

/* Exits at a level that left a record each. */
enum recorded {
	RECORDED_NO_LEVEL, /* the engine has no such level */
	RECORDED_NONE,     /* nothing recorded them: not observed */
	RECORDED_PART,     /* some of them: those that were lost, or were outside the time of recording, are not there */
	RECORDED_ALL,
};

enum recorded observed_records(const struct report *report, enum level level);

#define OBSERVED_SIZE 400

/* A text about a level; it may be in `buffer`. */
typedef const char *observed_text(const struct report *report, enum level level, char buffer[OBSERVED_SIZE]);

/* By what its exits were recorded, or why they are not observed; by what the exits per repetition were counted. */
observed_text observed_records_text, observed_counts_text;

/* An object with the text of each level; lines "level: text". */
json_t *observed_json(const struct report *report, observed_text *text_of);
void observed_print(const struct report *report, observed_text *text_of, FILE *stream);

/* What is missing of tracepoints, if anything: a line, and a string or null. */
void observed_print_missing(const char *missing, FILE *stream);
json_t *observed_missing_json(const char *missing);

/* How long handling took: 0 in a record says that its end was not seen (docs/ledger-format.md). */
static inline bool observed_cost(uint32_t cost)
{
	return cost != 0;
}

#endif
