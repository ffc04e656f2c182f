/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_regions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE 240

/* How a region is given: exactly one of these sets of members. */
enum region_key { KEY_ADDRESS, KEY_SIZE, KEY_SECTION, KEY_SYMBOL, KEY_FROM, KEY_TO, KEY_COUNT };

static const char *const region_keys[KEY_COUNT] = {"address", "size", "section",
						   "symbol",  "from", "to"};

static bool locate_by_name(struct reader *reader, config_setting_t *const members[KEY_COUNT],
			   unsigned given, struct gpa_range *ret_range)
{
	struct source *source = &reader->source;
	enum region_key key = given == 1u << KEY_SECTION  ? KEY_SECTION
			      : given == 1u << KEY_SYMBOL ? KEY_SYMBOL
							  : KEY_FROM;
	const char *name = reader_string(reader, members[key]), *to = NULL;
	char why[WHY_SIZE];
	int rc;

	if (key == KEY_FROM)
		to = reader_string(reader, members[KEY_TO]);
	if (!name || (key == KEY_FROM && !to))
		return false;
	if (key == KEY_SECTION)
		rc = source_section(source, name, ret_range, why, sizeof(why));
	else if (key == KEY_SYMBOL)
		rc = source_symbol(source, name, ret_range, why, sizeof(why));
	else
		rc = source_between(source, name, to, ret_range, why, sizeof(why));
	if (rc == -ENOMEM)
		reader->out_of_memory = true;
	else if (rc != 0)
		reader_wrong(reader, "place", reader_value(reader, members[key]), "%s", why);
	return rc == 0;
}

static bool locate(struct reader *reader, config_setting_t *setting, struct gpa_range *ret_range)
{
	config_setting_t *members[KEY_COUNT];
	unsigned given = 0;

	reader_check_keys(reader, setting, "address size section symbol from to");
	for (int i = 0; i < KEY_COUNT; i++) {
		members[i] = reader_member(reader, setting, region_keys[i]);
		given |= members[i] ? 1u << i : 0;
	}
	if (given == (1u << KEY_ADDRESS | 1u << KEY_SIZE)) {
		bool address = reader_number(reader, members[KEY_ADDRESS], &ret_range->start.v);
		bool size = reader_number(reader, members[KEY_SIZE], &ret_range->size);

		return address && size;
	}
	if (given == 1u << KEY_SECTION || given == 1u << KEY_SYMBOL ||
	    given == (1u << KEY_FROM | 1u << KEY_TO))
		return locate_by_name(reader, members, given, ret_range);
	reader_wrong(
		reader, "region-form", reader_name(reader, setting),
		"a region is given by address and size, by section, by symbol, or by from and to");
	return false;
}

static void add_region(struct reader *reader, const char *name, const config_setting_t *setting,
		       const struct gpa_range *range)
{
	struct policy_file *file = reader->file;
	struct policy_file_region *region = &file->regions[file->region_count];

	*region = (struct policy_file_region){name, setting, POLICY_NO_INDEX};
	if (range &&
	    policy_add_region(&file->policy, name, range->start, range->size, &region->index) != 0)
		reader->out_of_memory = true;
	file->region_count++;
}

static void read_region(struct reader *reader, config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	struct gpa_range range = {{0}, 0};
	bool usable = false;

	if (builtin_region_by_name(reader->subject->image, name))
		reader_wrong(reader, "name", reader_name(reader, setting),
			     "'%s' is the name of a region that is built in", name);
	else if (!config_setting_is_group(setting))
		reader_wrong(reader, "type", reader_value(reader, setting),
			     "a region is a group: %.60s = { ... };", name);
	else if (reader_check_name(reader, setting))
		usable = locate(reader, setting, &range);
	add_region(reader, name, setting, usable ? &range : NULL);
}

static int by_name(const void *a, const void *b)
{
	const struct policy_file_region *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void sort_regions(struct reader *reader)
{
	struct policy_file *file = reader->file;

	reader->by_name = calloc(file->region_count + 1, sizeof(const struct policy_file_region *));
	if (!reader->by_name) {
		reader->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < file->region_count; i++)
		reader->by_name[i] = &file->regions[i];
	reader->by_name_count = file->region_count;
	qsort(reader->by_name, reader->by_name_count, sizeof(const struct policy_file_region *), by_name);
}

void policy_regions_read(struct reader *reader, config_setting_t *group)
{
	int count = reader_length(reader, group);

	if (count > POLICY_REGIONS_MAX) {
		reader_wrong(
			reader, "too-many-regions",
			reader_name(reader, reader_elem(reader, group, POLICY_REGIONS_MAX)),
			"there are more than %d regions", POLICY_REGIONS_MAX);
		count = POLICY_REGIONS_MAX;
	}
	reader->file->regions =
		calloc((size_t)count + builtin_region_count, sizeof(*reader->file->regions));
	if (!reader->file->regions) {
		reader->out_of_memory = true;
		return;
	}
	for (int i = 0; i < count; i++)
		read_region(reader, reader_elem(reader, group, i));
	sort_regions(reader);
}

const struct policy_file_region *policy_regions_find(struct reader *reader, const char *name,
						     const config_setting_t *setting, struct place place)
{
	struct policy_file *file = reader->file;
	const struct policy_file_region sought = {.name = name}, *key = &sought, **found;
	const struct builtin_region *builtin = builtin_region_by_name(reader->subject->image, name);

	found = bsearch(&key, reader->by_name, reader->by_name_count, sizeof(*found), by_name);
	if (found)
		return *found;
	/* The built-in ones that were named so far. */
	for (size_t i = reader->by_name_count; i < file->region_count; i++)
		if (strcmp(file->regions[i].name, name) == 0)
			return &file->regions[i];
	if (!builtin) {
		reader_wrong(reader, "unknown-region", place, "there is no region '%.60s'", name);
		return NULL;
	}
	add_region(reader, builtin->name, setting, &builtin->range);
	return &file->regions[file->region_count - 1];
}
