/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of a computer image for one vendor's processors: what guestfw/bare/plan.h describes, in memory. */
#ifndef VMM_BARE_BARE_PLAN_H
#define VMM_BARE_BARE_PLAN_H

#include "vmm/base/error.h"
#include "vmm/bare/blob.h"
#include "vmm/plan/plan.h"

/*
 * Plans a run as for KVM, `request->engine` being vmx or svm, and appends all that the bare monitor has to know of it.
 * `judged`: expectations of the reference model go along. Returns 0 or a negative errno with the reason in `error`.
 */
int bare_plan_append(struct blob *blob, const struct plan_request *request, bool judged, struct error *error);

#endif
