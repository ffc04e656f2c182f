/* SPDX-License-Identifier: GPL-2.0-only */
/* What a thread starts with. */
#include "tests/unit/cmocka_prelude.h"

#include <signal.h>
#include <stdbool.h>

#include "vmm/base/thread.h"

#define LARGE_PAGE (2u << 20)

struct seen {
	size_t stack;
	sigset_t blocked;
};

static void *look(void *argument)
{
	struct seen *seen = argument;
	pthread_attr_t attributes;

	pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		pthread_attr_getstacksize(&attributes, &seen->stack);
		pthread_attr_destroy(&attributes);
	}
	return argument;
}

static void check(int (*start)(pthread_t *, void *(*)(void *), void *), bool blocked)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1};
	struct seen seen = {0};
	pthread_t thread;
	void *result;
	sigset_t own;

	assert_int_equal(start(&thread, look, &seen), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &seen);
	assert_in_range(seen.stack, 256u << 10, LARGE_PAGE - 1);
	pthread_sigmask(SIG_SETMASK, NULL, &own);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_int_equal(sigismember(&seen.blocked, signals[i]), blocked);
		assert_false(sigismember(&own, signals[i]));
	}
}

static void any(void **state)
{
	(void)state;
	check(thread_start, false);
}

static void helper(void **state)
{
	(void)state;
	check(thread_start_helper, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any),
		cmocka_unit_test(helper),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
