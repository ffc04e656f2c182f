/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_read.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy_source.h"

#define WHY_SIZE 240

struct reader {
	struct policy_file *file;
	const struct policy_subject *subject;
	struct diagnostics *diagnostics;
	bool out_of_memory;
};

static const struct gpa_range device = {{SS_MMIO_GPA}, GPA_PAGE_SIZE};

__attribute__((format(printf, 3, 4))) static void wrong(struct reader *reader, struct place place,
							const char *format, ...)
{
	char text[WHY_SIZE + 40];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diagnose(reader->diagnostics, SEVERITY_ERROR, place, "%s", text);
}

static struct place name_place(const struct reader *reader, const config_setting_t *setting)
{
	return policy_text_name(&reader->file->text, setting);
}

static struct place value_place(const struct reader *reader, const config_setting_t *setting)
{
	return policy_text_value(&reader->file->text, setting);
}

/* Reports the settings of a group whose names are not among these, separated by spaces. */
static void check_keys(struct reader *reader, config_setting_t *group, const char *names)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(setting);
		const char *word = names;
		bool known = false;

		while (*word && !known) {
			size_t size = strcspn(word, " ");

			known = strlen(name) == size && memcmp(word, name, size) == 0;
			word += size;
			word += strspn(word, " ");
		}
		if (!known)
			wrong(reader, name_place(reader, setting), "'%.60s' means nothing here; known: %s",
			      name, names);
	}
}

/* The member of that name if it is a group; what else it is, is reported. */
static config_setting_t *get_group(struct reader *reader, config_setting_t *parent, const char *name)
{
	config_setting_t *group = config_setting_get_member(parent, name);

	if (!group || config_setting_is_group(group))
		return group;
	wrong(reader, value_place(reader, group), "%s is a group: %s: { ... };", name, name);
	return NULL;
}

/* The text of a setting, or NULL after a report. */
static const char *get_string(struct reader *reader, const config_setting_t *setting)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return config_setting_get_string(setting);
	wrong(reader, value_place(reader, setting), "a text in quotes is needed here");
	return NULL;
}

static bool get_number(struct reader *reader, const config_setting_t *setting, uint64_t *ret_number)
{
	int rc = -EINVAL;

	if (config_setting_type(setting) == CONFIG_TYPE_INT ||
	    config_setting_type(setting) == CONFIG_TYPE_INT64)
		rc = policy_text_number(&reader->file->text, setting, ret_number);
	if (rc == -ERANGE)
		wrong(reader, value_place(reader, setting), "this number needs more than 64 bits");
	else if (rc != 0)
		wrong(reader, value_place(reader, setting),
		      "a whole number without sign is needed here, such as 0x200000");
	return rc == 0;
}

static bool check_name(struct reader *reader, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);

	if (strlen(name) >= VIEW_NAME_SIZE)
		wrong(reader, name_place(reader, setting), "a name has at most %d characters",
		      VIEW_NAME_SIZE - 1);
	else if (strchr(name, '*'))
		wrong(reader, name_place(reader, setting), "a name has letters, digits, - and _");
	else
		return true;
	return false;
}

/* How a region is given: exactly one of these sets of members. */
enum region_key { KEY_ADDRESS, KEY_SIZE, KEY_SECTION, KEY_SYMBOL, KEY_FROM, KEY_TO, KEY_COUNT };

static const char *const region_keys[KEY_COUNT] = {"address", "size", "section", "symbol", "from", "to"};

static bool locate_by_name(struct reader *reader, config_setting_t *const members[KEY_COUNT],
			   unsigned given, struct gpa_range *ret_range)
{
	const struct image *image = reader->subject->image;
	enum region_key key = given == 1u << KEY_SECTION ? KEY_SECTION :
			      given == 1u << KEY_SYMBOL	 ? KEY_SYMBOL :
							   KEY_FROM;
	const char *name = get_string(reader, members[key]), *to = NULL;
	char why[WHY_SIZE];
	int rc;

	if (key == KEY_FROM)
		to = get_string(reader, members[KEY_TO]);
	if (!name || (key == KEY_FROM && !to))
		return false;
	if (key == KEY_SECTION)
		rc = source_section(image, name, ret_range, why, sizeof(why));
	else if (key == KEY_SYMBOL)
		rc = source_symbol(image, name, ret_range, why, sizeof(why));
	else
		rc = source_between(image, name, to, ret_range, why, sizeof(why));
	if (rc != 0)
		wrong(reader, value_place(reader, members[key]), "%s", why);
	return rc == 0;
}

