/* SPDX-License-Identifier: GPL-2.0-only */
/* What the samples of an operation amount to: quantiles, and how many are of which size. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ledger/summary.h"

static int by_value(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nearest rank. */
static double quantile(const float *sorted, size_t count, double q)
{
	size_t rank = (size_t)ceil(q * (double)count);

	return sorted[rank == 0 ? 0 : rank - 1];
}

/* The samples in ascending order, on the heap; NULL if there are none or memory is short. */
static float *sorted_samples(const struct operation_summary *operation)
{
	size_t count = operation->sample_count;
	float *sorted = count ? malloc(count * sizeof(*sorted)) : NULL;

	if (!sorted)
		return NULL;
	memcpy(sorted, operation->samples, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	return sorted;
}

/* Of a float: the lowest bit of its exponent, and what that is of 1.0. */
#define FLOAT_EXPONENT 23
#define FLOAT_BIAS 127

/* Less than a thousandth of a tick is no measurement, and has no logarithm. */
static int bin_of(float ticks)
{
	/* The starts of the bins of an octave. log2() would have a library loaded, in every run. */
	static const double starts[HISTOGRAM_PER_OCTAVE] = {
		1.0,		    1.0905077326652577, 1.189207115002721, 1.2968395546510096,
		1.4142135623730951, 1.5422108254079408, 1.681792830507429, 1.8340080864093424,
	};
	const float limited = ticks > 0.001f ? ticks : 0.001f;
	int bin = HISTOGRAM_PER_OCTAVE - 1;
	uint32_t bits;
	float place;

	memcpy(&bits, &limited, sizeof(bits));
	const int octave = (int)(bits >> FLOAT_EXPONENT) - FLOAT_BIAS;
	bits = (bits & ((1u << FLOAT_EXPONENT) - 1)) | (uint32_t)FLOAT_BIAS << FLOAT_EXPONENT;
	memcpy(&place, &bits, sizeof(place));
	while ((double)place < starts[bin])
		bin--;
	return octave * HISTOGRAM_PER_OCTAVE + bin;
}

int summary_histogram(const struct operation_summary *operation, struct tick_histogram *histogram)
{
	float *sorted = sorted_samples(operation);

	*histogram = (struct tick_histogram){0};
	if (!sorted)
		return operation->sample_count ? -ENOMEM : 0;
	histogram->maximum = (double)sorted[operation->sample_count - 1];
	histogram->bins = calloc(operation->sample_count, sizeof(*histogram->bins));
	for (size_t i = 0; histogram->bins && i < operation->sample_count; i++) {
		struct tick_bin *bin = &histogram->bins[histogram->count];

		if (i == 0 || bin[-1].number != bin_of(sorted[i])) {
			bin->number = bin_of(sorted[i]);
			histogram->count++;
			bin++;
		}
		bin[-1].samples++;
	}
	free(sorted);
	return histogram->bins ? 0 : -ENOMEM;
}

void summary_histogram_finish(struct tick_histogram *histogram)
{
	free(histogram->bins);
	*histogram = (struct tick_histogram){0};
}

void summary_ticks(const struct operation_summary *operation, struct tick_summary *ticks)
{
	size_t count = operation->sample_count;
	float *sorted = sorted_samples(operation);
	double sum = 0;

	*ticks = (struct tick_summary){0};
	if (!sorted)
		return;
	for (size_t i = 0; i < count; i++)
		sum += (double)sorted[i];
	*ticks = (struct tick_summary){
		.samples = count,
		.minimum = sorted[0],
		.median = quantile(sorted, count, 0.5),
		.percentile99 = quantile(sorted, count, 0.99),
		.total = operation->result_known ? sum * operation->result.sample_size : sum,
	};
	free(sorted);
}
