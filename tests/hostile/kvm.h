/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests that run guests within their own process. */
#ifndef TESTS_HOSTILE_KVM_H
#define TESTS_HOSTILE_KVM_H

#include <stdio.h>

#include "vmm/command/session.h"

/* 0, or the status of a skipped test, whose need it prints. */
static inline int needs_kvm(void)
{
	struct error error = {0};
	struct host host;

	if (host_open(&host, &error) == 0) {
		host_close(&host);
		return 0;
	}
	printf("skipped: needs: kvm; host: %s\n", error.text);
	return STATUS_SKIPPED;
}

#endif