static bool locate(struct reader *reader, config_setting_t *setting, struct gpa_range *ret_range)
{
	config_setting_t *members[KEY_COUNT];
	unsigned given = 0;

	check_keys(reader, setting, "address size section symbol from to");
	for (int i = 0; i < KEY_COUNT; i++) {
		members[i] = config_setting_get_member(setting, region_keys[i]);
		given |= members[i] ? 1u << i : 0;
	}
	if (given == (1u << KEY_ADDRESS | 1u << KEY_SIZE)) {
		bool address = get_number(reader, members[KEY_ADDRESS], &ret_range->start.v);
		bool size = get_number(reader, members[KEY_SIZE], &ret_range->size);

		return address && size;
	}
	if (given == 1u << KEY_SECTION || given == 1u << KEY_SYMBOL ||
	    given == (1u << KEY_FROM | 1u << KEY_TO))
		return locate_by_name(reader, members, given, ret_range);
	wrong(reader, name_place(reader, setting),
	      "a region is given by address and size, by section, by symbol, or by from and to");
	return false;
}

static void add_region(struct reader *reader, const char *name, const config_setting_t *setting,
		       const struct gpa_range *range)
{
	struct policy_file *file = reader->file;
	struct policy_file_region *region = &file->regions[file->region_count];

	*region = (struct policy_file_region){name, setting, POLICY_NO_INDEX};
	if (range && policy_add_region(&file->policy, name, range->start, range->size, &region->index) != 0)
		reader->out_of_memory = true;
	file->region_count++;
}

static void read_region(struct reader *reader, config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	struct gpa_range range = {{0}, 0};
	bool usable = false;

	if (builtin_region_by_name(name))
		wrong(reader, name_place(reader, setting), "'%s' is the name of a region that is built in",
		      name);
	else if (!config_setting_is_group(setting))
		wrong(reader, value_place(reader, setting), "a region is a group: %.60s = { ... };", name);
	else if (check_name(reader, setting))
		usable = locate(reader, setting, &range);
	add_region(reader, name, setting, usable ? &range : NULL);
}

