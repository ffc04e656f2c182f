/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/vm_create.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/base/thread.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/image_file.h"
#include "vmm/vm/pc.h"
#include "vmm/vm/vcpu.h"

#ifndef KVM_CAP_DISABLE_QUIRKS2
#define KVM_CAP_DISABLE_QUIRKS2 213
#endif
#ifndef KVM_X86_QUIRK_FIX_HYPERCALL_INSN
#define KVM_X86_QUIRK_FIX_HYPERCALL_INSN (1 << 5)
#endif

static int enable(struct vm *vm, enum host_capability id, uint32_t number, uint64_t argument,
		  struct error *error)
{
	struct kvm_enable_cap cap = {.cap = number, .args = {argument}};

	if (vm->host->capability[id] == 0 || ioctl(vm->fd, KVM_ENABLE_CAP, &cap) == 0)
		return 0;
	return error_set(error, -errno, STATUS_INTERNAL, "KVM_ENABLE_CAP %s: %s",
			 host_capability_names[id], strerror(errno));
}

struct creation {
	int kvm, fd, error;
	bool started;
	pthread_t thread;
};

static void *create(void *argument)
{
	struct creation *creation = argument;

	creation->fd = ioctl(creation->kvm, KVM_CREATE_VM, 0);
	creation->error = errno;
	return NULL;
}

/* KVM waits for other processors meanwhile, and for RCU; what there is to put into memory need not wait as well. */
static void begin_creation(struct creation *creation, const struct vm *vm)
{
	*creation = (struct creation){.kvm = vm->host->kvm};
	creation->started = vm->plan->platform == PLATFORM_PC &&
			    thread_start_helper(&creation->thread, create, creation) == 0;
}

static void end_creation(struct creation *creation)
{
	if (creation->started)
		pthread_join(creation->thread, NULL);
	else
		create(creation);
}

static int create_kvm_vm(struct vm *vm, struct error *error)
{
	struct creation creation;
	int rc = 0;

	if (vm->leader != vm) {
		vm->fd = vm->leader->fd;
		return 0;
	}
	begin_creation(&creation, vm);
	if (vm->plan->platform == PLATFORM_PC)
		rc = pc_fill_memory(vm, error);
	end_creation(&creation);
	vm->fd = creation.fd;
	if (rc != 0)
		return rc;
	if (vm->fd < 0)
		return error_set(error, -creation.error, STATUS_INTERNAL, "KVM_CREATE_VM: %s",
				 strerror(creation.error));
	/* A hypercall instruction of the other vendor then raises #UD; patched, it could loop. So do MONITOR and
	 * MWAIT of a guest whose CPUID has none, where KVM can be asked for it. */
	rc = enable(vm, HOST_CAP_disable_quirks2, KVM_CAP_DISABLE_QUIRKS2,
		    KVM_X86_QUIRK_FIX_HYPERCALL_INSN |
			    ((uint64_t)vm->host->capability[HOST_CAP_disable_quirks2] &
			     KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS),
		    error);
	if (rc == 0)
		rc = enable(vm, HOST_CAP_exit_on_emulation_failure,
			    KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1, error);
	return rc;
}

static int claim_devices(struct vm *vm)
{
	int rc;

	serial_init(&vm->serial, vm->console);
	if (vm->pc)
		return pc_claim(vm);
	vm->scratch.value = SS_MMIO_RESET;
	rc = bus_claim(&vm->ports, SS_PORT_SERIAL, SERIAL_PORTS, &serial_bus_ops, &vm->serial);
	if (rc == 0)
		rc = bus_claim(&vm->ports, SS_PORT_DEBUG, 1, &debug_console_ops, vm->console);
	if (rc == 0)
		rc = bus_claim(&vm->ports, SS_PORT_EXIT, 1, &exit_port_ops, &vm->exit_port);
	if (rc == 0)
		rc = bus_claim(&vm->mmio, SS_MMIO_GPA, 8, &scratch_register_ops, &vm->scratch);
	return rc;
}

