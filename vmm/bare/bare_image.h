/* SPDX-License-Identifier: GPL-2.0-only */
/* A computer image: the loader, and plans behind it. */
#ifndef VMM_BARE_BARE_IMAGE_H
#define VMM_BARE_BARE_IMAGE_H

#include "vmm/base/error.h"
#include "vmm/bare/blob.h"
#include "vmm/plan/plan.h"

/* Makes the image of a request for the engine that it names, or for "auto" for both vendors. Returns 0 or a negative errno
 * with the reason in `error`; blob_finish() is due either way. */
int bare_image_make(struct blob *ret_image, const struct plan_request *request, bool judged, struct error *error);

#endif