static void read_regions(struct reader *reader, config_setting_t *group)
{
	int count = group ? config_setting_length(group) : 0;

	if (count > POLICY_REGIONS_MAX) {
		wrong(reader, name_place(reader, config_setting_get_elem(group, POLICY_REGIONS_MAX)),
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
		read_region(reader, config_setting_get_elem(group, (unsigned)i));
}

/* Finds a region by name, and adds a built-in one when it is named first. NULL after a report. */
static const struct policy_file_region *find_region(struct reader *reader, const char *name,
						    const config_setting_t *setting, struct place place)
{
	struct policy_file *file = reader->file;
	const struct builtin_region *builtin = builtin_region_by_name(name);

	for (size_t i = 0; i < file->region_count; i++)
		if (strcmp(file->regions[i].name, name) == 0)
			return &file->regions[i];
	if (!builtin) {
		wrong(reader, place, "there is no region '%.60s'", name);
		return NULL;
	}
	add_region(reader, builtin->name, setting, &builtin->range);
	return &file->regions[file->region_count - 1];
}

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
	const char *text = get_string(reader, setting);

	if (!text)
		return false;
	if (parse_rights(text, ret_rights))
		return true;
	wrong(reader, value_place(reader, setting),
	      "rights are r, w and x in this order, such as \"r-x\" or \"rx\"; \"---\" are none");
	return false;
}

static void read_rights(struct reader *reader, uint32_t view, config_setting_t *group)
{
	for (int i = 0; group && i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct policy_file_region *region =
			find_region(reader, config_setting_name(setting), setting,
				    name_place(reader, setting));
		unsigned rights = 0; /* none is what any target can express */

		get_rights(reader, setting, &rights);
		if (!region || region->index == POLICY_NO_INDEX)
			continue;
		if (policy_set_rights(&reader->file->policy, view, region->index, rights) != 0)
			reader->out_of_memory = true;
	}
}

static bool intersect(struct gpa_range a, struct gpa_range b)
{
	return a.start.v < b.start.v + b.size && b.start.v < a.start.v + a.size;
}

/* An address, or the start of a region that is large enough. */
static bool get_target(struct reader *reader, const config_setting_t *setting, uint64_t size,
		       gpa_t *ret_target)
{
	const struct policy_file_region *region;
	const struct view_region *place;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return get_number(reader, setting, &ret_target->v);
	region = find_region(reader, config_setting_get_string(setting), setting,
			     value_place(reader, setting));
	if (!region || region->index == POLICY_NO_INDEX)
		return false;
	place = &reader->file->policy.regions[region->index];
	*ret_target = place->gpa;
	if (place->size >= size)
		return true;
	wrong(reader, value_place(reader, setting),
	      "region '%s' has only 0x%" PRIx64 " bytes of the 0x%" PRIx64 " that are to be shown",
	      place->name, place->size, size);
	return false;
}

static void read_remap(struct reader *reader, uint32_t view, config_setting_t *group)
{
	struct view_policy *policy = &reader->file->policy;

	for (int i = 0; group && i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct policy_file_region *region =
			find_region(reader, config_setting_name(setting), setting,
				    name_place(reader, setting));
		struct gpa_range own, shown;

		if (!region || region->index == POLICY_NO_INDEX)
			continue;
		own = (struct gpa_range){policy->regions[region->index].gpa,
					 policy->regions[region->index].size};
		shown.size = own.size;
		if (!get_target(reader, setting, own.size, &shown.start))
			continue;
		if (intersect(own, device) || intersect(shown, device))
			wrong(reader, value_place(reader, setting),
			      "the page of devices at 0x%x is nothing to remap", SS_MMIO_GPA);
		else if (policy_set_remap(policy, view, region->index, shown.start) != 0)
			reader->out_of_memory = true;
	}
}

static void add_gate(struct reader *reader, uint32_t view, const config_setting_t *setting)
{
	struct policy_file_view *notes = &reader->file->views[view];
	const char *name = get_string(reader, setting);
	const struct policy_file_region *region;

	if (!name)
		return;
	region = find_region(reader, name, setting, value_place(reader, setting));
	if (!region || region->index == POLICY_NO_INDEX)
		return;
	for (size_t i = 0; i < notes->gate_count; i++)
		if (notes->gates[i] == region->index) {
			wrong(reader, value_place(reader, setting), "gate '%s' is named twice", name);
			return;
		}
	notes->gates[notes->gate_count] = region->index;
	notes->gate_settings[notes->gate_count++] = setting;
}

static void read_gates(struct reader *reader, uint32_t view, config_setting_t *list)
{
	struct policy_file_view *notes = &reader->file->views[view];
	size_t count;

	if (!list)
		return;
	if (!config_setting_is_array(list) && !config_setting_is_list(list)) {
		wrong(reader, value_place(reader, list), "gates is a list: gates = [ \"region\", ... ];");
		return;
	}
	count = (size_t)config_setting_length(list);
	notes->gates = calloc(count + 1, sizeof(*notes->gates));
	notes->gate_settings = calloc(count + 1, sizeof(*notes->gate_settings));
	if (!notes->gates || !notes->gate_settings) {
		reader->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		add_gate(reader, view, config_setting_get_elem(list, (unsigned)i));
}

static bool get_bool(struct reader *reader, const config_setting_t *setting)
{
	if (!setting)
		return false;
	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(setting);
	wrong(reader, value_place(reader, setting), "true or false is needed here");
	return false;
}

static void read_view(struct reader *reader, config_setting_t *setting)
{
	struct policy_file *file = reader->file;
	const char *name = config_setting_name(setting);
	config_setting_t *fallback;
	unsigned rights = 0;
	uint32_t view;

	if (!check_name(reader, setting))
		return;
	if (!config_setting_is_group(setting)) {
		wrong(reader, value_place(reader, setting), "a view is a group: %s = { ... };", name);
		return;
	}
	check_keys(reader, setting, "default rights remap gates wx");
	fallback = config_setting_get_member(setting, "default");
	if (!fallback)
		wrong(reader, name_place(reader, setting),
		      "view '%s' does not say what rights the rest of memory has; add default = \"---\";",
		      name);
	else
		get_rights(reader, fallback, &rights);
	file->views[file->policy.view_count].setting = setting;
	if (policy_add_view(&file->policy, name, rights, &view) != 0) {
		reader->out_of_memory = true;
		return;
	}
	read_rights(reader, view, get_group(reader, setting, "rights"));
	read_remap(reader, view, get_group(reader, setting, "remap"));
	read_gates(reader, view, config_setting_get_member(setting, "gates"));
	file->views[view].writes_code = get_bool(reader, config_setting_get_member(setting, "wx"));
}

static void read_views(struct reader *reader, config_setting_t *group)
{
	size_t count = group ? (size_t)config_setting_length(group) : 0;

	reader->file->views = calloc(count + 1, sizeof(*reader->file->views));
	if (!reader->file->views) {
		reader->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count && !reader->out_of_memory; i++)
		read_view(reader, config_setting_get_elem(group, (unsigned)i));
}

int policy_read(struct policy_file *file, const struct policy_subject *subject,
		struct diagnostics *diagnostics)
{
	struct reader reader = {.file = file, .subject = subject, .diagnostics = diagnostics};
	config_setting_t *root = config_root_setting(file->config);

	check_keys(&reader, root, "regions views");
	read_regions(&reader, get_group(&reader, root, "regions"));
	if (!reader.out_of_memory)
		read_views(&reader, get_group(&reader, root, "views"));
	return reader.out_of_memory ? -ENOMEM : 0;
}
