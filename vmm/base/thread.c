/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/thread.h"

#include <signal.h>

#define STACK_SIZE (512u << 10)

int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	int rc = pthread_attr_init(&attributes);

	if (rc != 0)
		return -rc;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	rc = pthread_create(ret_thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	return -rc;
}

int thread_start_helper(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = thread_start(ret_thread, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
