/* SPDX-License-Identifier: GPL-2.0-only */
/* The code around the addresses at which a guest exits, for the ledger and for a profile. */
#ifndef VMM_OBSERVE_CODE_CAPTURE_H
#define VMM_OBSERVE_CODE_CAPTURE_H

#include <stdbool.h>

#include "vmm/base/keyset.h"
#include "vmm/guest/image.h"
#include "vmm/ledger/record.h"

/* More addresses than this of one vCPU are recorded without their code: a guest may have any number. */
#define CODE_CAPTURES_MAX 4096

/* Reads the bytes around record->rip, as the guest sees them now, and sets `width`, `before`, `count`, `bytes`; leaves
 * the record alone if there are none to be had. `outer`: the exit was of no nested guest, so that the code may be the
 * monitor's own, which no view shows; then the name is the fetcher's to give. */
typedef void code_fetch_fn(void *opaque, bool outer, struct record_code *record);

/* Of the addresses that were met last, one for each of so many low bits. */
#define CODE_CAPTURES_RECENT 256

struct code_capture {
	struct keyset seen; /* addresses whose code has been taken */
	code_fetch_fn *fetch; /* NULL: nobody wants any */
	void *opaque;
	uint64_t recent[CODE_CAPTURES_RECENT];
};

/* Before the vCPU runs: makes room for the addresses. Returns 0 or -ENOMEM. */
int code_capture_init(struct code_capture *capture, code_fetch_fn *fetch, void *opaque);
void code_capture_finish(struct code_capture *capture);

/* Fills the record for `rip`, the first time that it is met; `outer` as above. Returns whether it was. */
bool code_capture(struct code_capture *capture, const struct image *image, uint64_t rip, bool outer,
		  struct record_code *ret_record);

/* Whether code_capture() would say no, as it nearly always does: a guest exits at the same few addresses. */
static inline bool code_capture_known(const struct code_capture *capture, uint64_t rip)
{
	return capture->recent[rip % CODE_CAPTURES_RECENT] == rip;
}

#endif
