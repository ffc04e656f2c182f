/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/machine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <x86intrin.h>

#include "vmm/base/progress.h"
#include "vmm/emulate/guest_code.h"
#include "vmm/engine/engines.h"
#include "vmm/observe/recorder.h"
#include "vmm/observe/run_description.h"
#include "vmm/run/deadline.h"
#include "vmm/run/run_loop.h"
#include "vmm/run/share.h"
#include "vmm/service/attach.h"
#include "vmm/service/pin.h"
#include "vmm/vm/vcpu.h"
#include "vmm/vm/vm_create.h"

#define PROGRESS_MS 100
#define KICK_AGAIN_MS 10
#define HALT_LOOK_MS 1000 /* how often to look whether a vCPU that KVM keeps has halted for good */
#define TSC_KHZ_UNKNOWN 1000000 /* KVM does not say it: a guess, for when to look again */

static void describe_clock(struct machine *machine, struct vcpu *vcpu)
{
	char key[48], value[24];
	int64_t offset;

	/* Without it the records of the relay cannot be put beside those of the VMM in time. */
	if (vcpu_tsc_offset(vcpu, &offset) != 0)
		return;
	snprintf(key, sizeof(key), "tsc_offset.%u.%u", vcpu->vm->index, vcpu->index);
	snprintf(value, sizeof(value), "%lld", (long long)offset);
	ledger_append_meta(&machine->ledger, key, value);
}

static void describe_run(struct machine *machine)
{
	run_describe(machine->plan, machine->host, &machine->ledger);
	for (unsigned i = 0; i < machine->plan->vms; i++)
		for (unsigned j = 0; j < machine->plan->vcpus; j++)
			describe_clock(machine, &machine->vms[i].vcpus[j]);
}

