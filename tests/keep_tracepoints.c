/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts the kvm tracepoints, for nothing, until its parent ends. Once nobody uses a tracepoint any more
 * the kernel waits for two grace periods, some 35 ms each time on an idle machine, and a run of sidestep
 * lets go of nine. A test of a hundred runs would spend most of its time there.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vmm/observe/trace.h"

int main(void)
{
	static const struct trace_plan plan = {.mode = TRACING_COUNT};
	struct trace trace;
	char reason[240];

	/* A parent that ended before that has left us to another. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1)
		return 1;
	trace_open(&trace, &plan, reason, sizeof(reason));
	while (trace.opened)
		pause();
	return 0; /* not permitted, and so not to the runs either */
}
