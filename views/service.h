/* SPDX-License-Identifier: GPL-2.0-only */
/* What sidestep answers where the processor leaves the answer to the hypervisor. */
#ifndef VIEWS_SERVICE_H
#define VIEWS_SERVICE_H

#include "vmfunc.h"

/*
 * A VMFUNC that exits (reason 59) is stepped over with a negative errno in RAX, as a hypercall would
 * be: -ENOSYS for a leaf that is not enabled, -ERANGE for an index beyond the list, -EINVAL for a
 * list entry that is no valid EPTP. A guest can tell it from success, which leaves RAX 0. Returns 0
 * for reasons that do not exit.
 */
int vmfunc_refusal(enum vmfunc_reason reason);

#endif
