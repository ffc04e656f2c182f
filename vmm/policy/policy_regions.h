/* SPDX-License-Identifier: GPL-2.0-only */
/* The regions of a policy file: what its settings mean, not whether it makes sense. */
#ifndef VMM_POLICY_POLICY_REGIONS_H
#define VMM_POLICY_POLICY_REGIONS_H

#include "vmm/policy/policy_reader.h"

/* Fills the file's regions, from the group that has them. */
void policy_regions_read(struct reader *reader, config_setting_t *group);

/* Finds a region by name, and adds a built-in one when it is named first; `setting` does that, at
 * `place`. NULL if there is no such region. */
const struct policy_file_region *policy_regions_find(struct reader *reader, const char *name,
						     const config_setting_t *setting, struct place place);

#endif
