/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy_survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "views/view_map.h"

/*
 * Memory is cut at every address where a view's piece of it may start or end:
 * whatever lies between two cuts is treated alike by each view.
 */
struct work {
	const struct view_policy *policy;
	struct view_map map;
	uint64_t *cuts; /* ascending, each once */
	size_t cut_count;
	struct shared_memory *parts; /* part n: from cut n to the next */
};

static int compare_cuts(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a;
	const uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static size_t rule_total(const struct view_policy *policy)
{
	size_t total = 0;

	for (size_t i = 0; i < policy->view_count; i++)
		total += policy->views[i].rule_count;
	return total;
}

static void add_range(struct work *work, uint64_t start, uint64_t size)
{
	work->cuts[work->cut_count++] = start;
	work->cuts[work->cut_count++] = start + size;
}

static void collect_cuts(struct work *work, const struct guest_memory *memory)
{
	const struct view_policy *policy = work->policy;
	size_t kept = 0;

	for (size_t i = 0; i < memory->count; i++)
		add_range(work, memory->ranges[i].start.v,
			  memory->ranges[i].size);
	for (size_t i = 0; i < policy->region_count; i++)
		add_range(work, policy->regions[i].gpa.v,
			  policy->regions[i].size);
	for (size_t i = 0; i < policy->view_count; i++) {
		const struct view *view = &policy->views[i];

		for (size_t j = 0; j < view->rule_count; j++) {
			const struct view_rule *rule = &view->rules[j];

			if (rule->remapped)
				add_range(work, rule->target.v,
					  policy->regions[rule->region].size);
		}
	}
	qsort(work->cuts, work->cut_count, sizeof(*work->cuts), compare_cuts);
	for (size_t i = 0; i < work->cut_count; i++) {
		if (kept == 0 || work->cuts[i] != work->cuts[kept - 1])
			work->cuts[kept++] = work->cuts[i];
	}
	work->cut_count = kept;
}

static size_t cut_at(const struct work *work, uint64_t gpa)
{
	const uint64_t *cut = bsearch(&gpa, work->cuts, work->cut_count,
				      sizeof(*work->cuts), compare_cuts);

	return (size_t)(cut - work->cuts);
}

static void add_to(struct view_set *set, uint32_t view)
{
	set->bits[view / 64] |= UINT64_C(1) << view % 64;
}

enum act { ACT_WRITE, ACT_SEE, ACT_EXECUTE, ACT_COUNT };

static struct view_set *who(struct shared_memory *part, enum act act)
{
	if (act == ACT_WRITE)
		return &part->writers;
	return act == ACT_SEE ? &part->readers : &part->executors;
}

/* How far it is known where a view does something. */
struct reach {
	uint64_t end;
	size_t part; /* that starts there */
};

/*
 * Pieces come in the order of what they show: what lies before the end of an
 * earlier one belongs to that, so each part is met once, however often the view
 * shows it.
 */
static void mark(struct work *work, struct reach *reach, uint32_t view,
		 const struct view_piece *piece, enum act act)
{
	const uint64_t end = view_piece_shown_end(piece);

	if (piece->shown > reach->end)
		reach->part = cut_at(work, piece->shown);
	for (; work->cuts[reach->part] < end; reach->part++)
		add_to(who(&work->parts[reach->part], act), view);
	if (end > reach->end)
		reach->end = end;
}

static void survey_view(struct work *work, uint32_t index,
			struct view_survey *view)
{
	struct reach reach[ACT_COUNT] = { 0 };

	view_map_fill(&work->map, index);
	for (size_t i = 0; i < work->map.count; i++) {
		const struct view_piece *piece = &work->map.by_shown[i];
		const enum act act =
			piece->rights & VIEW_WRITE ? ACT_WRITE : ACT_SEE;
		const uint64_t size = piece->end - piece->start;

		view->readable += piece->rights & VIEW_READ ? size : 0;
		view->writable += piece->rights & VIEW_WRITE ? size : 0;
		view->executable += piece->rights & VIEW_EXECUTE ? size : 0;
		if (piece->rights == 0)
			continue;
		mark(work, &reach[act], index, piece, act);
		if (piece->rights & VIEW_EXECUTE)
			mark(work, &reach[ACT_EXECUTE], index, piece,
			     ACT_EXECUTE);
	}
}

/* A view that writes a page at one address and reads it at another writes it.
 */
static bool settle(struct shared_memory *part)
{
	unsigned views = 0, writers = 0;

	for (size_t i = 0; i < VIEW_MAX / 64; i++) {
		part->readers.bits[i] &= ~part->writers.bits[i];
		writers +=
			(unsigned)__builtin_popcountll(part->writers.bits[i]);
		views += (unsigned)__builtin_popcountll(part->readers.bits[i]);
	}
	return writers > 0 && writers + views > 1;
}

static bool alike(const struct shared_memory *a, const struct shared_memory *b)
{
	return a->region == b->region && a->gpa.v + a->size == b->gpa.v &&
	       memcmp(&a->writers, &b->writers, sizeof(a->writers)) == 0 &&
	       memcmp(&a->readers, &b->readers, sizeof(a->readers)) == 0 &&
	       memcmp(&a->executors, &b->executors, sizeof(a->executors)) == 0;
}

/* Keeps the parts that are shared, neighbours that are alike as one. */
static void keep_shared(struct work *work, struct policy_survey *survey)
{
	size_t kept = 0;

	view_map_fill(&work->map, 0);
	for (size_t i = 0; i + 1 < work->cut_count; i++) {
		struct shared_memory *part = &work->parts[i];
		const struct view_piece *piece =
			view_map_at(&work->map, work->cuts[i]);

		if (!piece || !settle(part))
			continue;
		part->gpa = gpa_at(work->cuts[i]);
		part->size = work->cuts[i + 1] - work->cuts[i];
		part->region = piece->region;
		for (uint32_t v = 0; v < work->policy->view_count; v++) {
			if (view_set_has(&part->writers, v))
				survey->views[v].shared += part->size;
		}
		if (kept > 0 && alike(&work->parts[kept - 1], part))
			work->parts[kept - 1].size += part->size;
		else
			work->parts[kept++] = *part;
	}
	survey->shared = work->parts;
	survey->shared_count = kept;
	work->parts = NULL;
}

int policy_survey(struct policy_survey *survey,
		  const struct view_policy *policy,
		  const struct guest_memory *memory)
{
	const size_t cuts =
		2 * (memory->count + policy->region_count + rule_total(policy));
	struct work work = { .policy = policy };
	int result = view_map_init(&work.map, policy, memory);

	*survey = (struct policy_survey){
		.views = calloc(policy->view_count, sizeof(*survey->views)),
	};
	work.cuts = calloc(cuts, sizeof(*work.cuts));
	work.parts = calloc(cuts, sizeof(*work.parts));
	if (!survey->views || !work.cuts || !work.parts)
		result = -ENOMEM;
	if (result == 0) {
		collect_cuts(&work, memory);
		for (uint32_t v = 0; v < policy->view_count; v++)
			survey_view(&work, v, &survey->views[v]);
		keep_shared(&work, survey);
	}
	view_map_finish(&work.map);
	free(work.cuts);
	free(work.parts);
	return result;
}

void policy_survey_finish(struct policy_survey *survey)
{
	free(survey->views);
	free(survey->shared);
	*survey = (struct policy_survey){ 0 };
}
