/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feeds a fuzz target with a file once for each of its bits, with that bit inverted, and cut at every
 * byte: flips FILE. What replay.c tries at random, this tries in full, for a small file.
 */
#include <stdio.h>

#include "fuzz.h"

#define INPUT_MAX (1u << 16)
/* In a long stretch of zeros one byte is like the other. */
#define ZEROS_MAX 16

static unsigned long inputs;

/* In memory of its exact size, so that a sanitizer sees a read past the end. */
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

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	FILE *stream = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t size, zeros = 0;

	if (!stream) {
		fputs("usage: flips FILE\n", stderr);
		return 2;
	}
	size = fread(data, 1, sizeof(data), stream);
	fclose(stream);
	for (size_t at = 0; at < size; at++) {
		zeros = data[at] ? 0 : zeros + 1;
		if (zeros > ZEROS_MAX)
			continue;
		for (unsigned bit = 0; bit < 8; bit++) {
			data[at] ^= (uint8_t)(1u << bit);
			one(data, size);
			data[at] ^= (uint8_t)(1u << bit);
		}
		one(data, at);
	}
	one(data, size);
	printf("figure: fuzz inputs %lu\n", inputs);
	return 0;
}
