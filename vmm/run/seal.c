/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/seal.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/base/stream.h"
#include "vmm/run/machine.h"

void seal_init(struct seal *seal, enum jail_mode mode, const struct output *output)
{
	*seal = (struct seal){
		.mode = mode,
		.output = output,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.arrived = PTHREAD_COND_INITIALIZER,
		.gate = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_mutex_lock(&seal->gate);
}

void seal_finish(struct seal *seal)
{
	startup_finish(&seal->inherited);
	pthread_mutex_destroy(&seal->gate);
	pthread_cond_destroy(&seal->arrived);
	pthread_mutex_destroy(&seal->lock);
}

/* What this run is, for the column WHEN of jail.def. */
static unsigned kind_of_run(const struct machine *machine)
{
	static const unsigned kinds[ENGINE_COUNT] = {
		[ENGINE_FLAT] = JAIL_WHEN_FLAT,
		[ENGINE_VMX] = JAIL_WHEN_VMX,
		[ENGINE_SVM] = JAIL_WHEN_SVM,
	};

	return kinds[machine->plan->engine->id];
}

static void set_ledger(struct jail_thread *thread, const struct machine *machine)
{
	if (!machine->ledger_kept)
		return;
	thread->subject[JAIL_SUBJECT_LEDGER] = machine->ledger.fd;
	thread->size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
}

/* What the guest of a VM may write there. */
static uint64_t disk_size(const struct vm *vm)
{
	return vm->disk.read_only ? 0 : vm->disk.sectors * SS_DISK_SECTOR_SIZE;
}

/* The kernel has one limit for all files; who may write to which, and where, is in the lists. */
static uint64_t largest_file(const struct machine *machine)
{
	uint64_t size = machine->ledger_kept ? LEDGER_FILE_MAX : 0;

	for (unsigned i = 0; i < machine->vms_created; i++)
		if (disk_size(&machine->vms[i]) > size)
			size = disk_size(&machine->vms[i]);
	return size;
}

void seal_vcpu(struct machine *machine, const struct vcpu *vcpu)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_VCPU, machine->seal.mode);
	struct seal *seal = &machine->seal;
	struct error error = {0};

	thread.when |= kind_of_run(machine);
	thread.subject[JAIL_SUBJECT_VCPU] = vcpu->fd;
	thread.subject[JAIL_SUBJECT_VM] = vcpu->vm->fd;
	thread.subject[JAIL_SUBJECT_STATS] = vcpu->stats.fd;
	thread.subject[JAIL_SUBJECT_TRACE] = vcpu->trace.leader;
	if (vcpu->vm->disk.sectors > 0)
		thread.subject[JAIL_SUBJECT_DISK] = vcpu->vm->disk.fd;
	thread.size[JAIL_SUBJECT_DISK] = disk_size(vcpu->vm);
	thread.subject[JAIL_SUBJECT_CONSOLE] = machine->console.fd;
	thread.subject[JAIL_SUBJECT_DONE] = machine->done_fd;
	set_ledger(&thread, machine);
	if (jail_enter(&thread, &error) != 0)
		vm_stop(vcpu->vm, STOP_HOST, error.status, "%s", error.text);
	pthread_mutex_lock(&seal->lock);
	if (error.text[0] && !seal->error.text[0])
		seal->error = error;
	seal->waiting++;
	pthread_cond_signal(&seal->arrived);
	pthread_mutex_unlock(&seal->lock);
	/* Nothing but a lock: the list has no call to wait for anything else. */
	pthread_mutex_lock(&seal->gate);
	pthread_mutex_unlock(&seal->gate);
}

static int equal(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* What libraries ask the system for when they are first used. */
static void prepare_libraries(void)
{
	char many[4096] = "";

	json_object_seed(0); /* /dev/urandom */
	qsort(many, sizeof(many), 1, equal); /* how much memory there is */
}

static int seal_self(struct machine *machine, int signal_fd, struct error *error)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_MAIN, machine->seal.mode);
	const struct output *output = machine->seal.output;

	thread.when |= kind_of_run(machine);
	thread.subject[JAIL_SUBJECT_SIGNAL] = signal_fd;
	thread.subject[JAIL_SUBJECT_DONE] = machine->done_fd;
	thread.subject[JAIL_SUBJECT_STDERR] = STDERR_FILENO;
	thread.subject[JAIL_SUBJECT_SELF] = getpid();
	if (output && output->stream)
		thread.subject[JAIL_SUBJECT_OUTPUT] = stream_fd(output->stream);
	if (output && output->writer.pid > 0) {
		thread.subject[JAIL_SUBJECT_VERDICT] = output->writer.verdict;
		thread.subject[JAIL_SUBJECT_WRITER] = output->writer.pid;
	}
	if (machine->pid_file.remover.pid > 0)
		thread.subject[JAIL_SUBJECT_REMOVER] = machine->pid_file.remover.pid;
	if (machine->watch) {
		thread.when |= JAIL_WHEN_WATCHED;
		thread.subject[JAIL_SUBJECT_KEYS] = machine->watch->fd;
	}
	set_ledger(&thread, machine);
	thread.limits = true;
	thread.file_size = largest_file(machine);
	return jail_enter(&thread, error);
}

int seal_await(struct seal *seal, unsigned threads, struct error *error)
{
	pthread_mutex_lock(&seal->lock);
	while (seal->waiting < threads)
		pthread_cond_wait(&seal->arrived, &seal->lock);
	pthread_mutex_unlock(&seal->lock);
	if (seal->error.text[0])
		return error_set(error, -EPERM, seal->error.status, "%s", seal->error.text);
	return 0;
}

int seal_main(struct machine *machine, int signal_fd, struct error *error)
{
	struct seal *seal = &machine->seal;

	if (seal->mode == JAIL_NONE)
		return 0;
	prepare_libraries();
	if (machine->watch)
		startup_keep(&seal->inherited, machine->watch->fd);
	startup_close(&seal->inherited);
	return seal_self(machine, signal_fd, error);
}

void seal_open(struct seal *seal)
{
	pthread_mutex_unlock(&seal->gate);
}
