/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/differential.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"

/* Those that the guest has caused. */
static uint64_t exits(const struct vcpu *vcpu, enum level level)
{
	return vcpu->recorder->summary->operations[0].exits[level] - (level == LEVEL_MONITOR ? vcpu->taken : 0);
}

/* The request that brought the program was an exit of its own, to the VMM and, where there is one, to the
 * monitor; their records came after `before` was noted. Those of the request that brings the results
 * are not there yet. */
static bool agrees(struct differential *run, const struct differential_turn *turn, struct vcpu *vcpu,
		   const struct ss_program *result)
{
	bool has_monitor = engine_has_monitor(vcpu->vm->plan->engine);
	uint64_t monitor = exits(vcpu, LEVEL_MONITOR) - turn->monitor_before - (has_monitor ? 1 : 0);
	uint64_t vmm = exits(vcpu, LEVEL_VMM) - turn->vmm_before - 1;
	struct program_prediction wanted;
	char text[sizeof(run->difference)] = "";

	program_predict(&run->environment, &turn->program, &wanted);
	for (uint32_t i = 0; i < turn->program.count && !text[0]; i++)
		if (result->seen[i] != wanted.seen[i])
			snprintf(text, sizeof(text),
				 "step %" PRIu32 " read 0x%" PRIx64 ", the model says 0x%" PRIx64 "%s%s", i + 1,
				 result->seen[i], wanted.seen[i], wanted.fault[i] == CONTROL_LEGAL ? "" : ": ",
				 wanted.fault[i] == CONTROL_LEGAL ? "" : control_fault_text(wanted.fault[i]));
	if (!text[0] && (monitor != wanted.monitor || vmm != wanted.vmm))
		snprintf(text, sizeof(text),
			 "%" PRIu64 " exits to the monitor and %" PRIu64
			 " to the VMM, the model says %u and %u",
			 monitor, vmm, wanted.monitor, wanted.vmm);
	if (text[0] && (!run->shrinking || turn->program.count <= run->smallest.count))
		memcpy(run->difference, text, sizeof(text));
	return !text[0];
}

static void start_shrinking(struct differential *run, const struct differential_turn *turn)
{
	run->differed = true;
	run->shrinking = true;
	run->differing_vm = (unsigned)(turn - run->turns);
	run->failed_index = turn->index;
	run->smallest = turn->program;
	run->at = 0;
	run->size = turn->program.count;
}

/* The next smaller program to try, or none: what remains is minimal step by step. */
static bool next_smaller(struct differential *run, struct differential_turn *turn)
{
	while (run->size > 0) {
		if (run->at + run->size <= run->smallest.count && run->size < run->smallest.count) {
			turn->program = run->smallest;
			program_remove(&turn->program, run->at, run->size);
			return true;
		}
		run->size /= 2;
		run->at = 0;
	}
	return false;
}

static bool next_random(struct differential *run, struct differential_turn *turn, const struct plan *plan)
{
	if (run->replay) {
		turn->program = run->given;
		return run->next++ < plan->vms;
	}
	turn->index = run->next * run->shards + run->shard;
	if (turn->index >= run->count)
		return false;
	run->next++;
	program_generate(run->seed, turn->index,
			 !engine_has_monitor(plan->engine)			 ? PROGRAM_MASKS_NONE
			 : plan->embodiment == SS_EMBODIMENT_SINGLE_MASK ? PROGRAM_MASKS_KEPT
									 : PROGRAM_MASKS_ANY,
			 plan->share_vcpu, DIFFERENTIAL_STEPS, &turn->program);
	return true;
}

static void judge(struct differential *run, const struct differential_turn *turn, struct vcpu *vcpu,
		  const struct ss_program *result)
{
	bool same = agrees(run, turn, vcpu, result);

	if (!run->shrinking) {
		run->performed++;
		if (!same)
			start_shrinking(run, turn);
	} else if (same) {
		run->at += run->size;
	} else {
		run->smallest = turn->program;
	}
}

static int issue(struct differential_turn *turn, struct vcpu *vcpu, const struct guest_span *page)
{
	const struct engine_ops *ops = vcpu->vm->ops;
	const struct ss_program *program = &turn->program;
	const struct ss_operation masks = program_masks(program);
	int rc = ops->setup(vcpu, &masks);

	if (rc == 0 && ops->load_register) {
		ops->load_register(vcpu, 0, SS_CR0_BASE | (program->cr == 4 ? 0 : program->start));
		ops->load_register(vcpu, 4, SS_CR4_BASE | (program->cr == 4 ? program->start : 0));
	}
	if (rc == 0)
		guest_span_write(page, 0, program, sizeof(*program));
	turn->monitor_before = exits(vcpu, LEVEL_MONITOR);
	turn->vmm_before = exits(vcpu, LEVEL_VMM);
	return rc;
}

static int step(struct differential *run, struct vcpu *vcpu, bool *ret_more)
{
	struct differential_turn *turn = &run->turns[vcpu->vm->index];
	const struct guest_access access = {vcpu, 0, VIEW_READ | VIEW_WRITE};
	uint64_t at = boot_vcpu_page(vcpu->index).v + offsetof(struct ss_vcpu_page, program);
	struct ss_program result;
	struct guest_span span;
	int rc;

	rc = guest_access(&access, at, sizeof(result), &span);
	if (rc != 0)
		return rc;
	guest_span_read(&span, 0, &result, sizeof(result));
	if (turn->running && (!run->shrinking || run->differing_vm == vcpu->vm->index))
		judge(run, turn, vcpu, &result);
	turn->running = !run->shrinking				  ? next_random(run, turn, vcpu->vm->plan)
			: run->differing_vm == vcpu->vm->index && next_smaller(run, turn);
	*ret_more = turn->running;
	if (!turn->running)
		return vcpu->vm->ops->setup(vcpu, NULL);
	return issue(turn, vcpu, &span);
}

int differential_step(struct vcpu *vcpu, bool *ret_more)
{
	struct differential *run = vcpu->vm->plan->differential;
	int rc;

	*ret_more = false;
	if (!run)
		return -ENOSYS;
	pthread_mutex_lock(&run->lock);
	rc = step(run, vcpu, ret_more);
	pthread_mutex_unlock(&run->lock);
	return rc;
}
