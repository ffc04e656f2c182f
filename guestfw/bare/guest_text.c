/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text of the guest, among the monitor's lines on the serial port: what would be taken for one of these, a line of the
 * ledger or one that begins with "sidestep: ", gets a space in it. Whoever reads a log leaves out zeros and carriage
 * returns, which would join what they stand between: so a line ends with a newline, and nothing of these is passed on.
 */
#include "bare.h"
#include "console.h"
#include "vmm/ledger/frame.h"

#define LINE "sidestep: "
#define LINE_SIZE (sizeof(LINE) - 1)

static int in_line; /* something other than the beginning of such a line is there */
static unsigned matched;
static char last;
static int returned; /* by a carriage return, which has ended the line: a newline behind it ends no other */

/* What was held back turns out to be harmless. */
static void release(void)
{
	for (unsigned i = 0; i < matched; i++)
		console_put(LINE[i]);
	matched = 0;
	in_line = 1;
}

void guest_text_end(void)
{
	if (matched)
		release();
	if (in_line)
		console_put('\n');
	in_line = 0;
	last = '\n';
	returned = 0;
}

static void put(char c)
{
	if (!in_line && c == LINE[matched]) {
		last = c;
		if (++matched == LINE_SIZE) {
			console_put(' ');
			release();
		}
		return;
	}
	if (matched)
		release();
	if (last == FRAME_PREFIX[0] && c == FRAME_PREFIX[1])
		console_put(' ');
	console_put(c);
	last = c;
	in_line = c != '\n';
}

void guest_text(char c)
{
	const int was_returned = returned;

	if (c == '\0')
		return;
	returned = c == '\r';
	if (!was_returned || c != '\n')
		put(c == '\r' ? '\n' : c);
}