static int record_all(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];

		for (unsigned j = 0; j < vm->vcpus_created; j++) {
			int rc = recorder_keep(vm->vcpus[j].recorder, &machine->ledger, guest_code_fetch,
					       &vm->vcpus[j]);

			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

/* What is recorded when the run is over: of each VM its end, and the buffers that are given back then; and
 * samples.lost and tracing.blind, and lines of source. */
#define LAST_OF_VM (sizeof(struct record_end) + PINS_MAX * sizeof(struct record_pin))
#define LAST_OF_RUN (128 + VIOLATION_SOURCES_MAX * sizeof(struct record_source))
_Static_assert(PLAN_VMS_MAX * LAST_OF_VM + LAST_OF_RUN <= LEDGER_RESERVE_MAX, "there is room for all");

/* Signals that end a run are held back as soon as there is a ledger: a run that has one ends with its last record. */
static void hold_signals(struct machine *machine, sigset_t *ret_held)
{
	sigemptyset(ret_held);
	sigaddset(ret_held, SIGINT);
	sigaddset(ret_held, SIGTERM);
	sigaddset(ret_held, SIGHUP);
	if (machine->plan->timeout_ms)
		sigaddset(ret_held, SIGALRM);
	if (machine->watch)
		machine->watch->signals(ret_held);
	startup_leave_out_ignored(ret_held);
	pthread_sigmask(SIG_BLOCK, ret_held, machine->signals_held ? NULL : &machine->mask);
	machine->signals_held = true;
}

static void release_signals(struct machine *machine)
{
	if (machine->signals_held)
		pthread_sigmask(SIG_SETMASK, &machine->mask, NULL);
	machine->signals_held = false;
}

static int begin_ledger(struct machine *machine, struct error *error)
{
	const struct plan *plan = machine->plan;
	struct ledger *ledger = &machine->ledger;
	sigset_t held;
	int rc;

	hold_signals(machine, &held);
	rc = ledger_create(ledger, plan->ledger, machine->vms[0].tsc_khz, error);
	if (rc != 0)
		return rc;
	ledger_reserve(ledger, plan->vms * LAST_OF_VM + LAST_OF_RUN);
	describe_run(machine);
	if (ledger->error != 0)
		return ledger_refuse(ledger, error);
	rc = record_all(machine);
	if (rc != 0) {
		ledger_discard(ledger);
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	}
	ledger->wake_fd = machine->done_fd;
	machine->ledger_kept = true;
	return 0;
}

/* In the thread of a vCPU: what it could not print concerns the main thread. */
static void wake(void *opaque)
{
	eventfd_write(((struct machine *)opaque)->done_fd, 1);
}

int machine_create(struct machine *machine, const struct plan *plan, const struct host *host,
		   int console_fd, const struct output *output, struct error *error)
{
	int rc;

	*machine = (struct machine){
		.plan = plan, .host = host, .done_fd = -1, .ledger = {.fd = -1}, .tracing = {.awaited = -1, .fd = -1}};
	seal_init(&machine->seal, plan->jail, output);
	console_init(&machine->console, console_fd, plan->platform == PLATFORM_PC ? CONSOLE_LIMIT_KERNEL : CONSOLE_LIMIT);
	machine->console.lines_end_in_cr = plan->platform == PLATFORM_PC;
	machine->console.stop = &machine->ending;
	machine->console.failed = wake;
	machine->console.opaque = machine;
	output_readers_note(&machine->readers, &machine->console, output);
	machine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->vms = calloc(plan->vms, sizeof(*machine->vms));
	machine->thread_count = plan->share_vcpu ? 1 : plan->vms * plan->vcpus;
	machine->threads = calloc(machine->thread_count, sizeof(*machine->threads));
	machine->summary = summary_create();
	machine->vm_summaries = plan->vms > 1 ? summaries_create(plan->vms) : NULL;
	if (machine->done_fd < 0 || !machine->vms || !machine->threads || !machine->summary ||
	    (plan->vms > 1 && !machine->vm_summaries) || tracing_create(&machine->tracing, plan, host) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory or descriptors");
	for (unsigned i = 0; i < plan->vms; i++) {
		vm_plan_text(plan, i, machine->plan_texts[i]);
		machine->vms_created = i + 1;
		rc = vm_create(&machine->vms[i], i, plan, host, engine_ops(plan->engine->id),
			       &machine->console, error);
		if (rc == 0)
			rc = services_attach(&machine->vms[i], error);
		if (rc != 0)
			return rc;
	}
	machine->tsc_khz = machine->vms[0].tsc_khz ? machine->vms[0].tsc_khz : TSC_KHZ_UNKNOWN;
	rc = run_install_kick();
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "sigaction: %s", strerror(-rc));
	return plan->ledger ? begin_ledger(machine, error) : 0;
}

/* Of all VMs whose vCPU it is. */
static bool is_ending(const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < share_count(vcpu); i++)
		if (!atomic_load(&share_vcpu(vcpu, i)->vm->stop))
			return false;
	return true;
}

/* Returns whether any vCPU still runs; *ret_ending tells that one of them is to end. */
static bool any_running(const struct machine *machine, bool *ret_ending)
{
	bool any = false;

	*ret_ending = false;
	for (unsigned i = 0; i < machine->thread_count; i++) {
		const struct vcpu_thread *thread = &machine->threads[i];

		if (!vcpu_thread_running(thread))
			continue;
		any = true;
		*ret_ending |= is_ending(thread->vcpu);
	}
	return any;
}

static void kick_where(struct machine *machine, bool (*wanted)(const struct vcpu *vcpu))
{
	for (unsigned i = 0; i < machine->thread_count; i++)
		if (wanted(machine->threads[i].vcpu))
			vcpu_thread_kick(&machine->threads[i]);
}

static bool is_pressing(const struct vcpu *vcpu)
{
	return recorder_pressing(vcpu->recorder);
}

static void stop_all(struct machine *machine, enum stop_cause cause, int status, const char *text)
{
	atomic_store(&machine->ending, true);
	for (unsigned i = 0; i < machine->thread_count; i++)
		if (vcpu_thread_running(&machine->threads[i]))
			share_stop(machine->threads[i].vcpu, cause, status, text);
}

static void lose_reader(struct machine *machine)
{
	machine->signal = SIGPIPE;
	stop_all(machine, STOP_SIGNAL, STATUS_SIGNAL + SIGPIPE, "nobody reads what it writes any more");
}

bool machine_reader_gone(const struct machine *machine)
{
	return machine->why.cause == STOP_SIGNAL && machine->signal == SIGPIPE;
}

