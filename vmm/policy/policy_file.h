/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy files: regions, views and gates as a user writes them, in the syntax of libconfig. The
 * format is described in docs/views.md.
 */
#ifndef VMM_POLICY_POLICY_FILE_H
#define VMM_POLICY_POLICY_FILE_H

#include <stdbool.h>

#include "views/policy.h"
#include "vmm/guest/image.h"
#include "vmm/policy/policy_text.h"

#define POLICY_REGIONS_MAX 4096

struct policy_file_region {
	const char *name;
	const struct config_setting_t
		*setting; /* its definition; of a built-in one where it is named first */
	uint32_t index;	  /* in the policy; POLICY_NO_INDEX if its place is at fault */
};

/* What a view says about a region. */
struct policy_file_rule {
	uint32_t region;
	bool remap; /* else rights */
	const struct config_setting_t *setting;
};

/* Regions that a list names, in the order of the file, each once. */
struct policy_file_list {
	uint32_t *regions;
	const struct config_setting_t **settings;
	size_t count;
};

struct policy_file_view {
	const struct config_setting_t *setting;
	struct policy_file_list gates;
	struct policy_file_list suppressed; /* of `suppress`, those of which the view says nothing else */
	struct policy_file_rule *rules;	    /* ascending: rights by region, then remaps */
	size_t rule_count;
	bool writes_code; /* that what it executes can be written is meant */
};

struct policy_file {
	struct policy_text text;
	struct config_t *config;
	struct view_policy policy;
	struct policy_file_region *regions;
	size_t region_count;
	struct policy_file_view *views; /* beside those of the policy */
	size_t view_count;
};

/* What a policy is for. */
struct policy_subject {
	const struct image *image;
	const struct view_target *target;
	const char *engine; /* key, for messages */
	bool lenient;	    /* what the target cannot express is reported; rights are widened, #VE is withheld */
};

/* All zero is an empty file. */
void policy_file_finish(struct policy_file *file);

/* Frees what only tells where things stand in the file, which is not asked any more. */
void policy_file_forget(struct policy_file *file);

/* Where things stand in the file. What the file does not say, as the rights of a region in a view
 * that has no rule for it, is where the view says most about it. */
struct place policy_file_region_place(const struct policy_file *file, uint32_t region);
struct place policy_file_view_place(const struct policy_file *file, uint32_t view);
struct place policy_file_default_place(const struct policy_file *file, uint32_t view);
struct place policy_file_ve_place(const struct policy_file *file, uint32_t view);
struct place policy_file_rights_place(const struct policy_file *file, uint32_t view,
				      uint32_t region);
struct place policy_file_remap_place(const struct policy_file *file, uint32_t view,
				     uint32_t region);
struct place policy_file_gate_place(const struct policy_file *file, uint32_t view, uint32_t region);

/* The order of a view's rules, for qsort(). */
int policy_file_compare_rules(const void *a, const void *b);

/* Whether a view says itself what rights a region has. */
bool policy_file_has_rights(const struct policy_file *file, uint32_t view, uint32_t region);

/* "r-x" and the like. */
#define RIGHTS_TEXT_SIZE 4
void rights_text(unsigned rights, char text[RIGHTS_TEXT_SIZE]);

#endif
