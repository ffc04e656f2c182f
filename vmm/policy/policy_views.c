/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_views.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/guest/guest_ram.h"
#include "vmm/policy/policy_regions.h"

/* "r-x" with all three places, or "rx". */
static bool parse_rights(const char *text, unsigned *ret_rights)
{
	static const struct {
		char letter;
		unsigned right;
	} letters[] = {{'r', VIEW_READ}, {'w', VIEW_WRITE}, {'x', VIEW_EXECUTE}};
	bool dashes = strchr(text, '-') != NULL;
	unsigned rights = 0;
	const char *at = text;

	for (size_t i = 0; i < 3; i++) {
		if (*at == letters[i].letter)
			rights |= letters[i].right;
		else if (dashes && *at != '-')
			return false;
		else if (!dashes)
			continue;
		at++;
	}
	if (*at != '\0' || at == text)
		return false;
	*ret_rights = rights;
	return true;
}

static bool get_rights(struct reader *reader, const config_setting_t *setting, unsigned *ret_rights)
{
	const char *text = reader_string(reader, setting);

	if (!text)
		return false;
	if (parse_rights(text, ret_rights))
		return true;
	reader_wrong(
		reader, "rights", reader_value(reader, setting),
		"rights are r, w and x in this order, such as \"r-x\" or \"rx\"; \"---\" are none");
	return false;
}

/* There is room for it. */
static void note_rule(struct reader *reader, uint32_t view, uint32_t region, bool remap,
		      const config_setting_t *setting)
{
	struct policy_file_view *notes = &reader->file->views[view];

	notes->rules[notes->rule_count++] = (struct policy_file_rule){region, remap, setting};
}

static void read_rights(struct reader *reader, uint32_t view, config_setting_t *group)
{
	for (int i = 0; i < reader_length(reader, group); i++) {
		config_setting_t *setting = reader_elem(reader, group, (int)i);
		const struct policy_file_region *region =
			policy_regions_find(reader, config_setting_name(setting), setting,
					    reader_name(reader, setting));
		unsigned rights = 0; /* none is what any target can express */

		get_rights(reader, setting, &rights);
		if (!region || region->index == POLICY_NO_INDEX)
			continue;
		note_rule(reader, view, region->index, false, setting);
		if (policy_set_rights(&reader->file->policy, view, region->index, rights) != 0)
			reader->out_of_memory = true;
	}
}

/* Of what views may show the pages in the hole of memory are those of devices. Returns the first one in a range, or
 * NULL. */
static const struct gpa_range *device_in(const struct reader *reader, struct gpa_range range)
{
	const struct guest_memory *memory = &reader->subject->target->memory;

	for (size_t i = 0; i < memory->count; i++) {
		const struct gpa_range *page = &memory->ranges[i];

		if (page->start.v >= RAM_HOLE_BASE && page->start.v < RAM_HIGH_BASE &&
		    range.start.v < page->start.v + page->size && page->start.v < range.start.v + range.size)
			return page;
	}
	return NULL;
}

/* An address, or the start of a region that is large enough. */
static bool get_target(struct reader *reader, const config_setting_t *setting, uint64_t size,
		       gpa_t *ret_target)
{
	const struct policy_file_region *region;
	const struct view_region *place;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return reader_number(reader, setting, &ret_target->v);
	region = policy_regions_find(reader, config_setting_get_string(setting), setting,
				     reader_value(reader, setting));
	if (!region || region->index == POLICY_NO_INDEX)
		return false;
	place = &reader->file->policy.regions[region->index];
	*ret_target = place->gpa;
	if (place->size >= size)
		return true;
	reader_wrong(reader, "remap-size", reader_value(reader, setting),
		     "region '%s' has only 0x%" PRIx64 " bytes of the 0x%" PRIx64
		     " that are to be shown",
		     place->name, place->size, size);
	return false;
}

static void read_remap(struct reader *reader, uint32_t view, config_setting_t *group)
{
	struct view_policy *policy = &reader->file->policy;

	for (int i = 0; i < reader_length(reader, group); i++) {
		config_setting_t *setting = reader_elem(reader, group, (int)i);
		const struct policy_file_region *region =
			policy_regions_find(reader, config_setting_name(setting), setting,
					    reader_name(reader, setting));
		const struct gpa_range *device;
		struct gpa_range own, shown;

		if (!region || region->index == POLICY_NO_INDEX)
			continue;
		note_rule(reader, view, region->index, true, setting);
		own = (struct gpa_range){policy->regions[region->index].gpa,
					 policy->regions[region->index].size};
		shown.size = own.size;
		if (!get_target(reader, setting, own.size, &shown.start))
			continue;
		device = device_in(reader, own) ? device_in(reader, own) : device_in(reader, shown);
		if (device)
			reader_wrong(reader, "remap-device", reader_value(reader, setting),
				     "the page of devices at 0x%" PRIx64 " is nothing to remap",
				     device->start.v);
		else if (policy_set_remap(policy, view, region->index, shown.start) != 0)
			reader->out_of_memory = true;
	}
}

/* A member of a view that lists regions. */
struct list_member {
	const char *name;
	const char *noun;  /* of what it lists, for messages */
	const char *twice; /* key of the error that one is named twice */
};

