/* SPDX-License-Identifier: GPL-2.0-only */
/* An exit of somebody else's VM, counted and put into the ledger. */
#ifndef VMM_ATTACH_ATTACH_RECORD_H
#define VMM_ATTACH_ATTACH_RECORD_H

#include "vmm/attach/attachment.h"

void attach_record(struct attachment *attachment, const struct attached_thread *thread,
		   const struct attached_exit *exit);

/* What a ledger begins with. Times in it are ns of CLOCK_MONOTONIC_RAW. */
#define ATTACH_CLOCK_KHZ 1000000
void attach_describe(const struct attachment *attachment, const char *kernel);

#endif
