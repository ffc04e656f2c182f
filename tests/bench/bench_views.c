/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds many views of much memory and prints what it takes: time, tables, and
 * beside it what one full 4 KiB-page hierarchy per view would take, and what
 * one change of a page's rights takes afterwards. With
 * --check the status is 1 if a limit that the table names is exceeded.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "ept_live.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

#define PAGES_PER_VIEW 16
#define ARENA_SIZE (UINT64_C(1) << 30)
#define REPEATS 3
#define CHANGES 1600

/* How the pages that a view has to itself lie. */
enum pattern {
	CLUSTERED, /* in one 2 MiB region, another one for each view */
	SPREAD,    /* over 16 GiB, or all memory if there is less */
};

static const char *const pattern_names[] = { "clustered", "spread" };

struct limit {
	enum pattern pattern;
	double ms;
	double mib;
};

/* For 512 views of 64 GiB. */
static const struct limit limits[] = {
	{ CLUSTERED, 50, 16 },
	{ SPREAD, 200, 80 },
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(int result)
{
	if (result == 0)
		return;
	fprintf(stderr, "bench_views: %s\n", strerror(-result));
	exit(99);
}

/* For tables; its page faults belong to the cost. */
static void *fresh_memory(void)
{
	void *memory = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		must(-ENOMEM);
	return memory;
}

static uint64_t page_of(enum pattern pattern, uint64_t memory, unsigned view,
			unsigned i)
{
	const uint64_t reach = memory < 16 * GIB ? memory : 16 * GIB;

	if (pattern == CLUSTERED)
		return (view * 2 * MIB) % memory + (view + i * 7) % 512 * PAGE;
	return i * (reach / PAGES_PER_VIEW) + view * PAGE;
}

static void fill(struct view_policy *policy, enum pattern pattern,
		 uint64_t memory, unsigned views)
{
	char name[32];

	for (unsigned view = 0; view < views; view++) {
		snprintf(name, sizeof(name), "view%u", view);
		must(policy_add_view(policy, name, VIEW_RIGHTS_ALL, NULL));
		for (unsigned i = 0; view > 0 && i < PAGES_PER_VIEW; i++) {
			const uint64_t at = page_of(pattern, memory, view, i);
			uint32_t region;

			snprintf(name, sizeof(name), "page%u.%u", view, i);
			must(policy_add_region(policy, name, gpa_at(at), PAGE,
					       &region));
			must(policy_set_rights(policy, view, region, VIEW_READ));
		}
	}
}

/* MiB of a full hierarchy of 4 KiB pages for each view. */
static double naive_mib(uint64_t memory, unsigned views)
{
	uint64_t tables = 0;

	for (unsigned level = 1; level <= PAGING_LEVELS; level++)
		tables += (memory + PAGING_SPAN(level) * PAGING_ENTRIES - 1) /
			  (PAGING_SPAN(level) * PAGING_ENTRIES);
	return (double)(tables * views) * (double)PAGE / (double)MIB;
}

/* Microseconds for one change of the rights of a page in the last view, once all are built. */
static double change_us(struct view_policy *policy, const struct view_target *target, unsigned views)
{
	static struct ept_views built;
	struct table_arena arena = {.base = gpa_at(UINT64_C(1) << 45), .size = ARENA_SIZE};
	struct ept_live *live;
	double began;

	if (policy->region_count == 0)
		return 0;
	arena.host = fresh_memory();
	must(ept_live_create(policy, target, &arena, &built, &live, NULL));
	began = now_ms();
	for (unsigned i = 0; i < CHANGES; i++) {
		const uint32_t region = (uint32_t)(policy->region_count - 1 - i % PAGES_PER_VIEW);
		struct ept_change change;

		must(policy_set_rights(policy, views - 1, region, i / PAGES_PER_VIEW % 2 ? VIEW_READ : 0));
		must(ept_live_update(live, policy, views - 1, region, &change));
	}
	began = (now_ms() - began) * 1e3 / CHANGES;
	ept_live_destroy(live);
	munmap(arena.host, ARENA_SIZE);
	return began;
}

/* Returns false if a limit is exceeded. */
static bool run(enum paging_format_id format, enum pattern pattern,
		uint64_t memory, unsigned views)
{
	static struct ept_views result;
	const struct gpa_range range = { { 0 }, memory };
	const struct view_target target = {
		.memory = { &range, 1 },
		.format = &paging_formats[format],
		.caps = { .has_2m = true, .has_1g = true, .maxphyaddr = 46 },
	};
	struct view_policy policy = { 0 };
	double best = 0;
	double mib;
	bool within = true;

	fill(&policy, pattern, memory, views);
	for (unsigned repeat = 0; repeat < REPEATS; repeat++) {
		struct table_arena arena = {
			.base = gpa_at(UINT64_C(1) << 45),
			.size = ARENA_SIZE,
		};
		double began;
		double took;

		arena.host = fresh_memory();
		began = now_ms();
		must(ept_build(&policy, &target, &arena, &result, NULL));
		took = now_ms() - began;
		if (repeat == 0 || took < best)
			best = took;
		munmap(arena.host, ARENA_SIZE);
	}
	mib = (double)(result.tables_total * PAGE) / (double)MIB;
	printf("%-4s %-9s %5u %5u %9.2f %8llu %9.2f %11.2f %13.1f %9.2f",
	       paging_formats[format].name, pattern_names[pattern], views,
	       (unsigned)(memory / GIB), best,
	       (unsigned long long)result.tables_total, mib,
	       (double)(result.tables_unshared * PAGE) / (double)MIB,
	       naive_mib(memory, views), change_us(&policy, &target, views));
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (limits[i].pattern != pattern || views != 512 ||
		    memory != 64 * GIB)
			continue;
		within = best <= limits[i].ms && mib <= limits[i].mib;
		printf("  limit %.0f ms %.0f MiB: %s", limits[i].ms,
		       limits[i].mib, within ? "kept" : "EXCEEDED");
	}
	printf("\n");
	policy_finish(&policy);
	return within;
}

int main(int argc, char **argv)
{
	static const unsigned view_counts[] = { 1, 8, 64, 512 };
	static const unsigned sizes[] = { 1, 64, 1024 };
	bool within = true;

	printf("%-4s %-9s %5s %5s %9s %8s %9s %11s %13s %9s\n", "", "pages",
	       "views", "GiB", "ms", "tables", "MiB", "unshared", "naive MiB", "change us");
	for (int format = PAGING_EPT; format < PAGING_FORMAT_COUNT; format++)
		for (int pattern = CLUSTERED; pattern <= SPREAD; pattern++)
			for (size_t size = 0; size < 3; size++)
				for (size_t count = 0; count < 4; count++)
					within &= run((enum paging_format_id)format,
						      (enum pattern)pattern,
						      sizes[size] * GIB,
						      view_counts[count]);
	if (fflush(stdout) != 0 || ferror(stdout))
		return 99;
	return argc > 1 && strcmp(argv[1], "--check") == 0 && !within;
}
