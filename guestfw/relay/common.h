/* SPDX-License-Identifier: GPL-2.0-only */
/* What the relays of all vendors share: the ring, the services, the way to the VMM. */
#ifndef SIDESTEP_RELAY_COMMON_H
#define SIDESTEP_RELAY_COMMON_H

#include "guestfw/abi.h"
#include "insn.h"
#include "relay.h"
#include "views/flags.h"
#include "views/retire.h"
#include "views/service.h"
#include "world.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

#define EPERM_RESULT ((uint64_t)-1)
#define ENOSYS_RESULT ((uint64_t)-38)
#define ERANGE_RESULT ((uint64_t)-34)
#define EINVAL_RESULT ((uint64_t)-22)
#define CR0_ET 0x10u
#define CR0_DEFINED UINT64_C(0xffffffffe005003f)
#define CR4_PKE 0x400000u
#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_7_ECX_OSPKE (1u << 4)
#define CPUID_8000_0001_ECX_SVM (1u << 2)

/*
 * The VMM has changed words of second-level tables, which an L0 that shadows them does not notice. It
 * does if L1 writes them, whatever the value: then it drops what it has derived from them, and flushes
 * the TLBs of all vCPUs. Written back atomically, since another vCPU's change may have come meanwhile.
 */
static inline void touch(const struct relay_vcpu *vcpu)
{
	for (uint64_t i = 0; i < vcpu->touch_count && i < RELAY_TOUCH_MAX; i++)
		__asm__ volatile("lock orq $0, %0" : "+m"(*(uint64_t *)vcpu->touch[i]));
}

/* The VMM acts during the port access, so everything is in memory before and read again after. */
static inline void ask_vmm(struct relay_vcpu *vcpu)
{
	vcpu->write_count = 0;
	vcpu->touch_count = 0;
	vcpu->view = 0;
	vcpu->pending = 1;
#ifdef SIDESTEP_BARE
	((void (*)(struct relay_vcpu *))vcpu->answer)(vcpu);
#else
	write_port(RELAY_PORT);
#endif
	touch(vcpu);
}

/* Starts a record. A full ring is emptied by the VMM first: no record is lost. */
static inline struct relay_record *ring_next(struct relay_vcpu *vcpu, uint32_t reason, uint64_t rip,
					     uint64_t qualification)
{
	struct relay_record *record;

	if (vcpu->head - vcpu->tail >= RELAY_RING_RECORDS) {
		vcpu->reason = RELAY_REASON_RING_FULL;
		ask_vmm(vcpu);
	}
	record = (struct relay_record *)vcpu->ring + vcpu->head % RELAY_RING_RECORDS;
	*record = (struct relay_record){
		.time = read_tsc(),
		.rip = rip,
		.qualification = qualification,
		.reason = reason,
		.operation = ((const volatile struct ss_marker *)vcpu->marker)->operation,
	};
	/* Published at once: an exit that the VMM ends the guest for is in the ring too. */
	vcpu->head++;
	return record;
}

static inline void ring_finish(struct relay_vcpu *vcpu, struct relay_record *record)
{
	uint64_t cost = read_tsc() - record->time;

	record->view = (uint16_t)vcpu->switched;
	vcpu->switched = 0;
	record->cost = cost > 0xffffffff ? 0xffffffff : (uint32_t)cost;
}

/* Flags of CR0 that do not exist are ignored when written, and ET is always set (AMD APM vol. 2, 3.1.1;
 * Intel SDM vol. 3A, 2.5). Bits 63:32 are kept, as they must be 0. */
static inline uint64_t mov_cr0_value(uint64_t source)
{
	return (source & CR0_DEFINED) | CR0_ET;
}

/* Carries out the write of a register for which the guest wants to see `wanted`, in the words, if it is `legal`.
 * Returns an exception that it raises instead, 0, or -1 if the VMM has to decide: but for 0 nothing is changed. */
static inline int relay_write_register(struct relay_register *reg, const struct flags_change *change, int legal)
{
	if (!legal)
		return VECTOR_GP;
	if (change->ask | (change->changed & reg->passed))
		return -1;
	reg->words.value = change->value;
	reg->words.shadow = change->shadow;
	return 0;
}

static inline int relay_write_cr0(struct relay_vcpu *vcpu)
{
	const struct flags_change change = flags_write(&vcpu->cr0.words, vcpu->wanted);

	return relay_write_register(&vcpu->cr0, &change, is_legal_cr0(vcpu, vcpu->wanted, change.value));
}

static inline int relay_write_cr4(struct relay_vcpu *vcpu, uint64_t cr3)
{
	const struct flags_change change = flags_write(&vcpu->cr4.words, vcpu->wanted);

	return relay_write_register(&vcpu->cr4, &change,
				    is_legal_cr4(vcpu, vcpu->wanted, change.value, cr3));
}

