/* SPDX-License-Identifier: GPL-2.0-only */
#include "service.h"

#include <errno.h>

int vmfunc_refusal(enum vmfunc_reason reason)
{
	switch (reason) {
	case VMFUNC_REASON_LEAF_NOT_ENABLED:
	case VMFUNC_REASON_LEAF_UNDEFINED:
		return -ENOSYS;
	case VMFUNC_REASON_INDEX_TOO_LARGE:
		return -ERANGE;
	case VMFUNC_REASON_ENTRY_NOT_VALID:
		return -EINVAL;
	default:
		return 0;
	}
}