/* There is room for it. */
static void add_to_list(struct reader *reader, const struct list_member *member, struct policy_file_list *list,
			const config_setting_t *setting)
{
	const char *name = reader_string(reader, setting);
	const struct policy_file_region *region;

	if (!name)
		return;
	region = policy_regions_find(reader, name, setting, reader_value(reader, setting));
	if (!region || region->index == POLICY_NO_INDEX)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->regions[i] == region->index) {
			reader_wrong(reader, member->twice, reader_value(reader, setting),
				     "%s '%s' is named twice", member->noun, name);
			return;
		}
	list->regions[list->count] = region->index;
	list->settings[list->count++] = setting;
}

static void read_list(struct reader *reader, const struct list_member *member, config_setting_t *setting,
		      struct policy_file_list *list)
{
	size_t count;

	if (!setting)
		return;
	if (!config_setting_is_array(setting) && !config_setting_is_list(setting)) {
		reader_wrong(reader, "type", reader_value(reader, setting),
			     "%s is a list: %s = [ \"region\", ... ];", member->name, member->name);
		return;
	}
	count = (size_t)config_setting_length(setting);
	list->regions = calloc(count + 1, sizeof(*list->regions));
	list->settings = calloc(count + 1, sizeof(*list->settings));
	if (!list->regions || !list->settings) {
		reader->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		add_to_list(reader, member, list, config_setting_get_elem(setting, (unsigned)i));
}

static void read_gates(struct reader *reader, uint32_t view, config_setting_t *setting)
{
	static const struct list_member gates = {"gates", "gate", "gate-twice"};

	read_list(reader, &gates, reader_member(reader, setting, gates.name), &reader->file->views[view].gates);
}

/* After the rules of `rights` and `remap`. The rule of a region that has none is made with the rights that it has
 * anyway, which is nothing that the view says about them. */
static void read_suppress(struct reader *reader, uint32_t view, config_setting_t *setting)
{
	static const struct list_member suppress = {"suppress", "region", "suppress-twice"};
	struct view_policy *policy = &reader->file->policy;
	struct policy_file_list *list = &reader->file->views[view].suppressed;
	const config_setting_t *ve = reader_member(reader, setting, "ve");
	config_setting_t *regions = reader_member(reader, setting, suppress.name);
	size_t kept = 0;

	/* What is neither true nor false has been reported. */
	if (regions && (!ve || (config_setting_type(ve) == CONFIG_TYPE_BOOL && !config_setting_get_bool(ve))))
		reader_wrong(reader, "suppress-alone", reader_name(reader, regions),
			     "no violation of view '%s' is #VE that could be suppressed; add ve = true;",
			     policy->views[view].name);
	read_list(reader, &suppress, regions, list);
	for (size_t i = 0; i < list->count; i++) {
		const uint32_t region = list->regions[i];

		if (!policy_rule(policy, view, region)) {
			list->settings[kept] = list->settings[i];
			list->regions[kept++] = region;
		}
		if (policy_set_ve(policy, view, region, false) != 0)
			reader->out_of_memory = true;
	}
	list->count = kept;
}

static void read_rules(struct reader *reader, uint32_t view, config_setting_t *setting)
{
	struct policy_file_view *notes = &reader->file->views[view];
	config_setting_t *rights = reader_group(reader, setting, "rights");
	config_setting_t *remap = reader_group(reader, setting, "remap");
	size_t count;

	count = (size_t)reader_length(reader, rights) + (size_t)reader_length(reader, remap);
	notes->rules = calloc(count + 1, sizeof(*notes->rules));
	if (!notes->rules) {
		reader->out_of_memory = true;
		return;
	}
	read_rights(reader, view, rights);
	read_remap(reader, view, remap);
	qsort(notes->rules, notes->rule_count, sizeof(*notes->rules), policy_file_compare_rules);
}

static void read_view(struct reader *reader, config_setting_t *setting)
{
	struct policy_file *file = reader->file;
	const char *name = config_setting_name(setting);
	config_setting_t *fallback;
	unsigned rights = 0;
	uint32_t view;

	if (!reader_check_name(reader, setting))
		return;
	if (!config_setting_is_group(setting)) {
		reader_wrong(reader, "type", reader_value(reader, setting),
			     "a view is a group: %s = { ... };", name);
		return;
	}
	reader_check_keys(reader, setting, "default rights remap gates wx ve suppress");
	fallback = reader_member(reader, setting, "default");
	if (!fallback)
		reader_wrong(reader, "no-default", reader_name(reader, setting),
			     "view '%s' does not say what rights the rest of memory has; add "
			     "default = \"---\";",
			     name);
	else
		get_rights(reader, fallback, &rights);
	file->views[file->policy.view_count].setting = setting;
	if (policy_add_view(&file->policy, name, rights, &view) != 0) {
		reader->out_of_memory = true;
		return;
	}
	file->view_count++;
	/* Before its rules, which start with it. */
	file->policy.views[view].ve = reader_bool(reader, reader_member(reader, setting, "ve"));
	read_rules(reader, view, setting);
	read_gates(reader, view, setting);
	read_suppress(reader, view, setting);
	file->views[view].writes_code =
		reader_bool(reader, reader_member(reader, setting, "wx"));
}

void policy_views_read(struct reader *reader, config_setting_t *group)
{
	size_t count = (size_t)reader_length(reader, group);

	reader->file->views = calloc(count + 1, sizeof(*reader->file->views));
	if (!reader->file->views) {
		reader->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count && !reader->out_of_memory; i++)
		read_view(reader, reader_elem(reader, group, (int)i));
}
