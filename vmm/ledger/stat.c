/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/stat.h"

const char *const stat_names[STAT_COUNT] = {
#define STAT(name, meaning) #name,
#include "vmm/ledger/stat.def"
#undef STAT
#define SAMPLED(name, uses, meaning)
#define TRACEPOINT(name, uses, meaning) "kvm:" #name,
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
};

const char *const stat_meanings[STAT_COUNT] = {
#define STAT(name, meaning) meaning,
#include "vmm/ledger/stat.def"
#undef STAT
#define SAMPLED(name, uses, meaning)
#define TRACEPOINT(name, uses, meaning) meaning,
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
};

void stats_accumulate(struct stat_values *sum, const struct stat_values *before,
		      const struct stat_values *after)
{
	uint64_t observed = before->observed & after->observed;

	for (int i = 0; i < STAT_COUNT; i++)
		if (observed >> i & 1)
			sum->value[i] += after->value[i] - before->value[i];
	sum->observed |= observed;
}
