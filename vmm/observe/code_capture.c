/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/code_capture.h"

#include <stdio.h>

static void name(const struct image *image, struct record_code *record)
{
	const struct image_symbol *symbol = image_symbol_at(image, record->rip);

	if (!symbol || record->rip - symbol->address > UINT32_MAX)
		return;
	record->offset = (uint32_t)(record->rip - symbol->address);
	snprintf(record->symbol, sizeof(record->symbol), "%s", symbol->name);
}

int code_capture_init(struct code_capture *capture, code_fetch_fn *fetch, void *opaque)
{
	capture->fetch = fetch;
	capture->opaque = opaque;
	capture->recent[0] = 1; /* 0 is an address */
	return keyset_reserve(&capture->seen, CODE_CAPTURES_MAX);
}

void code_capture_finish(struct code_capture *capture)
{
	keyset_finish(&capture->seen);
}

bool code_capture(struct code_capture *capture, const struct image *image, uint64_t rip, bool outer,
		  struct record_code *ret_record)
{
	size_t known = capture->seen.count;

	capture->recent[rip % CODE_CAPTURES_RECENT] = rip;
	if (known == CODE_CAPTURES_MAX ||
	    keyset_add(&capture->seen, (struct key){rip, 0}) != (int64_t)known)
		return false;
	*ret_record = (struct record_code){
		.record = {.type = RECORD_CODE, .size = sizeof(*ret_record)},
		.rip = rip,
	};
	capture->fetch(capture->opaque, outer, ret_record);
	name(image, ret_record);
	return true;
}
