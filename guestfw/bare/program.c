/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random programs, as vmm/service/differential.c runs them elsewhere: generated here, performed by the guest, and held
 * against the reference model, which is linked with the monitor. The first that differs ends the run.
 */
#include "bare.h"
#include "console.h"
#include "memory.h"
#include "views/policy.h"
#include "views/program.h"

#define EFAULT 14
#define ENOSYS 38
#define STEPS 32
#define PROGRESS 1000

/* The program that the guest has, and what had exited before it. */
static struct ss_program program;
static uint64_t next_program, current, monitor_before, vmm_before;
static int running;

static struct expect_environment environment(void)
{
	return (struct expect_environment){
		.engine = (enum engine_id)bare.plan->engine,
		.backend = HOST_BACKEND_BARE,
		.embodiment = (enum ss_embodiment)bare.plan->embodiment,
		.on_ask = (enum flags_on_ask)bare.plan->on_ask,
	};
}

static void say_number(const char *text, uint64_t value)
{
	console_text(text);
	console_hex(value);
}

__attribute__((noreturn)) static void differs(struct relay_vcpu *vcpu, const char *what, uint64_t step,
					      uint64_t seen, uint64_t wanted)
{
	guest_text_end();
	console_text("sidestep: program ");
	console_decimal(current);
	console_text(" of seed ");
	console_decimal(bare.plan->seed);
	console_text(what);
	if (step)
		console_decimal(step);
	say_number(": ", seen);
	say_number(", the model says ", wanted);
	console_put('\n');
	bare_stop(vcpu, STOP_GUEST, 1,
		  "a program differs from the model; `sidestep test --random` shrinks it where there is KVM");
}

/* The request that brought the program has exited since, to the relay and from there on. */
static void judge(struct relay_vcpu *vcpu, const struct ss_program *result)
{
	const struct expect_environment surroundings = environment();
	const uint64_t monitor = bare_vcpu_of(vcpu)->exits[LEVEL_MONITOR] - monitor_before - 1;
	const uint64_t vmm = bare_vcpu_of(vcpu)->exits[LEVEL_VMM] - vmm_before - 1;
	struct program_prediction wanted;

	program_predict(&surroundings, &program, &wanted);
	for (uint32_t i = 0; i < program.count; i++)
		if (result->seen[i] != wanted.seen[i])
			differs(vcpu, ", step ", i + 1, result->seen[i], wanted.seen[i]);
	if (monitor != wanted.monitor)
		differs(vcpu, ", exits to the monitor", 0, monitor, wanted.monitor);
	if (vmm != wanted.vmm)
		differs(vcpu, ", exits that the relay passed on", 0, vmm, wanted.vmm);
}

static int generate(void)
{
	current = next_program * bare.plan->shards + bare.plan->shard;
	if (current >= bare.plan->programs)
		return 0;
	/* For whoever waits. */
	if (++next_program % PROGRESS == 0)
		console_put('.');
	program_generate(bare.plan->seed, current, (enum program_masks)bare.plan->program_masks, false, STEPS, &program);
	/* Without a mask no write of SVM is intercepted, and where a processor raises #GP for an illegal value QEMU's
	 * translator has an #VMEXIT, or takes it (target/i386/tcg/sysemu/misc_helper.c, helper_write_crN). */
	if (bare.plan->engine == ENGINE_SVM && program.masked == 0)
		for (uint32_t i = 0; i < program.count; i++)
			program.steps[i].inverted = 0;
	return 1;
}

static void issue(struct relay_vcpu *vcpu, struct ss_program *page)
{
	const struct bare_setup *setups = bare_part(bare.plan, bare_guest_plan_of(vcpu)->program_setups);

	bare_set_up(vcpu, &setups[bare_program_setup(&program)]);
	vendor_load_register(vcpu, 0, SS_CR0_BASE | (program.cr == 4 ? 0 : program.start));
	vendor_load_register(vcpu, 4, SS_CR4_BASE | (program.cr == 4 ? program.start : 0));
	memcpy(page, &program, sizeof(program));
	monitor_before = bare_vcpu_of(vcpu)->exits[LEVEL_MONITOR];
	vmm_before = bare_vcpu_of(vcpu)->exits[LEVEL_VMM];
}

static void tell_all(void)
{
	guest_text_end();
	if (next_program >= PROGRESS)
		console_put('\n');
	console_text("sidestep: programs performed: ");
	console_decimal(next_program);
	console_text(", no difference from the model\n");
}

int program_step(struct relay_vcpu *vcpu, uint64_t *ret_more)
{
	const uint64_t at = bare_page(vcpu, __builtin_offsetof(struct ss_vcpu_page, program));
	struct ss_program *page = bare_guest(vcpu, at, sizeof(*page), VIEW_READ | VIEW_WRITE);

	if (bare.plan->programs == 0)
		return -ENOSYS;
	if (!page)
		return -EFAULT;
	if (running)
		judge(vcpu, page);
	running = generate();
	*ret_more = running != 0;
	if (running) {
		issue(vcpu, page);
		return 0;
	}
	bare_set_up(vcpu, bare_setup_of(vcpu, 0));
	tell_all();
	return 0;
}