/* By the time stamp counter, which needs no system call wherever it is read. */
uint64_t machine_now(const struct machine *machine)
{
	return __rdtsc() / machine->tsc_khz;
}

static void show_progress(const struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vms[0].vcpus[0];
	const struct image *image = &machine->plan->image;
	uint32_t operation = vcpu_operation(vcpu);

	if (operation != 0)
		progress_show("[%u/%u] %s", operation, image_operations(image), image_operation_name(image, operation));
}

static void time_out(struct machine *machine)
{
	char text[64];

	snprintf(text, sizeof(text), DEADLINE_WORDS, machine->plan->timeout_ms / 1000.0);
	stop_all(machine, STOP_TIMEOUT, STATUS_TIMEOUT, text);
}

static void take_signal(struct machine *machine, int signal_fd)
{
	struct signalfd_siginfo info;
	char text[64];

	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP) {
		machine->watch->suspend();
		return;
	}
	if (info.ssi_signo == SIGALRM) {
		time_out(machine);
		return;
	}
	machine->signal = (int)info.ssi_signo;
	snprintf(text, sizeof(text), "ended by signal %d (%s)", machine->signal,
		 strsignal(machine->signal));
	stop_all(machine, STOP_SIGNAL, STATUS_SIGNAL + machine->signal, text);
}

void machine_kick(struct machine *machine)
{
	for (unsigned i = 0; i < machine->thread_count; i++)
		vcpu_thread_kick(&machine->threads[i]);
}

void machine_quit(struct machine *machine)
{
	stop_all(machine, STOP_QUIT, STATUS_SUCCESS, "ended by the one who watched it");
}

/* How long to sleep at most, in ms; -1: until something happens. */
static int patience(const struct machine *machine, bool ending, bool progress)
{
	const struct machine_watch *watch = machine->watch;
	uint64_t look = watch ? watch->due(machine, watch->opaque) : UINT64_MAX;
	uint64_t wait = UINT64_MAX, now = machine_now(machine);

	if (machine->plan->slice_ms && look > machine->slice_end)
		look = machine->slice_end;
	if (machine->plan->platform == PLATFORM_PC && look > machine->halt_look)
		look = machine->halt_look;
	if (look != UINT64_MAX)
		wait = look > now ? look - now : 0;
	if (progress && wait > PROGRESS_MS)
		wait = PROGRESS_MS;
	if (ending && wait > KICK_AGAIN_MS)
		wait = KICK_AGAIN_MS;
	if (wait == UINT64_MAX)
		return -1;
	return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

/* The slices of VMs that share a vCPU. */
static void look_at_slice(struct machine *machine)
{
	const uint64_t now = machine_now(machine);

	if (!machine->plan->slice_ms || now < machine->slice_end)
		return;
	machine->slice_end = now + machine->plan->slice_ms;
	share_tick(machine->threads[0].vcpu);
	vcpu_thread_kick(&machine->threads[0]);
}

/* A vCPU that has come out of the guest since the last time has not halted. */
static void look_for_halts(struct machine *machine)
{
	const uint64_t now = machine_now(machine);

	if (machine->plan->platform != PLATFORM_PC || now < machine->halt_look)
		return;
	machine->halt_look = now + HALT_LOOK_MS;
	for (unsigned i = 0; i < machine->thread_count; i++) {
		struct vcpu_thread *thread = &machine->threads[i];
		unsigned exits = atomic_load_explicit(&thread->vcpu->exits, memory_order_relaxed);

		if (exits == thread->exits)
			vcpu_thread_kick(thread);
		thread->exits = exits;
	}
}

/* Waits until every thread has ended. A kick is repeated: it may find its thread in a write to a
 * full pipe rather than in KVM_RUN. */
static void supervise(struct machine *machine, int signal_fd, bool progress)
{
	const struct machine_watch *watch = machine->watch;
	struct pollfd fds[] = {{signal_fd, POLLIN, 0},
			       {machine->done_fd, POLLIN, 0},
			       {machine->tracing.fd, POLLIN, 0},
			       {watch ? watch->fd : -1, POLLIN, 0},
			       {-1, 0, 0},
			       {-1, 0, 0}};
	struct pollfd *read_fds = fds + sizeof(fds) / sizeof(fds[0]) - READERS_MAX;
	bool ending;

	machine->slice_end = machine_now(machine) + machine->plan->slice_ms;
	machine->halt_look = machine_now(machine) + HALT_LOOK_MS;
	output_readers_await(&machine->readers, read_fds);
	while (any_running(machine, &ending)) {
		eventfd_t ended;

		if (ending)
			kick_where(machine, is_ending);
		fds[3].fd = watch ? watch->fd : -1;
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), patience(machine, ending, progress)) > 0) {
			if (fds[0].revents)
				take_signal(machine, signal_fd);
			/* Says so once: the next poll() looks anew whether a ring has filled (perf_poll()). */
			if (fds[2].revents)
				kick_where(machine, is_pressing);
		}
		eventfd_read(machine->done_fd, &ended);
		ledger_ahead(&machine->ledger);
		if (!atomic_load(&machine->ending) && output_readers_gone(&machine->readers, read_fds))
			lose_reader(machine);
		/* What poll() says of a reader that is gone it says again at once. */
		if (atomic_load(&machine->ending))
			output_readers_forget(read_fds);
		look_at_slice(machine);
		look_for_halts(machine);
		if (watch)
			watch->look(machine, watch->opaque);
		if (progress)
			show_progress(machine);
	}
	progress_end();
}

