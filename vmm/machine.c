/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "code_note.h"
#include "pin.h"
#include "run.h"
#include "vcpu.h"

#define PROGRESS_MS 100
#define KICK_AGAIN_MS 10
#define SIGNAL_STATUS 128

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
	const struct image *image = &machine->plan->image;
	struct ledger *ledger = &machine->ledger;
	char number[24];

	ledger_append_meta(ledger, "engine", engine_keys[machine->plan->engine->id]);
	ledger_append_meta(ledger, "backend", host_backend_keys[machine->host->backend]);
	ledger_append_meta(ledger, "kernel", machine->host->kernel);
	ledger_append_meta(ledger, "guest", machine->plan->guest ? machine->plan->guest : "built-in");
	ledger_append_meta(ledger, "sidestep", SIDESTEP_VERSION);
	snprintf(number, sizeof(number), "%u", machine->plan->vcpus);
	ledger_append_meta(ledger, "vcpus", number);
	snprintf(number, sizeof(number), "%u", machine->plan->vms);
	ledger_append_meta(ledger, "vms", number);
	ledger_append_meta(ledger, "seccomp", jail_mode_keys[machine->plan->jail]);
	ledger_append_meta(ledger, "landlock", machine->host->landlock);
	if (jail_instrumented)
		ledger_append_meta(ledger, "instrumented", jail_instrumented);
	for (size_t i = 0; i < machine->plan->policy.view_count; i++) {
		char key[32];

		snprintf(key, sizeof(key), "view.%zu", i);
		ledger_append_meta(ledger, key, machine->plan->policy.views[i].name);
	}
	for (unsigned i = 0; i < machine->plan->vms; i++)
		for (unsigned j = 0; j < machine->plan->vcpus; j++)
			describe_clock(machine, &machine->vms[i].vcpus[j]);
	for (size_t i = 0; i < image->operation_count; i++) {
		struct record_operation record = {
			.record = {.type = RECORD_OPERATION, .size = sizeof(record)},
			.number = (uint32_t)i + 1,
			.kind = image->operations[i].kind,
		};

		memcpy(record.name, image->operations[i].name, sizeof(record.name));
		ledger_append(ledger, &record.record);
	}
}

static int record_all(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];

		vm->ledger = &machine->ledger;
		for (unsigned j = 0; j < vm->vcpus_created; j++) {
			int rc = code_note_init(&vm->vcpus[j]);

			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

int machine_create(struct machine *machine, const struct plan *plan, const struct host *host,
		   int console_fd, const struct output *output, struct error *error)
{
	int rc;

	*machine = (struct machine){
		.plan = plan, .host = host, .done_fd = -1, .ledger = {.fd = -1}};
	seal_init(&machine->seal, plan->jail, output);
	console_init(&machine->console, console_fd, CONSOLE_LIMIT);
	machine->console.stop = &machine->ending;
	machine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->vms = calloc(plan->vms, sizeof(*machine->vms));
	machine->summary = summary_create();
	if (machine->done_fd < 0 || !machine->vms || !machine->summary)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory or descriptors");
	for (unsigned i = 0; i < plan->vms; i++) {
		machine->vms_created = i + 1;
		rc = vm_create(&machine->vms[i], i, plan, host, &machine->console, error);
		if (rc != 0)
			return rc;
	}
	rc = run_install_kick();
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "sigaction: %s", strerror(-rc));
	if (plan->ledger) {
		int khz = ioctl(machine->vms[0].vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

		rc = ledger_create(&machine->ledger, plan->ledger, khz > 0 ? (uint64_t)khz : 0,
				   error);
		if (rc != 0)
			return rc;
		machine->ledger_kept = true;
		describe_run(machine);
		rc = record_all(machine);
		if (rc != 0)
			return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	}
	return 0;
}

struct thread_start {
	struct machine *machine;
	struct vcpu *vcpu;
};

/* Shown by top, perf and gdb. */
static void name_thread(const struct vcpu *vcpu)
{
	char name[16];

	if (vcpu->vm->plan->vms == 1)
		snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	else
		snprintf(name, sizeof(name), "vm%u-vcpu%u", vcpu->vm->index, vcpu->index);
	pthread_setname_np(pthread_self(), name);
}

static void *vcpu_thread(void *argument)
{
	struct thread_start *start = argument;
	struct vcpu *vcpu = start->vcpu;
	struct machine *machine = start->machine;
	char reason[sizeof(machine->trace_missing)] = "";

	free(start);
	name_thread(vcpu);
	/* Not being permitted leaves the other sources; the report names what is missing. */
	if (machine->plan->trace && trace_open(&vcpu->trace, reason, sizeof(reason)) == 0 &&
	    vcpu == &machine->vms[0].vcpus[0])
		memcpy(machine->trace_missing, reason, sizeof(reason));
	seal_vcpu(machine, vcpu);
	run_vcpu(vcpu);
	atomic_store(&vcpu->finished, true);
	eventfd_write(machine->done_fd, 1);
	return NULL;
}

static int start_thread(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	struct thread_start *start = malloc(sizeof(*start));
	int rc;

	if (!start)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	*start = (struct thread_start){machine, vcpu};
	rc = pthread_create(&vcpu->thread, NULL, vcpu_thread, start);
	if (rc != 0) {
		free(start);
		return error_set(error, -rc, STATUS_INTERNAL, "pthread_create: %s", strerror(rc));
	}
	vcpu->thread_started = true;
	return 0;
}

typedef void vcpu_fn(struct vcpu *vcpu);

static void for_each_vcpu(struct machine *machine, vcpu_fn *function)
{
	for (unsigned i = 0; i < machine->vms_created; i++)
		for (unsigned j = 0; j < machine->vms[i].vcpus_created; j++)
			function(&machine->vms[i].vcpus[j]);
}

static bool running(const struct vcpu *vcpu)
{
	return vcpu->thread_started && !atomic_load(&vcpu->finished);
}

static bool vm_running(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus_created; i++)
		if (running(&vm->vcpus[i]))
			return true;
	return false;
}

