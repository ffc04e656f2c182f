/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of this program. */
#ifndef VMM_BASE_THREAD_H
#define VMM_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create(), with a stack that is smaller than a large page, which the kernel would otherwise take and clear at
 * the first byte. Returns 0 or a negative errno. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);

/* The same for one that no signal to the process reaches. */
int thread_start_helper(pthread_t *ret_thread, void *(*run)(void *), void *argument);

#endif
