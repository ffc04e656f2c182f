/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feeds a fuzz target with files, where libFuzzer does not: FILE or DIRECTORY..., each file as it is; with
 * --flips every one of them once for each of its bits, with that bit inverted, and cut at every byte.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* In a long stretch of zeros one byte is like the other. */
#define ZEROS_MAX 16

static unsigned long inputs;

/* In memory of exactly its size, so that a sanitizer sees what is read beyond. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void feed_flips(uint8_t *data, size_t size)
{
	size_t zeros = 0;

	for (size_t at = 0; at < size; at++) {
		zeros = data[at] ? 0 : zeros + 1;
		if (zeros > ZEROS_MAX)
			continue;
		for (unsigned bit = 0; bit < 8; bit++) {
			data[at] ^= (uint8_t)(1u << bit);
			feed(data, size);
			data[at] ^= (uint8_t)(1u << bit);
		}
		feed(data, at);
	}
}

static int feed_file(const char *path, bool flips)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	uint8_t *data;
	size_t size;

	if (!file || fstat(fileno(file), &status) != 0) {
		perror(path);
		exit(1);
	}
	data = malloc((size_t)status.st_size + 1);
	if (!data)
		abort();
	size = fread(data, 1, (size_t)status.st_size, file);
	fclose(file);
	if (flips)
		feed_flips(data, size);
	else
		feed(data, size);
	free(data);
	return 0;
}

static void feed_path(const char *path, bool flips)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory) {
		feed_file(path, flips);
		return;
	}
	while ((entry = readdir(directory)) != NULL) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		feed_file(name, flips);
	}
	closedir(directory);
}

int main(int argc, char **argv)
{
	bool flips = argc > 1 && strcmp(argv[1], "--flips") == 0;

	for (int i = flips ? 2 : 1; i < argc; i++)
		feed_path(argv[i], flips);
	printf("%lu inputs\n", inputs);
	return inputs ? 0 : 1;
}
