/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>

#include "console.h"

__attribute__((noreturn)) void bare_fault(const uint64_t *frame);

/* A vector, perhaps an error code, and what the processor pushes. */
void bare_fault(const uint64_t *frame)
{
	console_text("sidestep: the monitor took exception ");
	console_hex(frame[0]);
	for (unsigned i = 1; i < 4; i++) {
		console_text(i == 1 ? ", on its stack: " : " ");
		console_hex(frame[i]);
	}
	console_put('\n');
	console_end();
}

/* Of the model, whose misuse it would be. */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
	console_say("the monitor fails: ", assertion, ", ", file, ", ", function, (const char *)0);
	(void)line;
	console_end();
}
