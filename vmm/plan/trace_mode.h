/* SPDX-License-Identifier: GPL-2.0-only */
/* How much of the kernel's tracepoints a run looks at. */
#ifndef VMM_PLAN_TRACE_MODE_H
#define VMM_PLAN_TRACE_MODE_H

/* How much is looked at: MODE(NAME, key, "meaning"), each more than the one before it. */
#define TRACE_MODES(X)                                                                             \
	X(OFF, "off", "not at all")                                                                \
	X(COUNT, "count", "every hit counted")                                                     \
	X(PART, "part", "hits recorded for a twentieth of the time")                                   \
	X(SAMPLE, "sample", "every hit recorded, with reason and RIP")

enum trace_mode {
#define X(name, key, text) TRACING_##name,
	TRACE_MODES(X)
#undef X
	TRACING_MODE_COUNT
};

extern const char *const trace_mode_keys[TRACING_MODE_COUNT];

#endif
