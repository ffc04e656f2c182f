/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/bare/bare_image.h"

#include <errno.h>
#include <string.h>

#include "guestfw/bare/plan.h"
#include "vmm/bare/bare_plan.h"

extern const uint8_t bare_loader_start[], bare_loader_end[];

static const struct {
	const char *engine;
	enum bare_vendor vendor;
} vendors[] = {{"vmx", BARE_VMX}, {"svm", BARE_SVM}};

int bare_image_make(struct blob *ret_image, const struct plan_request *request, bool judged, struct error *error)
{
	const bool all = strcmp(request->engine, "auto") == 0;
	struct bare_image header = {.magic = BARE_MAGIC};
	struct plan_request one = *request;
	uint64_t at;
	bool any = false;
	int rc = 0;

	*ret_image = (struct blob){0};
	blob_append(ret_image, bare_loader_start, (size_t)(bare_loader_end - bare_loader_start));
	at = blob_append(ret_image, NULL, sizeof(header));
	for (size_t i = 0; rc == 0 && i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		if (!all && strcmp(request->engine, vendors[i].engine) != 0)
			continue;
		any = true;
		one.engine = vendors[i].engine;
		blob_align(ret_image, GPA_PAGE_SIZE);
		header.plan[vendors[i].vendor] = ret_image->size;
		rc = bare_plan_append(ret_image, &one, judged, error);
	}
	if (rc != 0)
		return rc;
	if (!any)
		return error_set(error, -EINVAL, STATUS_USAGE, "--engine %s: an image has a monitor: auto, vmx or svm",
				 request->engine);
	if (ret_image->error != 0)
		return error_set(error, ret_image->error, STATUS_INTERNAL, "out of memory");
	header.size = ret_image->size;
	memcpy(ret_image->data + at, &header, sizeof(header));
	return 0;
}