/* Returns whether any vCPU still runs; *ret_ending tells that one of them is to end. */
static bool any_running(const struct machine *machine, bool *ret_ending)
{
	bool any = false;

	*ret_ending = false;
	for (unsigned i = 0; i < machine->vms_created; i++) {
		const struct vm *vm = &machine->vms[i];

		if (!vm_running(vm))
			continue;
		any = true;
		*ret_ending |= atomic_load(&vm->stop);
	}
	return any;
}

static void kick_if_ending(struct vcpu *vcpu)
{
	if (running(vcpu) && atomic_load(&vcpu->vm->stop))
		pthread_kill(vcpu->thread, RUN_KICK_SIGNAL);
}

static void stop_all(struct machine *machine, enum stop_cause cause, int status, const char *text)
{
	atomic_store(&machine->ending, true);
	for (unsigned i = 0; i < machine->vms_created; i++)
		if (vm_running(&machine->vms[i]))
			vm_stop(&machine->vms[i], cause, status, "%s", text);
}

static void show_progress(const struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vms[0].vcpus[0];
	const struct image *image = &machine->plan->image;
	uint32_t operation = vcpu_operation(vcpu);

	if (operation != 0)
		fprintf(stderr, "\r\033[K[%u/%zu] %s", operation, image->operation_count,
			image_operation_name(image, operation));
}

static void take_signal(struct machine *machine, int signal_fd)
{
	struct signalfd_siginfo info;
	char text[64];

	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	machine->signal = (int)info.ssi_signo;
	snprintf(text, sizeof(text), "ended by signal %d (%s)", machine->signal,
		 strsignal(machine->signal));
	stop_all(machine, STOP_SIGNAL, SIGNAL_STATUS + machine->signal, text);
}

static void time_out(struct machine *machine)
{
	char text[64];

	snprintf(text, sizeof(text), "timeout after %g s", machine->plan->timeout_ms / 1000.0);
	stop_all(machine, STOP_TIMEOUT, STATUS_TIMEOUT, text);
}

/* How long to sleep at most, in ms; -1: until something happens. */
static int patience(bool ending, bool progress)
{
	return ending ? KICK_AGAIN_MS : progress ? PROGRESS_MS : -1;
}

/* Waits until every thread has ended. A kick is repeated: it may find its thread in a write to a
 * full pipe rather than in KVM_RUN. */
