/* SPDX-License-Identifier: GPL-2.0-only */
/* What each engine does. */
#ifndef VMM_ENGINE_ENGINES_H
#define VMM_ENGINE_ENGINES_H

#include "views/levels.h"
#include "vmm/vm/engine_ops.h"

const struct engine_ops *engine_ops(enum engine_id id);

#endif
