/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor of a VM whose guest is nested: the memory it lives in, which no view shows to the guest,
 * the relay's code, its ring of records, and what the VMM does with the exits that the relay passes
 * on. Nothing here depends on the vendor.
 */
#ifndef VMM_ENGINE_MONITOR_H
#define VMM_ENGINE_MONITOR_H

#include "guestfw/relay/events.h"
#include "guestfw/relay/relay.h"
#include "views/ept_live.h"
#include "vmm/emulate/page_walk.h"
#include "vmm/vm/vm.h"

/* Memory slots of KVM. */
enum { MONITOR_SLOT_LOW, MONITOR_SLOT_HIGH, MONITOR_SLOT_MEMORY, MONITOR_SLOT_FLUSH,
       MONITOR_SLOT_PAGES /* the pages of vCPUs that are not in the guest's memory */,
       MONITOR_SLOT_GUESTS /* of guests that share a vCPU, all but the first, by their place */ };

struct monitor {
	uint8_t *host; /* RELAY_SIZE bytes at RELAY_BASE */
	uint64_t physical; /* where L1's tables lead RELAY_BASE: with KVM one to one */
	struct ept_views *views;
	struct ept_live *live; /* to change them */
	uint64_t *list; /* the view list that relay and processor read */
	bool collected; /* pages of old tables have been taken back since the last monitor_change_begin() */
};

/* A row of the table by which an engine translates them: an exit reason or #VMEXIT code. */
struct monitor_reason {
	uint64_t reason;
	enum monitor_event event;
};

struct monitor_exit {
	enum monitor_event event;
	const char *name; /* for messages: the vendor's name of the reason */
	unsigned access;  /* of a violation: VIEW_READ, VIEW_WRITE or VIEW_EXECUTE */
	uint64_t cr3;     /* of the guest, for violations and operands */
	struct cpu_mode mode; /* the same */
	unsigned cpl; /* of the guest, for the same, for hypercalls and VMFUNC */
	/* Of a violation. The event is one whose delivery it cut short, as both vendors write it: vector in
	 * bits 7:0, type in 10:8, valid in 31. */
	bool gva_known; /* the processor says for which linear address it was */
	bool walk;      /* in the guest's page tables, not at its end */
	uint64_t gva;
	uint32_t delivery;
};

/* The data of a VM with a monitor. */
struct monitor *vm_monitor(const struct vm *vm);

/* A place in the monitor's memory, by its address in the VM. */
void *monitor_at(const struct monitor *monitor, uint64_t gpa);

/* The physical address of such a place: for what processors read without L1's tables. */
uint64_t monitor_physical(const struct vm *vm, uint64_t address);

/* The memory that relay and VMM share for a vCPU. */
struct relay_vcpu *monitor_vcpu(const struct vcpu *vcpu);

/* Addresses of what else a vCPU has there: where the stack is when an exit begins, with room to push the registers
 * into `regs`; what is the processor's (VMXON region or host save area); the control structure; the ring. */
uint64_t monitor_stack(const struct vcpu *vcpu);
uint64_t monitor_region(const struct vcpu *vcpu);
uint64_t monitor_control(const struct vcpu *vcpu);
uint64_t monitor_ring(const struct vcpu *vcpu);
uint64_t monitor_decoded(const struct vcpu *vcpu);
uint64_t monitor_changes(const struct vcpu *vcpu);

/* And of what a VM has: the view list. */
uint64_t monitor_list(const struct vm *vm);

/* engine_ops.running and .retire. */
struct vcpu *monitor_running(struct vm *leader);
void monitor_retire(struct vcpu *vcpu);

/* engine_ops.own_code */
bool monitor_code(const struct vcpu *vcpu, struct record_code *record);

/* Moves what the relay has recorded to the vCPU's summary and the ledger. */
void monitor_drain(struct vcpu *vcpu);

/* The same but for the last record, which the relay completes when it has its answer. */
void monitor_drain_finished(struct vcpu *vcpu);

/* The part of engine_ops.setup in which no vendor differs: view list, words and vm->vmfunc. Returns the last, for the
 * engine to put into its control structure. */
const struct vmfunc_state *monitor_setup(struct vcpu *vcpu, const struct ss_operation *op);

/* Has the relay write a field of the control structure before it resumes. Returns 0, or -EPERM if
 * it is not waiting for an answer. */
int monitor_write(struct vcpu *vcpu, uint64_t field, uint64_t value);

/* engine_ops.rights_changed of the engines with a monitor. */
int monitor_rights_changed(struct vm *vm, uint32_t view, uint32_t region);

/*
 * Has the relay make a change of rights itself from the next time on: to be called before and after the VMM has made
 * it. Nothing is noted if other vCPUs may make changes too, or if tables of more than one entry of a root are changed.
 */
void monitor_change_begin(struct vcpu *vcpu, uint64_t view, uint64_t region, uint64_t rights,
			  struct relay_change *ret_change);
void monitor_change_end(struct vcpu *vcpu, struct relay_change *change);

/* engine_ops.catch_up */
void monitor_catch_up(struct vcpu *vcpu);

/* Index of the view whose entry in the list, as far as `mask` goes, is this pointer, or -1. */
int monitor_view_of(const struct vm *vm, uint64_t pointer, uint64_t mask);

/* The answer to the relay that raises an exception, with the error code if it has one. */
void monitor_inject(struct relay_vcpu *relay, uint64_t vector, uint64_t error_code);

/* Puts event and name of an exit with this reason there, if the engine's table has it. */
void monitor_find_event(const struct vcpu *vcpu, uint64_t reason, const struct monitor_reason *rows,
			size_t count, struct monitor_exit *exit);

/* Fills the MSR bitmap: a guest has only those that no other guest and, without an L0, no computer can be hurt by. */
void monitor_keep_msrs(const struct vm *vm, const struct monitor *monitor);

/* What a monitor needs whose guests share a vCPU. For the leader's: the group, and the MSR bitmap, which leaves a guest
 * only those that are switched. */
void monitor_share(struct vm *leader, const struct monitor *monitor);

/* For each guest: its state before it has run. Returns 0 or a negative errno with the reason in `error`. */
int monitor_share_vcpu(struct vcpu *vcpu, struct error *error);

/* Has a guest that is prepared begin by `install`; of those that share a vCPU the first one, once all are there, for
 * to prepare another one needs the vCPU too. */
int monitor_begin(struct vcpu *vcpu, int (*install)(struct vcpu *vcpu, struct error *error),
		  struct error *error);

/* The address space that the guest was in at an exit. */
struct page_walk_space monitor_space(const struct vcpu *vcpu, const struct monitor_exit *exit);

#endif