static void supervise(struct machine *machine, int signal_fd, int timer_fd, bool progress)
{
	struct pollfd fds[] = {
		{signal_fd, POLLIN, 0}, {machine->done_fd, POLLIN, 0}, {timer_fd, POLLIN, 0}};
	bool ending;

	while (any_running(machine, &ending)) {
		eventfd_t ended;

		if (ending)
			for_each_vcpu(machine, kick_if_ending);
		if (poll(fds, 3, patience(ending, progress)) > 0) {
			if (fds[0].revents)
				take_signal(machine, signal_fd);
			if (fds[2].revents) {
				time_out(machine);
				fds[2].fd = -1;
			}
		}
		eventfd_read(machine->done_fd, &ended);
		if (progress)
			show_progress(machine);
	}
	if (progress)
		fputs("\r\033[K", stderr);
}

static void join(struct vcpu *vcpu)
{
	if (vcpu->thread_started)
		pthread_join(vcpu->thread, NULL);
	vcpu->thread_started = false;
	if (vcpu->vm->plan->engine->drain)
		vcpu->vm->plan->engine->drain(vcpu);
}

/* Buffers belong to a VM: they are given back when none of its vCPUs runs any more. */
static void join_and_merge(struct machine *machine)
{
	for_each_vcpu(machine, join);
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];

		pin_release_all(vm);
		for (unsigned j = 0; j < vm->vcpus_created; j++)
			summary_merge(machine->summary, vm->vcpus[j].summary);
	}
}

/* A VM that was ended from outside: say where it was. */
static void add_position(struct vm *vm)
{
	size_t used = strlen(vm->why.text);

	if (vm->why.cause == STOP_TIMEOUT || vm->why.cause == STOP_SIGNAL)
		snprintf(vm->why.text + used, sizeof(vm->why.text) - used, "; %.180s",
			 vm->vcpus[0].where);
}

/* The end that matters most: a failure of the host, then the first VM with a bad status. */
static void conclude(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];
		struct record_end record = {
			.record = {.type = RECORD_END, .size = sizeof(record), .vm = (uint8_t)i},
		};

		add_position(vm);
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
	for (unsigned i = 0; i < machine->vms_created; i++) {
		struct vm *vm = &machine->vms[i];

		for (unsigned j = 0; j < vm->vcpus_created; j++) {
			int rc = start_thread(machine, &vm->vcpus[j], error);

			if (rc != 0)
				return rc;
			(*ret_started)++;
		}
	}
	return 0;
}

/* The run's time, as a descriptor: what waits for it needs no clock. -1: failed, with errno. */
static int start_timer(unsigned timeout_ms)
{
	const struct itimerspec time = {
		.it_value = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L},
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0 && timerfd_settime(fd, 0, &time, NULL) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int run_threads(struct machine *machine, const sigset_t *signals, bool progress,
		       struct error *error)
{
	int signal_fd = signalfd(-1, signals, SFD_CLOEXEC), rc = 0;
	int timer_fd = start_timer(machine->plan->timeout_ms);
	unsigned started = 0;

	if (signal_fd < 0 || timer_fd < 0)
		rc = error_set(error, -errno, STATUS_INTERNAL, "signalfd or timerfd: %s",
			       strerror(errno));
	if (rc == 0)
		rc = start_all(machine, &started, error);
	if (rc == 0)
		rc = seal_main(machine, started, signal_fd, error);
	if (rc != 0)
		stop_all(machine, STOP_HOST, STATUS_INTERNAL, "not every vCPU thread could start");
	seal_open(&machine->seal);
	supervise(machine, signal_fd, timer_fd, progress);
	join_and_merge(machine);
	conclude(machine);
	if (signal_fd >= 0)
		close(signal_fd);
	if (timer_fd >= 0)
		close(timer_fd);
	return rc;
}

int machine_run(struct machine *machine, bool progress, struct error *error)
{
	sigset_t handled, blocked, before;
	int rc;

	sigemptyset(&handled);
	sigaddset(&handled, SIGINT);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGHUP);
	blocked = handled;
	sigaddset(&blocked, RUN_KICK_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	rc = run_threads(machine, &handled, progress, error);
	/* This thread never handles a kick. */
	sigaddset(&before, RUN_KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* With signals allowed again: this may wait for a reader. */
	console_flush(&machine->console);
	return rc;
}

void machine_destroy(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vms_created; i++)
		vm_destroy(&machine->vms[i]);
	free(machine->vms);
	seal_finish(&machine->seal);
	if (machine->ledger_kept)
		ledger_close(&machine->ledger);
	if (machine->done_fd >= 0)
		close(machine->done_fd);
	summary_destroy(machine->summary);
	console_finish(&machine->console);
	*machine = (struct machine){.done_fd = -1, .ledger = {.fd = -1}};
}
