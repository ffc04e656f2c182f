/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through a corpus without a fuzzer: every file of the directories given, and of each also every
 * truncation and, from a fixed seed, some mutations, so that the parsers are exercised beyond the
 * corpus in any build. Prints how many inputs there were.
 */
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

#define INPUT_MAX (1u << 16)
#define MUTATIONS 200
#define TRUNCATIONS 64

static unsigned long inputs;

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

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

static void mutate(const uint8_t *data, size_t size, uint64_t *state)
{
	uint8_t *changed = malloc(size ? size : 1);

	MUST(changed);
	for (int i = 0; i < MUTATIONS && size; i++) {
		memcpy(changed, data, size);
		for (uint64_t n = next(state) % 4 + 1; n-- > 0;)
			changed[next(state) % size] = (uint8_t)next(state);
		changed[next(state) % size] ^= (uint8_t)(1u << next(state) % 8);
		one(changed, size);
	}
	free(changed);
}

static int file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	FILE *stream = fopen(path, "rb");
	size_t size;

	if (!stream) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), stream);
	fclose(stream);
	one(data, size);
	for (size_t i = 0; i < TRUNCATIONS; i++)
		one(data, size * i / TRUNCATIONS);
	mutate(data, size, &state);
	return 0;
}

static int directory(const char *path)
{
	DIR *listing = opendir(path);
	struct dirent *entry;
	char name[1024];
	int failed = 0;

	if (!listing) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(listing))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		failed |= file(name);
	}
	closedir(listing);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++)
		failed |= directory(argv[i]);
	printf("figure: fuzz inputs %lu\n", inputs);
	return failed || inputs == 0;
}
