/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter of a thread as libseccomp makes it of the same rules. What sidestep makes is held against it. */
#ifndef TESTS_JAIL_REFERENCE_H
#define TESTS_JAIL_REFERENCE_H

#include "vmm/jail/jail_filter.h"

/* A scmp_filter_ctx, for seccomp_release(), or NULL. */
void *reference_filter(const struct jail_thread *thread);

/* The same as it would be loaded: `ret_length` instructions, for free(), or NULL. */
struct sock_filter *reference_program(const struct jail_thread *thread, unsigned *ret_length);

#endif