static void fill_memory(struct vm *vm)
{
	const struct service_table *services = vm->service_table;
	const struct plan *plan = vm->plan;
	struct ss_context context = {
		.vcpu_count = plan->vcpus,
		.vm_index = vm->index,
		.view_count = (uint32_t)plan->policy.view_count,
		.iterations = plan->iterations,
		.ve_gpa = plan->has_ve ? BOOT_VE : 0,
		.flags = plan->engine->context_flags |
			 (plan->differential ? SS_CONTEXT_PROGRAMS : 0) |
			 (plan->workload ? SS_CONTEXT_WORKLOAD : 0) |
			 (plan->flag_path == FLAG_PATH_ENLIGHTENED ? SS_CONTEXT_ENLIGHTENED : 0),
	};
	const struct ss_flag_words words = vm_words(vm, NULL);

	context.services = (struct ss_service_words){
		.enabled = services->enabled,
		.cpl0 = services->cpl0,
		.home = services->home,
		.mode64 = services->mode64,
		.protected = services->protected,
		.exits = services->exits,
	};
	for (size_t i = 0; i < SS_MAX_OPERATIONS / 64; i++)
		context.selected[i] = plan->selected[i] | plan->hidden[i];
	if (plan->workload)
		memcpy(context.workload, plan->workload->pace, sizeof(context.workload));
	boot_write(&vm->ram, &context, plan->frames, plan->tagged_views);
	for (unsigned i = 0; i < plan->vcpus; i++)
		boot_write_words(&vm->ram, i, &words);
	/* The plan has checked that every segment fits, and holds all of an image that is no kernel. */
	image_load(&plan->image, &vm->ram, NULL);
}

int vm_prepare(struct vm *vm, unsigned index, const struct plan *plan, const struct host *host,
	       const struct engine_ops *ops, struct error *error)
{
	int rc;

	*vm = (struct vm){
		.index = index,
		.leader = plan->share_vcpu ? vm - index : vm,
		.slot = plan->share_vcpu ? index : 0,
		.base = plan_base(plan, index),
		.plan = plan,
		.flags = &plan->flags[index],
		.service_table = &plan->services[index],
		.host = host,
		.ops = ops,
		.fd = -1,
		.own_tss = plan->platform == PLATFORM_PC || image_loads_tss(&plan->image),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.stop_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	rc = plan->platform == PLATFORM_PC ? guest_ram_create_aligned(&vm->ram, plan->memory)
					   : guest_ram_create(&vm->ram, plan->memory);
	if (rc != 0)
		return error_set(error, rc, STATUS_USAGE,
				 "no address space for %llu MiB of guest memory; ask for less with -m",
				 (unsigned long long)plan->memory >> 20);
	if (plan->platform == PLATFORM_SIDESTEP)
		fill_memory(vm);
	vm->vcpus = calloc(plan->vcpus, sizeof(*vm->vcpus));
	if (!vm->vcpus || policy_copy(&plan->policy, &vm->policy) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	return 0;
}

int vm_create(struct vm *vm, unsigned index, const struct plan *plan, const struct host *host,
	      const struct engine_ops *ops, struct console *console, struct error *error)
{
	int rc = vm_prepare(vm, index, plan, host, ops, error);

	vm->console = console;
	if (rc == 0)
		rc = create_kvm_vm(vm, error);
	if (rc == 0 && plan->platform == PLATFORM_PC)
		rc = pc_create(vm, error);
	if (rc != 0)
		return rc;
	rc = claim_devices(vm);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "device ranges overlap");
	rc = ops->vm_init(vm, error);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < plan->vcpus; i++) {
		vm->vcpus_created = i + 1;
		rc = vcpu_create(&vm->vcpus[i], vm, i, error);
		if (rc == 0)
			rc = ops->vcpu_init(&vm->vcpus[i], error);
		if (rc != 0)
			return rc;
	}
	vm->tsc_khz = vcpu_tsc_khz(&vm->vcpus[0]);
	if (vm->pc)
		pc_start_clock(vm, vm->tsc_khz);
	else
		boot_write_frequency(&vm->ram, vm->tsc_khz);
	return 0;
}

void vm_destroy(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus_created; i++)
		vcpu_destroy(&vm->vcpus[i]);
	free(vm->vcpus);
	if (vm->ops)
		vm->ops->vm_finish(vm);
	if (vm->fd >= 0 && vm->leader == vm)
		close(vm->fd);
	pc_destroy(vm);
	guest_ram_destroy(&vm->ram);
	policy_finish(&vm->policy);
	pthread_mutex_destroy(&vm->lock);
	pthread_mutex_destroy(&vm->stop_lock);
	*vm = (struct vm){.fd = -1};
}
