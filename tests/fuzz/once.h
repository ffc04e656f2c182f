/* SPDX-License-Identifier: GPL-2.0-only */
/* For programs that feed a target without libFuzzer. */
#ifndef TESTS_FUZZ_ONCE_H
#define TESTS_FUZZ_ONCE_H

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static unsigned long inputs;

/* In memory of its own and of its exact size, so that a sanitizer sees a read past the end. */
static void one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	MUST(copy);
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

#endif