static inline int vector_has_error_code(uint64_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* Whether the answer of CPUID has a copy of a flag of CR4 in it. */
static inline int cpuid_asks_cr4(const struct relay_vcpu *vcpu)
{
	return (uint32_t)vcpu->regs[RAX] == 1 || (uint32_t)vcpu->regs[RAX] == 7;
}

static inline uint32_t copy_flag(uint32_t word, uint32_t flag, uint64_t set)
{
	return set ? word | flag : word & ~flag;
}

/* CPUID of the nested guest: ours, without the virtualization that we do not offer, and with the flags of
 * the guest's CR4 (Intel SDM vol. 2A, CPUID). The state that XCR0 enables is the guest's here too. */
static inline void relay_cpuid(struct relay_vcpu *vcpu, uint64_t cr4)
{
	uint32_t leaf = (uint32_t)vcpu->regs[RAX], subleaf = (uint32_t)vcpu->regs[RCX];
	struct cpuid_registers r = cpuid(leaf, subleaf);

	if (leaf == 1)
		r.ecx = copy_flag(r.ecx & ~CPUID_1_ECX_VMX, CPUID_1_ECX_OSXSAVE, cr4 & CR4_OSXSAVE);
	if (leaf == 7 && subleaf == 0)
		r.ecx = copy_flag(r.ecx, CPUID_7_ECX_OSPKE, cr4 & CR4_PKE);
	if (leaf == 0x80000001)
		r.ecx &= ~CPUID_8000_0001_ECX_SVM;
	vcpu->regs[RAX] = r.eax;
	vcpu->regs[RBX] = r.ebx;
	vcpu->regs[RCX] = r.ecx;
	vcpu->regs[RDX] = r.edx;
}

/* A VMFUNC that the processor has not carried out; the VMM hears of it what the record says. */
static inline struct service_decision relay_vmfunc(struct relay_vcpu *vcpu, unsigned cpl,
						   enum service_mode mode,
						   struct relay_record *record)
{
	const struct service_call call = {
		.number = (uint32_t)vcpu->regs[RAX],
		.index = (uint32_t)vcpu->regs[RCX],
		.cpl = cpl,
		.home = vcpu->vmfunc.eptp == vcpu->home,
		.mode = mode,
	};
	const struct service_decision decision = service_decide(&vcpu->vmfunc, &call);

	record->service = service_code(call.number, decision.verdict);
	vcpu->service = record->service;
	return decision;
}

/* How a vector's interrupts are handled. If one is pending, it has to be held, dropped or let go, which is the VMM's to
 * do and to record. */
static inline int relay_sets_interrupt(struct relay_vcpu *vcpu)
{
	const uint32_t vector = (uint32_t)vcpu->regs[RCX];
	enum interrupt_event event;

	if (interrupts_is_pending(&vcpu->interrupts, vector))
		return 0;
	vcpu->regs[RAX] = (uint64_t)(int64_t)interrupts_set(&vcpu->interrupts, vector,
							    vcpu->regs[RDX], &event);
	return 1;
}

static inline int is_known(const struct relay_vcpu *vcpu, const struct relay_change *change)
{
	const uint64_t now = *(const volatile uint64_t *)change->entry;

	return change->view == vcpu->regs[RDX] && change->region == (uint32_t)vcpu->regs[RCX] &&
	       change->rights == vcpu->regs[RBX] && ((now ^ change->from) & RELAY_ENTRY_ADDRESS) == 0;
}

/* Rights of a region in a view, where the VMM has made the same change before. The write of the entry exits to L0, which
 * drops what it has derived from it (docs/services.md, "Changing rights while the guest runs"). */
static inline int relay_maps(struct relay_vcpu *vcpu, struct relay_record *record)
{
	const struct relay_changes *all = (const struct relay_changes *)vcpu->changes;

	for (uint64_t i = 0; all && i < all->count && i < RELAY_CHANGES_MAX; i++) {
		const struct relay_change *change = &all->changes[i];

		if (!is_known(vcpu, change))
			continue;
		if (change->to != change->from)
			*(volatile uint64_t *)change->entry = change->to;
		vcpu->regs[RAX] = 0;
		record->wanted = relay_told(change->view, change->rights);
		vcpu->untold++;
		return 1;
	}
	return 0;
}

/*
 * Services that the relay performs itself, the VMM told by the record alone. Parameters in memory are the VMM's to
 * read. Returns 0 if the VMM has to perform it.
 */
static inline int relay_performs(struct relay_vcpu *vcpu, struct relay_record *record)
{
	if ((uint32_t)vcpu->regs[RCX] == SERVICE_IN_MEMORY)
		return 0;
	switch ((uint32_t)vcpu->regs[RAX]) {
	case SS_SERVICE_INTERRUPT:
		return relay_sets_interrupt(vcpu);
	case SS_SERVICE_MAP:
		return relay_maps(vcpu, record);
	default:
		return 0;
	}
}

/* Whether a hypercall may switch to a view: 0, or what it gets in RAX. What the service of that kind is
 * not for, the hypercall is not for either. */
static inline uint64_t view_hypercall_error(const struct relay_vcpu *vcpu, uint64_t index,
					    unsigned cpl, enum service_mode mode)
{
	const struct service_table *table = &vcpu->vmfunc.services;
	const struct service_call call = {SERVICE_VIEW, 0, cpl, true, mode};

	if (!(table->enabled >> SERVICE_VIEW & 1))
		return ENOSYS_RESULT;
	if (!service_permits(table, &call))
		return EPERM_RESULT;
	return index < vcpu->views ? 0 : ERANGE_RESULT;
}

/* What the records of a VMFUNC say: number and index. */
static inline uint64_t vmfunc_qualification(const struct relay_vcpu *vcpu)
{
	return (uint32_t)vcpu->regs[RAX] | vcpu->regs[RCX] << 32;
}

/* Serves a hypercall, stepping over it left to the caller. Returns 0 if it is one for the VMM. */
static inline int relay_hypercall(struct relay_vcpu *vcpu,
				  uint64_t (*switch_view)(struct relay_vcpu *vcpu, uint64_t index))
{
	switch (vcpu->regs[RAX]) {
	case SS_HYPERCALL_NULL:
		vcpu->regs[RAX] = 0;
		return 1;
	case SS_HYPERCALL_VIEW:
		vcpu->regs[RAX] = switch_view(vcpu, vcpu->regs[RCX]);
		return 1;
	case SS_HYPERCALL_YIELD:
		vcpu->regs[RAX] = vcpu->group ? 0 : ENOSYS_RESULT;
		vcpu->yields = vcpu->group != 0;
		return 1;
	case SS_HYPERCALL_REQUEST:
	case SS_HYPERCALL_NULL_VMM:
		return 0;
	default:
		vcpu->regs[RAX] = ENOSYS_RESULT;
		return 1;
	}
}

/*
 * The other ways to a hypervisor that there were before: CPUID with the number of a hypercall as its leaf, WRMSR with
 * it as the MSR. The null service, and the switch of views, whose index is in ECX or is what is written.
 */
static inline int relay_serves(uint32_t number)
{
	return number == SS_HYPERCALL_NULL || number == SS_HYPERCALL_VIEW;
}

/* Returns 0 for a leaf that is the processor's. CPUID changes four registers, and has 32 bits for the result. */
static inline int relay_cpuid_service(struct relay_vcpu *vcpu,
				      uint64_t (*switch_view)(struct relay_vcpu *vcpu, uint64_t index))
{
	const uint32_t number = (uint32_t)vcpu->regs[RAX];

	if (!relay_serves(number))
		return 0;
	vcpu->regs[RAX] = number == SS_HYPERCALL_VIEW
				  ? (uint32_t)switch_view(vcpu, (uint32_t)vcpu->regs[RCX])
				  : 0;
	vcpu->regs[RBX] = vcpu->regs[RCX] = vcpu->regs[RDX] = 0;
	return 1;
}

/* Returns 0 for an MSR that there is not, and for a view that is refused: #GP, as WRMSR has no result. */
static inline int relay_wrmsr_service(struct relay_vcpu *vcpu,
				      uint64_t (*switch_view)(struct relay_vcpu *vcpu, uint64_t index))
{
	const uint32_t number = (uint32_t)vcpu->regs[RCX];
	const uint64_t value = (uint32_t)vcpu->regs[RAX] | vcpu->regs[RDX] << 32;

	return relay_serves(number) &&
	       (number != SS_HYPERCALL_VIEW || switch_view(vcpu, value) == 0);
}

/*
 * The guest that goes on after an exit: this one, or another that shares the processor, whose control structure
 * `swap` makes the current one then. KVM was asked to say when the guest takes interrupts while another one had the
 * processor, so that the VMM has to ask anew for one that comes with some pending.
 */
static inline struct relay_vcpu *relay_turn(struct relay_vcpu *vcpu,
					    void (*swap)(const struct relay_vcpu *from,
							 const struct relay_vcpu *to))
{
	struct relay_group *group = (struct relay_group *)vcpu->group;
	struct relay_vcpu *next;

	if (!group || (!vcpu->yields && !vcpu->gone && !group->nmi))
		return vcpu;
	vcpu->yields = 0;
	group->nmi = 0;
	next = world_next(vcpu);
	if (next == vcpu)
		return vcpu;
	swap(vcpu, next);
	world_switch(vcpu, next);
	if (interrupts_next(&next->interrupts)) {
		next->reason = RELAY_REASON_TURN;
		ask_vmm(next);
	}
	return next;
}

#endif
