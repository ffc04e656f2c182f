/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_file.h"

#include <libconfig.h>
#include <stdlib.h>

#include "vmm/policy/policy_groups.h"

void rights_text(unsigned rights, char text[RIGHTS_TEXT_SIZE])
{
	text[0] = rights & VIEW_READ ? 'r' : '-';
	text[1] = rights & VIEW_WRITE ? 'w' : '-';
	text[2] = rights & VIEW_EXECUTE ? 'x' : '-';
	text[3] = '\0';
}

struct place policy_file_region_place(const struct policy_file *file, uint32_t region)
{
	for (size_t i = 0; i < file->region_count; i++)
		if (file->regions[i].index == region)
			return policy_text_name(&file->text, file->regions[i].setting);
	return (struct place){1, 1};
}

struct place policy_file_view_place(const struct policy_file *file, uint32_t view)
{
	return policy_text_name(&file->text, file->views[view].setting);
}

/* Of the value of a view's member; of the view if it has none by that name. */
static struct place member_place(const struct policy_file *file, uint32_t view, const char *name)
{
	const config_setting_t *member = policy_groups_member(&file->text, file->views[view].setting, name);

	return member ? policy_text_value(&file->text, member) : policy_file_view_place(file, view);
}

struct place policy_file_default_place(const struct policy_file *file, uint32_t view)
{
	return member_place(file, view, "default");
}

struct place policy_file_ve_place(const struct policy_file *file, uint32_t view)
{
	return member_place(file, view, "ve");
}

struct place policy_file_gate_place(const struct policy_file *file, uint32_t view, uint32_t region)
{
	const struct policy_file_list *gates = &file->views[view].gates;

	for (size_t i = 0; i < gates->count; i++)
		if (gates->regions[i] == region)
			return policy_text_value(&file->text, gates->settings[i]);
	return policy_file_view_place(file, view);
}

int policy_file_compare_rules(const void *a, const void *b)
{
	const struct policy_file_rule *x = a, *y = b;

	if (x->remap != y->remap)
		return x->remap ? 1 : -1;
	return (x->region > y->region) - (x->region < y->region);
}

static const config_setting_t *rule(const struct policy_file *file, uint32_t view, uint32_t region,
				    bool remap)
{
	const struct policy_file_view *notes = &file->views[view];
	const struct policy_file_rule key = {.region = region, .remap = remap}, *found = NULL;

	if (notes->rule_count)
		found = bsearch(&key, notes->rules, notes->rule_count, sizeof(key),
				policy_file_compare_rules);
	return found ? found->setting : NULL;
}

bool policy_file_has_rights(const struct policy_file *file, uint32_t view, uint32_t region)
{
	return rule(file, view, region, false) != NULL;
}

struct place policy_file_rights_place(const struct policy_file *file, uint32_t view,
				      uint32_t region)
{
	const config_setting_t *setting = rule(file, view, region, false);

	return setting ? policy_text_value(&file->text, setting)
		       : policy_file_default_place(file, view);
}

struct place policy_file_remap_place(const struct policy_file *file, uint32_t view, uint32_t region)
{
	const config_setting_t *setting = rule(file, view, region, true);

	return setting ? policy_text_value(&file->text, setting)
		       : policy_file_rights_place(file, view, region);
}

void policy_file_forget(struct policy_file *file)
{
	if (file->config)
		config_destroy(file->config);
	free(file->config);
	file->config = NULL;
	policy_text_finish(&file->text);
}

static void finish_list(struct policy_file_list *list)
{
	free(list->regions);
	free(list->settings);
}

void policy_file_finish(struct policy_file *file)
{
	for (size_t i = 0; i < file->view_count; i++) {
		free(file->views[i].rules);
		finish_list(&file->views[i].gates);
		finish_list(&file->views[i].suppressed);
	}
	free(file->views);
	free(file->regions);
	policy_finish(&file->policy);
	policy_file_forget(file);
	*file = (struct policy_file){0};
}
