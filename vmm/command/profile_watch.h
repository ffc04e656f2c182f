/* SPDX-License-Identifier: GPL-2.0-only */
/* A run that is watched: an interval after the other, then a summary. */
#ifndef VMM_COMMAND_PROFILE_WATCH_H
#define VMM_COMMAND_PROFILE_WATCH_H

#include "vmm/command/session.h"
#include "vmm/profile/profile_write.h"

struct profile_watch {
	struct session *session;
	const struct settings *settings;
	struct machine_watch hook;
	struct profile profile;
	struct profile_counts interval, total;
	FILE *stream;
	bool interactive;             /* on a screen that is rewritten in place */
	uint64_t start, last;         /* ms: of the run, of the last interval's end */
	uint64_t due, patience, edge; /* ms: next interval; how long to wait for vCPUs; next edge of
				       * recording */
	bool collecting;              /* an interval has ended, vCPUs are to hand over */
	uint32_t random;
	int failure; /* a negative errno: the output could not be written */
};

/* Returns 0 or -ENOMEM; profile_watch_finish() is due. The session has been started, and does not run. */
int profile_watch_begin(struct profile_watch *watch, struct session *session,
			const struct settings *settings, FILE *stream);

/* After the run: writes the summary. Returns 0 or a negative errno. */
int profile_watch_summary(struct profile_watch *watch);

/* Writes a view, of which `lines` and `total` need not be set: of the interval, or, if it is a summary, of all. On a screen
 * that is rewritten if `interactive`. The interval is empty then. Returns 0 or a negative errno. */
int profile_show(struct profile_view *view, struct profile_counts *interval, const struct profile_counts *total,
		 enum profile_l0 how, const char *format, bool interactive, FILE *stream);

void profile_watch_finish(struct profile_watch *watch);

#endif
