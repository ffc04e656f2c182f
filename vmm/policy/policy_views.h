/* SPDX-License-Identifier: GPL-2.0-only */
/* The views of a policy file: what its settings mean, not whether it makes sense. */
#ifndef VMM_POLICY_POLICY_VIEWS_H
#define VMM_POLICY_POLICY_VIEWS_H

#include "vmm/policy/policy_reader.h"

/* Fills the file's views, from the group that has them; the regions have been read. */
void policy_views_read(struct reader *reader, config_setting_t *group);

#endif
