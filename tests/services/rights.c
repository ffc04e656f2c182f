/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two vCPUs: one takes rights of a page away and gives them back by the service, the other uses the page
 * all the time. As soon as the service has returned, the other must not get at the page any more; and a
 * right that stays must not fail for a moment. With QUIET the other one does not exit by itself. Exit status 0, or the
 * number of the check.
 */
#include "guest.h"

#define ROUNDS 6
#define EXIT_EVERY 64 /* accesses */
#define VALUE SS_WINDOW_SHARED_VALUE
#define NOTHING UINT64_MAX

enum stage { SHOWN, HIDDEN, FLICKERING, OVER };

static volatile uint64_t stage, seen; /* what the first vCPU has made so, what the second has seen */

/* An exit, so that the other vCPU gets its turn where both have one processor; an emulator that performs processors in
 * turns goes on to the next one at PAUSE. */
static void let_others_run(void)
{
	__asm__ volatile("pause");
#ifndef QUIET
	__asm__ volatile("outb %%al, %0" : : "Nd"((uint16_t)SS_PORT_UNCLAIMED));
#endif
}

static void advance(uint64_t to)
{
	stage = to;
	while (seen != to)
		let_others_run();
}

static void change(void)
{
	volatile uint64_t *page = window_page(SS_WINDOW_SHARED);

	for (unsigned i = 0; i < ROUNDS; i++) {
		check(1, map(SS_WINDOW_SHARED, 0, 0) == 0);
		check(2, *page == NOTHING);
		advance(i * 4 + HIDDEN);
		check(3, map(SS_WINDOW_SHARED, 0, ALL) == 0);
		check(4, *page == VALUE);
		advance(i * 4 + 4 + SHOWN);
	}
	advance(ROUNDS * 4 + FLICKERING);
	for (unsigned i = 0; i < ROUNDS; i++) {
		check(5, map(SS_WINDOW_SHARED, 0, SS_RIGHT_READ | SS_RIGHT_EXECUTE) == 0);
		*page = 1; /* dropped */
		check(6, map(SS_WINDOW_SHARED, 0, ALL) == 0);
		check(7, *page == VALUE);
		*page = VALUE;
	}
	advance(ROUNDS * 4 + OVER);
	leave(0);
}

/* A stage that was reached lasts until it has been seen; after that the page may be either. */
static void use(void)
{
	volatile uint64_t *page = window_page(SS_WINDOW_SHARED);

	for (uint32_t i = 0;; i++) {
		const uint64_t before = stage, value = *page;

		if (i % EXIT_EVERY == 0)
			let_others_run();
		if (value != VALUE && value != NOTHING)
			leave(8);
		if (before % 4 == FLICKERING && value != VALUE)
			leave(9);
		if (before == seen)
			continue;
		if (before % 4 == SHOWN && value != VALUE)
			leave(10);
		if (before % 4 == HIDDEN && value != NOTHING)
			leave(11);
		seen = before;
	}
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	context = given;
	if (given->vcpu_count != 2)
		leave(249); /* not how this test is to be run */
	catch_exceptions();
	if (index == 0)
		change();
	else
		use();
	leave(248);
}
