/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "vmm/policy/policy_groups.h"

void reader_wrong(struct reader *reader, const char *key, struct place place, const char *format,
		  ...)
{
	char text[280];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diagnose(reader->diagnostics, SEVERITY_ERROR, key, place, "%s", text);
}

struct place reader_name(const struct reader *reader, const config_setting_t *setting)
{
	return policy_text_name(&reader->file->text, setting);
}

struct place reader_value(const struct reader *reader, const config_setting_t *setting)
{
	return policy_text_value(&reader->file->text, setting);
}

config_setting_t *reader_member(const struct reader *reader, config_setting_t *group, const char *name)
{
	return policy_groups_member(&reader->file->text, group, name);
}

int reader_length(const struct reader *reader, const config_setting_t *group)
{
	return group ? policy_groups_length(&reader->file->text, group) : 0;
}

config_setting_t *reader_elem(const struct reader *reader, const config_setting_t *group, int index)
{
	return policy_groups_elem(&reader->file->text, group, index);
}

void reader_check_keys(struct reader *reader, config_setting_t *group, const char *names)
{
	for (int i = 0; i < reader_length(reader, group); i++) {
		config_setting_t *setting = reader_elem(reader, group, i);
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
			reader_wrong(reader, "unknown-setting", reader_name(reader, setting),
				     "'%.60s' means nothing here; known: %s", name, names);
	}
}

config_setting_t *reader_group(struct reader *reader, config_setting_t *parent, const char *name)
{
	config_setting_t *group = reader_member(reader, parent, name);

	if (!group || config_setting_is_group(group))
		return group;
	reader_wrong(reader, "type", reader_value(reader, group), "%s is a group: %s: { ... };",
		     name, name);
	return NULL;
}

const char *reader_string(struct reader *reader, const config_setting_t *setting)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return config_setting_get_string(setting);
	reader_wrong(reader, "type", reader_value(reader, setting),
		     "a text in quotes is needed here");
	return NULL;
}

bool reader_number(struct reader *reader, const config_setting_t *setting, uint64_t *ret_number)
{
	int rc = -EINVAL;

	if (config_setting_type(setting) == CONFIG_TYPE_INT ||
	    config_setting_type(setting) == CONFIG_TYPE_INT64)
		rc = policy_text_number(&reader->file->text, setting, ret_number);
	if (rc == -ERANGE)
		reader_wrong(reader, "number", reader_value(reader, setting),
			     "this number needs more than 64 bits");
	else if (rc != 0)
		reader_wrong(reader, "number", reader_value(reader, setting),
			     "a whole number without sign is needed here, such as 0x200000");
	return rc == 0;
}

bool reader_check_name(struct reader *reader, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);

	if (strlen(name) >= VIEW_NAME_SIZE)
		reader_wrong(reader, "name", reader_name(reader, setting),
			     "a name has at most %d characters", VIEW_NAME_SIZE - 1);
	else if (strchr(name, '*'))
		reader_wrong(reader, "name", reader_name(reader, setting),
			     "a name has letters, digits, - and _");
	else
		return true;
	return false;
}

bool reader_bool(struct reader *reader, const config_setting_t *setting)
{
	if (!setting)
		return false;
	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(setting);
	reader_wrong(reader, "type", reader_value(reader, setting), "true or false is needed here");
	return false;
}