/* Buffers belong to a VM: they are given back when none of its vCPUs runs any more. */
static void join_and_merge(struct machine *machine)
{
	for (unsigned i = 0; i < machine->thread_count; i++)
		vcpu_thread_join(&machine->threads[i]);
	ledger_end(&machine->ledger);
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];
		struct summary *own = machine->vm_summaries ? machine->vm_summaries[i]
							    : machine->summary;

		pin_release_all(vm);
		for (unsigned j = 0; j < vm->vcpus_created; j++) {
			struct recorder *recorder = vm->vcpus[j].recorder;

			machine->tracing.lost += recorder_merge(recorder, own);
			machine->tracing.blind += (int)recorder_trace_mode(recorder) <
						  atomic_load(&machine->tracing.mode);
		}
		violation_sources_add(&machine->sources, vm, own, machine->ledger_kept ? &machine->ledger : NULL);
		if (own != machine->summary)
			summary_include(machine->summary, own);
	}
}

/* A VM that was ended from outside: say where it was. */
static void add_position(struct vm *vm, const struct vcpu_thread *first)
{
	size_t used = strlen(vm->why.text);

	if (vm->why.cause == STOP_TIMEOUT || vm->why.cause == STOP_SIGNAL)
		snprintf(vm->why.text + used, sizeof(vm->why.text) - used, "; %.180s",
			 first->where);
}

static void record_losses(struct machine *machine)
{
	char number[24];

	if (!machine->ledger_kept)
		return;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)machine->tracing.lost);
	if (machine->tracing.lost)
		ledger_append_meta(&machine->ledger, "samples.lost", number);
	snprintf(number, sizeof(number), "%u", machine->tracing.blind);
	if (machine->tracing.blind)
		ledger_append_meta(&machine->ledger, "tracing.blind", number);
}

/* The end that matters most: a failure of the host, then the first VM with a bad status. */
static void conclude(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];
		struct record_end record = {
			.record = {.type = RECORD_END, .size = sizeof(record), .vm = (uint8_t)i},
		};

		add_position(vm, &machine->threads[machine->plan->share_vcpu ? 0 : i * machine->plan->vcpus]);
		record.cause = vm->why.cause;
		record.status = vm->why.status;
		memcpy(record.text, vm->why.text, sizeof(record.text));
		if (machine->ledger_kept)
			ledger_append(&machine->ledger, &record.record);
		if (i == 0 || (machine->why.status == 0 && vm->why.status != 0) ||
		    (vm->why.cause == STOP_HOST && machine->why.cause != STOP_HOST))
			machine->why = vm->why;
	}
}

