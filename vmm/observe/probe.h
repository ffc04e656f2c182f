/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes for perf, bpftrace and SystemTap (USDT), as probe.def describes them. A probe is a nop and a
 * note in the file that says where its arguments are at that instruction: nothing is computed or
 * tested for a tool that is not there. Each has one place in the program, because perf makes an event
 * of its own of every further one, and leaves out arguments that are constants.
 */
#ifndef VMM_OBSERVE_PROBE_H
#define VMM_OBSERVE_PROBE_H

#include <stddef.h>
#include <stdint.h>

#define PROBE_ARGUMENTS_MAX 8

struct probe_row {
	const char *name, *meaning;
	struct {
		const char *name, *meaning;
	} arguments[PROBE_ARGUMENTS_MAX + 1]; /* up to one without a name */
};

extern const struct probe_row probes[];
extern const size_t probe_count;

enum probe_arity {
#define ARGUMENT(name, meaning) +1
#define PROBE(name, meaning, arguments) PROBE_ARITY_##name = 0 arguments,
#include "vmm/observe/probe.def"
#undef PROBE
#undef ARGUMENT
};

#define PROBE_COUNT_(a, b, c, d, e, f, g, h, count, ...) count
#define PROBE_GIVEN(...) PROBE_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define PROBE_CHECK(probe, ...)                                                                    \
	_Static_assert((int)PROBE_ARITY_##probe == PROBE_GIVEN(__VA_ARGS__),                       \
		       "the arguments are those of probe.def")

/*
 * PROBE_FIRE(name, arguments...). A file that has a probe says before it includes this where its
 * arguments are, in memory (o) or in registers (r); with a choice, clang moves them about:
 *   #define STAP_SDT_ARG_CONSTRAINT o
 */
#ifdef HAVE_USDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define PROBE_FIRE(probe, ...)                                                                     \
	do {                                                                                       \
		PROBE_CHECK(probe, __VA_ARGS__);                                                   \
		STAP_PROBEV(sidestep, probe, __VA_ARGS__);                                         \
	} while (0)
#else
#define PROBE_FIRE(probe, ...)                                                                     \
	do {                                                                                       \
		PROBE_CHECK(probe, __VA_ARGS__);                                                   \
		if (0)                                                                             \
			probe_ignore(0, __VA_ARGS__);                                              \
	} while (0)
static inline void probe_ignore(int none, ...)
{
	(void)none;
}
#endif

/* The probes of these names, as functions: for what costs thousands of ticks itself. */
void probe_view_switch(uint32_t vcpu, uint32_t level, int32_t from, int32_t to, uint32_t vm);
void probe_control_flag_write(uint32_t vcpu, uint32_t level, uint64_t wanted, uint64_t owned,
			      uint32_t vm);
void probe_operation_begin(uint32_t vcpu, uint32_t operation, const char *name, uint32_t count,
			   uint32_t vm);
void probe_operation_end(uint32_t vcpu, uint32_t operation, const char *name, uint32_t count,
			 uint32_t vm);

#endif
