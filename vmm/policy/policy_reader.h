/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of a policy file, as what becomes of them asks for them. The functions report what is not as it
 * should be, and go on.
 */
#ifndef VMM_POLICY_POLICY_READER_H
#define VMM_POLICY_POLICY_READER_H

#include <libconfig.h>

#include "vmm/policy/policy_file.h"
#include "vmm/policy/policy_source.h"

struct reader {
	struct policy_file *file;
	const struct policy_subject *subject;
	struct diagnostics *diagnostics;
	struct source source;
	const struct policy_file_region **by_name; /* the regions that the file has, ascending */
	size_t by_name_count;
	bool out_of_memory;
};

__attribute__((format(printf, 4, 5))) void
reader_wrong(struct reader *reader, const char *key, struct place place, const char *format, ...);

/* The settings of a group or list, of which NULL has none; the member of a group by that name, or NULL. */
int reader_length(const struct reader *reader, const config_setting_t *group);
config_setting_t *reader_elem(const struct reader *reader, const config_setting_t *group, int index);
config_setting_t *reader_member(const struct reader *reader, config_setting_t *group, const char *name);

/* Where the name of a setting stands, and where its value does. */
struct place reader_name(const struct reader *reader, const config_setting_t *setting);
struct place reader_value(const struct reader *reader, const config_setting_t *setting);

/* Reports the settings of a group whose names are not among these, separated by spaces. */
void reader_check_keys(struct reader *reader, config_setting_t *group, const char *names);

/* Whether the setting's name can be that of a view or region. */
bool reader_check_name(struct reader *reader, const config_setting_t *setting);

/* The member of that name, or NULL if there is none or it is no group. */
config_setting_t *reader_group(struct reader *reader, config_setting_t *parent, const char *name);

/* The text of a setting, or NULL if it is none. */
const char *reader_string(struct reader *reader, const config_setting_t *setting);

bool reader_number(struct reader *reader, const config_setting_t *setting, uint64_t *ret_number);

/* Whether the setting is true; one that is not there is not. */
bool reader_bool(struct reader *reader, const config_setting_t *setting);

#endif
