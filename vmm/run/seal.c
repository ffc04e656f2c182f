/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/seal.h"

#include <stdlib.h>
#include <unistd.h>

#include "vmm/base/libraries.h"
#include "vmm/base/stream.h"
#include "vmm/observe/recorder.h"
#include "vmm/service/services.h"
#include "vmm/vm/pc.h"

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
static unsigned kind_of_run(const struct seal *seal)
{
	static const unsigned kinds[ENGINE_COUNT] = {
		[ENGINE_FLAT] = JAIL_WHEN_FLAT,
		[ENGINE_VMX] = JAIL_WHEN_VMX,
		[ENGINE_SVM] = JAIL_WHEN_SVM,
	};

	return kinds[seal->plan->engine->id] | (seal->plan->platform == PLATFORM_PC ? JAIL_WHEN_PC : 0) |
	       (seal->plan->image.format == IMAGE_MULTIBOOT ? JAIL_WHEN_TESTED : 0);
}

static void set_ledger(struct jail_thread *thread, const struct seal *seal)
{
	if (seal->ledger_fd < 0)
		return;
	thread->subject[JAIL_SUBJECT_LEDGER] = seal->ledger_fd;
	thread->size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
}

/* What the guest of a VM may write there. */
static uint64_t disk_size(const struct vm *vm)
{
	return vm->services->disk.read_only ? 0 : vm->services->disk.sectors * SS_DISK_SECTOR_SIZE;
}

/* The kernel has one limit for all files; who may write to which, and where, is in the lists. */
static uint64_t largest_file(const struct seal *seal, const struct vm *vms, unsigned count)
{
	uint64_t size = seal->ledger_fd >= 0 ? LEDGER_FILE_MAX : 0;

	for (unsigned i = 0; i < count; i++)
		if (disk_size(&vms[i]) > size)
			size = disk_size(&vms[i]);
	return size;
}

void seal_vcpu(struct seal *seal, const struct vcpu *vcpu)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_VCPU, seal->mode);
	const struct disk *disk = &vcpu->vm->services->disk;
	struct error error = {0};

	thread.when |= kind_of_run(seal);
	if (vcpu->vm->plan->share_vcpu)
		thread.when |= JAIL_WHEN_SHARED;
	thread.subject[JAIL_SUBJECT_VCPU] = vcpu->fd;
	thread.subject[JAIL_SUBJECT_VM] = vcpu->vm->fd;
	thread.subject[JAIL_SUBJECT_STATS] = recorder_stats_fd(vcpu->recorder);
	thread.subject[JAIL_SUBJECT_TRACE] = recorder_trace_fd(vcpu->recorder);
	if (disk->sectors > 0)
		thread.subject[JAIL_SUBJECT_DISK] = disk->fd;
	thread.size[JAIL_SUBJECT_DISK] = disk_size(vcpu->vm);
	thread.subject[JAIL_SUBJECT_CONSOLE] = seal->console_fd;
	if (vcpu->vm->pc)
		thread.subject[JAIL_SUBJECT_IRQ] = vcpu->vm->pc->serial_irq;
	thread.subject[JAIL_SUBJECT_DONE] = seal->done_fd;
	set_ledger(&thread, seal);
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

/* What it asks the system for when it is first used. */
void seal_prepare_sorting(void)
{
	/* Two of a size that qsort() has no room for on the stack. */
	char large[2][1024] = {""};

	qsort(large, 2, sizeof(large[0]), equal); /* how much memory there is */
}

static int seal_self(struct seal *seal, const struct vm *vms, unsigned count, int signal_fd,
		     struct error *error)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_MAIN, seal->mode);
	const struct output *output = seal->output;

	thread.when |= kind_of_run(seal);
	thread.subject[JAIL_SUBJECT_SIGNAL] = signal_fd;
	thread.subject[JAIL_SUBJECT_DONE] = seal->done_fd;
	thread.subject[JAIL_SUBJECT_STDERR] = STDERR_FILENO;
	thread.subject[JAIL_SUBJECT_SELF] = getpid();
	if (output && output->stream)
		thread.subject[JAIL_SUBJECT_OUTPUT] = stream_fd(output->stream);
	if (output && output->writer.pid > 0) {
		thread.subject[JAIL_SUBJECT_VERDICT] = output->writer.verdict;
		thread.subject[JAIL_SUBJECT_WRITER] = output->writer.pid;
	}
	if (seal->remover > 0)
		thread.subject[JAIL_SUBJECT_REMOVER] = seal->remover;
	/* What is typed goes to the first VM. */
	if (vms[0].pc)
		thread.subject[JAIL_SUBJECT_IRQ] = vms[0].pc->serial_irq;
	if (seal->watched) {
		thread.when |= JAIL_WHEN_WATCHED;
		thread.subject[JAIL_SUBJECT_KEYS] = seal->keys_fd;
	}
	set_ledger(&thread, seal);
	thread.limits = true;
	thread.file_size = largest_file(seal, vms, count);
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

int seal_main(struct seal *seal, const struct vm *vms, unsigned count, int signal_fd, struct error *error)
{
	int rc;

	if (seal->mode == JAIL_NONE)
		return 0;
	/* For accesses that a vCPU's thread performs or refuses: any guest may come to that. */
	rc = library_open(LIBRARY_Zydis, error);
	if (rc != 0)
		return rc;
	seal_prepare_sorting();
	if (seal->watched)
		startup_keep(&seal->inherited, seal->keys_fd);
	startup_close(&seal->inherited);
	return seal_self(seal, vms, count, signal_fd, error);
}

void seal_open(struct seal *seal)
{
	pthread_mutex_unlock(&seal->gate);
}
