/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/l0_exit.h"

#include <errno.h>

static const uint16_t flag_of[TRACE_COUNT] = {
#define X(name, bit, tracepoint, key, text) [TRACE_##tracepoint] = L0_##name,
	L0_FLAGS_OF_TRACEPOINTS(X)
#undef X
};

static void finish(struct l0_assembler *assembler)
{
	assembler->handled = false;
	if (!assembler->pending)
		return;
	assembler->pending = false;
	assembler->emit(assembler->opaque, &assembler->exit);
}

/* `time` 0: nobody saw what came next. */
static void end_return(struct l0_assembler *assembler, uint64_t time)
{
	if (!assembler->outside)
		return;
	assembler->outside = false;
	assembler->back.cost = time ? time - assembler->back.time : 0;
	assembler->emit_return(assembler->opaque, &assembler->back);
}

void l0_assemble_end(struct l0_assembler *assembler)
{
	end_return(assembler, 0);
	finish(assembler);
	assembler->unprompted = false;
}

static void begin(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		  const uint8_t *raw, size_t size)
{
	end_return(assembler, 0);
	finish(assembler);
	assembler->pending = true;
	assembler->exit =
		(struct l0_exit){.time = time, .flags = assembler->unprompted ? L0_UNPROMPTED : 0};
	assembler->unprompted = false;
	if (assembler->start == TRACE_kvm_emulate_insn) {
		assembler->exit.rip =
			trace_format_value(formats, FIELD_kvm_emulate_insn_rip, raw, size);
		return;
	}
	assembler->exit.rip = trace_format_value(formats, FIELD_kvm_exit_guest_rip, raw, size);
	assembler->exit.reason =
		(uint32_t)trace_format_value(formats, FIELD_kvm_exit_exit_reason, raw, size);
	assembler->exit.isa = (uint8_t)trace_format_value(formats, FIELD_kvm_exit_isa, raw, size);
	assembler->exit.info1 = trace_format_value(formats, FIELD_kvm_exit_info1, raw, size);
	assembler->exit.info2 = trace_format_value(formats, FIELD_kvm_exit_info2, raw, size);
}

/* KVM_RUN that a signal has ended passes the same tracepoint with a negative errno. */
static bool to_userspace(const struct trace_formats *formats, const uint8_t *raw, size_t size)
{
	return (int64_t)trace_format_value(formats, FIELD_kvm_userspace_exit_errno, raw, size) >= 0;
}

static void begin_return(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
			 const uint8_t *raw, size_t size)
{
	const int64_t result = (int64_t)trace_format_value(formats, FIELD_kvm_userspace_exit_errno, raw, size);

	end_return(assembler, assembler->sparse ? 0 : time);
	if (!assembler->emit_return)
		return;
	assembler->outside = true;
	assembler->back = (struct l0_return){
		.time = time,
		.rip = assembler->pending ? assembler->exit.rip : 0,
		/* With an error the reason is that of an earlier return. */
		.reason = result == -EINTR ? EXIT_REASON_INTR
			  : result < 0     ? EXIT_REASON_UNKNOWN
					   : (uint32_t)trace_format_value(formats, FIELD_kvm_userspace_exit_reason,
									  raw, size),
		.nested = assembler->pending && assembler->exit.flags & L0_NESTED,
	};
}

/* Now that KVM_RUN returns. An interpreter exits for more than the instructions that stand for exits. */
static bool was_unprompted(const struct l0_assembler *assembler)
{
	return assembler->start == TRACE_kvm_exit &&
	       (assembler->pending ? assembler->exit.flags & L0_USERSPACE : assembler->handled);
}

void l0_assemble(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		 const uint8_t *raw, size_t size)
{
	enum trace_id id = trace_format_which(formats, raw, size);

	if (id == TRACE_COUNT)
		return;
	assembler->seen[id]++;
	if (id == assembler->start) {
		begin(assembler, formats, time, raw, size);
		if (assembler->sparse)
			finish(assembler);
		return;
	}
	if (id == TRACE_kvm_entry) {
		assembler->vcpu_known = true;
		assembler->vcpu = (uint32_t)trace_format_value(formats, FIELD_kvm_entry_vcpu_id, raw, size);
		end_return(assembler, time);
	}
	if (id == TRACE_kvm_userspace_exit) {
		begin_return(assembler, formats, time, raw, size);
		if (!to_userspace(formats, raw, size))
			return;
		assembler->unprompted |= was_unprompted(assembler);
	}
	if (!assembler->pending)
		return;
	if (id == TRACE_kvm_entry) {
		assembler->exit.cost = time - assembler->exit.time;
		finish(assembler);
		assembler->handled = true;
		return;
	}
	assembler->exit.flags |= flag_of[id];
}
