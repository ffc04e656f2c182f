/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine `flat`: the guest is L1 and runs on any KVM. A view is a layout of memory slots, so it
 * applies to all vCPUs of a VM; rights to execute cannot be withheld.
 */
#ifndef VMM_ENGINE_ENGINE_FLAT_H
#define VMM_ENGINE_ENGINE_FLAT_H

#include "vmm/vm/engine_ops.h"

extern const struct engine_ops engine_flat;

#endif
