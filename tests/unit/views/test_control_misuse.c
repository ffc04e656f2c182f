/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that no processor has are a caller's mistake, and stopped. */
#include "tests/unit/cmocka_prelude.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "control.h"

static sigjmp_buf aborted;

static void on_abort(int number)
{
	(void)number;
	siglongjmp(aborted, 1);
}

/* Whether the call is refused as a mistake of the caller. */
static bool is_misuse(struct control_state state, struct control_operation operation)
{
	/* Of what the assertion prints. */
	const int text = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
	volatile bool misuse = true;

	assert_true(text >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
	signal(SIGABRT, on_abort);
	if (sigsetjmp(aborted, 1) == 0) {
		control_execute(&state, &operation);
		misuse = false;
	}
	signal(SIGABRT, SIG_DFL);
	dup2(text, STDERR_FILENO);
	close(text);
	close(nowhere);
	return misuse;
}

/* What no instruction is: a caller's mistake, never one of a guest. */
static void misuse(void **unused)
{
	static const struct control_state cr0 = {.reg = CONTROL_CR0,
						 .embodiment = SS_EMBODIMENT_TWO_WORDS};
	struct control_state cr4 = cr0, unknown = cr0;

	(void)unused;
	cr4.reg = CONTROL_CR4;
	unknown.embodiment = SS_EMBODIMENT_COUNT;
	for (unsigned width = 0; width <= 65; width++) {
		const struct control_operation to = {.insn = CONTROL_MOV_TO, .width = width};
		const struct control_operation from = {.insn = CONTROL_MOV_FROM, .width = width};
		const struct control_operation smsw = {.insn = CONTROL_SMSW, .width = width};
		const bool whole = width == 32 || width == 64;

		assert_int_equal(is_misuse(cr0, to), !whole);
		assert_int_equal(is_misuse(cr0, from), !whole);
		assert_int_equal(is_misuse(cr0, smsw), !whole && width != 16);
	}
	for (enum control_insn insn = CONTROL_MOV_TO; insn <= CONTROL_SMSW; insn++) {
		const struct control_operation operation = {.insn = insn, .width = 64};

		assert_true(is_misuse(unknown, operation));
		assert_int_equal(is_misuse(cr4, operation),
				 insn != CONTROL_MOV_TO && insn != CONTROL_MOV_FROM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misuse),
	};

	return cmocka_run_group_tests_name("control_misuse", tests, NULL, NULL);
}
