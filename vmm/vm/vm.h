/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine and its vCPUs. */
#ifndef VMM_VM_VM_H
#define VMM_VM_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "devices/bus.h"
#include "devices/console.h"
#include "devices/ports.h"
#include "devices/serial.h"
#include "views/interrupts.h"
#include "vmm/guest/guest_ram.h"
#include "vmm/ledger/record.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/engine_ops.h"

struct stop {
	enum stop_cause cause;
	int status; /* exit status this gives */
	char text[240];
	uint64_t violation_rip; /* in the instruction whose violation it was; 0: it was none */
};

struct recorder;
struct vm;
struct pc;

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct recorder *recorder; /* takes every record; observe/recorder.h */
	/* The page shared with the guest; read with volatile accesses, one field at a time. */
	volatile struct ss_vcpu_page *page;
	/* Of the exit that is handled, as far as it is known: its record. `rip` is the guest's, not the relay's;
	 * `operation` 0 also means housekeeping, which belongs to none. */
	struct record_exit exit;
	uint64_t taken;   /* exits to the monitor because its turn was over */
	bool parked;      /* halted, and nothing can wake it */
	atomic_uint asleep; /* of the platform pc: so often in a row it was found so that nothing can wake it */
	atomic_uint exits;  /* to this process; wraps */
	bool relay_waits; /* the relay has passed an exit on and expects an answer */
	void *engine_data;
	struct interrupts *interrupts; /* the relay's, which changes them too, or the next */
	struct interrupts own_interrupts;
	uint64_t halt_vector; /* raised by each of the next `halts` HLTs */
	uint64_t halts;
	bool answered;      /* the relay has been answered during this exit: it enters the guest next */
	bool entry_pending; /* the same during the exit before this one */
	bool injected;      /* KVM has been given an exception during this exit */
	struct violation_seen {
		uint64_t rip, gpa;
		uint32_t operation, view, access;
	} seen; /* the violation whose instruction was looked at last */
	uint32_t violations_told; /* sequence number of the last in the vCPU page */
};

struct vm {
	unsigned index;
	/* Whose KVM VM and vCPU it runs on: itself, unless several share one. Then they lie one behind the other,
	 * this one first, and `slot` is its place among them. */
	struct vm *leader;
	unsigned slot;
	const struct plan *plan;
	const struct flag_plan *flags; /* those of this VM */
	const struct service_table *service_table; /* that of this VM */
	const struct host *host;
	const struct engine_ops *ops;
	int fd;
	uint64_t tsc_khz; /* frequency of the time stamp counter, 0: not known */
	struct guest_ram ram;
	uint64_t base; /* where its memory begins in the KVM VM */
	struct bus ports, mmio;
	struct console *console;
	struct serial serial;
	struct exit_port exit_port;
	struct scratch_register scratch;
	struct vcpu *vcpus;
	unsigned vcpus_created;
	/* Views */
	struct view_policy policy; /* the plan's at first; rights may change */
	unsigned view;             /* active one */
	struct vmfunc_state vmfunc;
	uint64_t view_list[EPTP_LIST_ENTRIES];
	void *engine_data;
	uint64_t open_page; /* a page that no view restricts or moves, plus 1; 0: none is known */
	/* Of a kernel with a file of symbols, once a vCPU has told: how much higher it lies than that says. */
	atomic_bool kernel_found;
	_Atomic uint64_t kernel_offset;
	bool own_tss; /* the guest's code can load a TSS other than the one it starts with */
	struct pc *pc; /* of the platform pc, else NULL; vm/pc.h */
	struct services *services; /* what is done at the guest's request; service/services.h */
	/* For tests: called when SS_HYPERCALL_NULL_VMM reaches the VMM, while the relay waits. */
	void (*on_null_hypercall)(struct vcpu *vcpu);
	/* Devices, services and views of one VM are used by one vCPU at a time: `active`, while it
	 * holds the lock. */
	pthread_mutex_t lock;
	struct vcpu *active;
	atomic_bool stop;   /* vCPU threads leave their loops */
	atomic_bool tick;   /* of a leader: whose turn it is has had it long enough */
	pthread_mutex_t stop_lock;
	struct stop why;
	atomic_uint halted; /* vCPUs that nothing can wake */
};

/* Sets the rights of a region in a view. Returns 0; -ENOENT: no such view or region; -EINVAL: unknown
 * rights; -EOPNOTSUPP: the engine cannot express them; or another negative errno of the host. */
int vm_set_rights(struct vm *vm, uint32_t view, uint32_t region, unsigned rights);

/* The words by which CR0 is decided of a guest, as it starts and as an operation (NULL: none) has them. */
struct ss_flag_words vm_words(const struct vm *vm, const struct ss_operation *op);

/* What the reference model has to know of the VM, as it is before its guest runs. Refers to the VM and its plan. */
struct expect_environment vm_environment(const struct vm *vm);

/* Ends the VM. The first cause given is the one that counts; returns whether this is it. Does not wait. */
__attribute__((format(printf, 4, 5))) bool vm_stop(struct vm *vm, enum stop_cause cause, int status,
						   const char *format, ...);

/* What the guest's marker says, validated: 0 if it is no operation. */
uint32_t vcpu_operation(const struct vcpu *vcpu);

/* Describes where a vCPU is, or was: "vcpu0 at rip 0x... (symbol+offset) in operation NAME". */
void vcpu_describe(struct vcpu *vcpu, char *text, size_t size);
void vcpu_describe_at(struct vcpu *vcpu, uint64_t rip, char *text, size_t size);

#endif
