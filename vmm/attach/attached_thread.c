/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/attached_thread.h"

static void tell(struct attached_thread *thread, const struct attached_exit *exit)
{
	thread->active = true;
	if (thread->assembler.vcpu_known)
		thread->vcpu = thread->assembler.vcpu;
	thread->exit(thread->opaque, thread, exit);
}

/* Of the exit that the hypervisor in the VM was given: from there until it resumed its guest, or until it was not seen to. */
static void end_reflected(struct attached_thread *thread, uint64_t until)
{
	if (!thread->reflected)
		return;
	thread->reflected = false;
	tell(thread, &(struct attached_exit){
			     .time = thread->l2_exit.time,
			     .cost = until ? until - thread->l2_exit.time : 0,
			     .rip = thread->l2_exit.rip,
			     .reason = thread->l2_exit.reason,
			     .isa = thread->l2_exit.isa,
			     .level = LEVEL_MONITOR,
			     .nested = true,
		     });
}

static void exited(void *opaque, struct l0_exit *exit)
{
	struct attached_thread *thread = opaque;

	thread->exits++;
	tell(thread, &(struct attached_exit){
			     .time = exit->time,
			     .cost = exit->cost,
			     .rip = exit->rip,
			     .info1 = exit->info1,
			     .info2 = exit->info2,
			     .reason = exit->reason,
			     .isa = exit->isa,
			     .level = LEVEL_L0,
			     .nested = exit->flags & L0_NESTED,
			     .flags = exit->flags,
		     });
	if (exit->flags & L0_RESUMED)
		end_reflected(thread, exit->time);
	if (!(exit->flags & L0_INJECTED))
		return;
	end_reflected(thread, 0);
	thread->reflected = true;
	thread->l2_exit = *exit;
}

static void returned(void *opaque, const struct l0_return *back)
{
	struct attached_thread *thread = opaque;

	tell(thread, &(struct attached_exit){
			     .time = back->time,
			     .cost = back->cost,
			     .rip = back->rip,
			     .reason = back->reason,
			     .level = LEVEL_VMM,
			     .nested = back->nested,
		     });
}

void attached_thread_begin(struct attached_thread *thread, bool interpreted)
{
	thread->interpreted = 0;
	thread->assembler = (struct l0_assembler){
		.start = interpreted ? TRACE_kvm_emulate_insn : TRACE_kvm_exit,
		.sparse = interpreted,
		.emit = exited,
		.emit_return = returned,
		.opaque = thread,
	};
}

int attached_thread_open(struct attached_thread *thread, const struct trace_plan *plan, char *reason, size_t size)
{
	struct trace_plan own = *plan;
	int rc;

	own.thread = thread->id;
	rc = trace_attach(&thread->trace, &own, reason, size);
	if (rc != 0)
		return rc;
	thread->open = true;
	attached_thread_begin(thread, plan->interpreted);
	return 0;
}

void attached_thread_drain(struct attached_thread *thread)
{
	if (thread->open)
		trace_drain(&thread->trace, &thread->assembler);
}

void attached_thread_close(struct attached_thread *thread)
{
	if (!thread->open)
		return;
	trace_switch(&thread->trace, false);
	attached_thread_drain(thread);
	l0_assemble_end(&thread->assembler);
	end_reflected(thread, 0);
	thread->lost += trace_lost(&thread->trace, thread->assembler.seen);
	trace_close(&thread->trace);
	thread->open = false;
}

uint64_t attached_thread_interpreted(struct attached_thread *thread)
{
	uint64_t values[TRACE_COUNT], observed, before = thread->interpreted;

	if (!thread->open)
		return 0;
	trace_read(&thread->trace, values, &observed);
	if (!(observed >> TRACE_kvm_emulate_insn & 1))
		return 0;
	thread->interpreted = values[TRACE_kvm_emulate_insn];
	return thread->interpreted - before;
}
