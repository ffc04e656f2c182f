/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/workload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/number.h"
#include "vmm/guest/patterns.h"

/* A rate is kept by batches of this many repetitions, so that the exits come evenly. */
#define BATCHES_PER_SECOND 5
/* The firmware takes its samples of so many repetitions. */
#define SAMPLE_SIZE 10
#define WORKLOAD_RATE_MIN 0.01

static struct ss_pace pace_of(const struct ss_operation *op, double rate)
{
	double count = op->count;

	if (rate > 0 && rate / BATCHES_PER_SECOND < count)
		count = rate / BATCHES_PER_SECOND < 1 ? 1 : rate / BATCHES_PER_SECOND;
	if (count > SAMPLE_SIZE)
		count -= (double)((uint32_t)count % SAMPLE_SIZE);
	return (struct ss_pace){
		.count = (uint32_t)count,
		.period_us = rate > 0 ? (uint32_t)((double)(uint32_t)count * 1e6 / rate + 0.5) : 0,
	};
}

static int take(struct workload *workload, char *item, const struct ss_operation *operations,
		size_t count, struct error *error)
{
	const char *const pattern = item;
	char *at = strchr(item, '@');
	bool found = false;
	double rate = 0;

	if (at)
		*at++ = '\0';
	if (at && number_decimal(at, WORKLOAD_RATE_MIN, WORKLOAD_RATE_MAX, &rate) != 0)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--workload: '%s' is no rate; give repetitions a second, %g to %.0f",
				 at, WORKLOAD_RATE_MIN, WORKLOAD_RATE_MAX);
	for (size_t i = 0; i < count && i < SS_MAX_OPERATIONS; i++)
		if (patterns_name(&pattern, 1, operations[i].name)) {
			workload->pace[i] = pace_of(&operations[i], rate);
			found = true;
		}
	if (!found)
		return patterns_refuse("--workload: ", pattern, operations, count, error);
	return 0;
}

int workload_parse(struct workload *workload, const char *text, const struct ss_operation *operations,
		   size_t count, struct error *error)
{
	char *copy = strdup(text), *rest = copy, *item;
	int rc = 0;

	*workload = (struct workload){0};
	if (!copy)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	while (rc == 0 && (item = strsep(&rest, ",")) != NULL)
		rc = take(workload, item, operations, count, error);
	free(copy);
	return rc;
}