static int start_all(struct machine *machine, unsigned *ret_started, struct error *error)
{
	tracing_await_kernel(&machine->tracing);
	for (; *ret_started < machine->thread_count; (*ret_started)++) {
		int rc = vcpu_thread_start(&machine->threads[*ret_started], error);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* What the threads and the jail have to know of the run. */
static void prepare(struct machine *machine)
{
	struct seal *seal = &machine->seal;

	if (machine->plan->policy.view_count > 1 || machine->plan->views)
		machine->sources.lines = source_lines_open(&machine->plan->image);
	seal->plan = machine->plan;
	seal->console_fd = machine->console.fd;
	seal->done_fd = machine->done_fd;
	seal->ledger_fd = machine->ledger_kept ? machine->ledger.fd : -1;
	seal->watched = machine->watch;
	seal->keys_fd = machine->watch ? machine->watch->fd : -1;
	for (unsigned i = 0; i < machine->thread_count; i++)
		machine->threads[i] = (struct vcpu_thread){
			.vcpu = &machine->vms[i / machine->plan->vcpus].vcpus[i % machine->plan->vcpus],
			.tracing = &machine->tracing,
			.seal = seal,
			.done_fd = machine->done_fd,
		};
}

static int run_threads(struct machine *machine, const sigset_t *signals, bool progress,
		       struct error *error)
{
	/* SIGCONT takes back a SIGTSTP that poll() has told of. */
	int signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK), rc = 0;
	const char *pid_file = machine->plan->pid_file;
	unsigned started = 0;

	prepare(machine);
	if (signal_fd < 0)
		rc = error_set(error, -errno, STATUS_INTERNAL, "signalfd: %s", strerror(errno));
	if (rc == 0 && pid_file)
		rc = pid_file_prepare(&machine->pid_file, pid_file, machine->plan->jail, error);
	machine->seal.remover = machine->pid_file.remover.pid;
	if (rc == 0)
		rc = start_all(machine, &started, error);
	if (rc == 0)
		rc = seal_await(&machine->seal, started, error);
	if (rc == 0 && pid_file)
		rc = pid_file_write(&machine->pid_file, machine->threads, machine->thread_count, error);
	if (rc == 0)
		rc = seal_main(&machine->seal, machine->vms, machine->vms_created, signal_fd, error);
	if (rc != 0)
		stop_all(machine, STOP_HOST, error->status, error->text);
	seal_open(&machine->seal);
	supervise(machine, signal_fd, progress);
	join_and_merge(machine);
	record_losses(machine);
	pid_file_finish(&machine->pid_file);
	conclude(machine);
	if (signal_fd >= 0)
		close(signal_fd);
	return rc;
}

int machine_run(struct machine *machine, bool progress, struct error *error)
{
	sigset_t handled, kicks;
	int rc;

	hold_signals(machine, &handled);
	sigemptyset(&kicks);
	sigaddset(&kicks, KICK_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &kicks, NULL);
	rc = run_threads(machine, &handled, progress && progress_is_shown(), error);
	/* This thread never handles a kick, and time that is over after the run is none of its own. */
	sigaddset(&machine->mask, KICK_SIGNAL);
	sigaddset(&machine->mask, SIGALRM);
	/* timeout(1) sends a signal twice, to the process and to its group: that is no reason to lose the report. */
	if (machine->signal)
		sigaddset(&machine->mask, machine->signal);
	release_signals(machine);
	/* With other signals allowed again: this may wait for a reader. */
	console_flush(&machine->console);
	return rc;
}

void machine_destroy(struct machine *machine)
{
	release_signals(machine);
	for (unsigned i = 0; i < machine->vms_created; i++) {
		services_detach(&machine->vms[i]);
		vm_destroy(&machine->vms[i]);
	}
	free(machine->vms);
	free(machine->threads);
	seal_finish(&machine->seal);
	if (machine->ledger_kept)
		ledger_close(&machine->ledger);
	if (machine->done_fd >= 0)
		close(machine->done_fd);
	summary_destroy(machine->summary);
	summaries_destroy(machine->vm_summaries);
	source_lines_close(machine->sources.lines);
	tracing_destroy(&machine->tracing);
	console_finish(&machine->console);
	*machine = (struct machine){.done_fd = -1, .ledger = {.fd = -1}, .tracing = {.awaited = -1, .fd = -1}};
}
