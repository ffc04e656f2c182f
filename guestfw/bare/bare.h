/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bare monitor: what answers the relay where no hypervisor and no VMM is below. It is linked with the relay, whose
 * every question comes to bare_answer() by a call, where under KVM it goes to the VMM by a port.
 */
#ifndef SIDESTEP_BARE_H
#define SIDESTEP_BARE_H

#include "guestfw/relay/events.h"
#include "plan.h"
#include "views/gpa.h"
#include "views/ept_edit.h"
#include "views/levels.h"
#include "vmm/ledger/record.h"

struct bare_vcpu {
	uint64_t exits[LEVEL_COUNT]; /* so far */
	struct summary {
		uint64_t before[LEVEL_COUNT], counted[LEVEL_COUNT]; /* exits up to the batch, and in it */
	} summary;
	struct record_batch batch;
	uint32_t violations;
	struct bare_seen {
		uint64_t rip, gpa;
		uint32_t operation, view, access;
	} seen; /* the violation whose instruction was looked at last */
	uint64_t halt_vector, halts; /* raised by each of the next `halts` HLTs */
	int window; /* an exit is asked for as soon as the guest can take an interrupt */
	uint32_t is_running; /* its processor has begun, and it has not ended */
	uint32_t apic_id;
	uint32_t is_stale; /* tables have changed, of which its processor has not heard */
};

struct bare_guest {
	uint64_t list_index, list_value; /* the entry of the view list that a setup has changed, as it was */
	uint64_t scratch; /* the register at SS_MMIO_GPA */
	struct ept_edit edit; /* of its tables */
};

/* The computer. There is one guest with vCPUs that have a processor each, or several that share one. */
struct bare {
	const struct bare_plan *plan;
	uint64_t base; /* of the block */
	struct bare_guest guests[SS_MAX_VCPUS];
	struct bare_vcpu vcpus[SS_MAX_VCPUS];
};

extern struct bare bare;

/* All vCPUs, whosever they are. */
static inline unsigned bare_vcpu_count(void)
{
	return (unsigned)(bare.plan->guest_count * bare.plan->vcpu_count);
}

static inline struct relay_vcpu *bare_relay_vcpu(unsigned number)
{
	return (struct relay_vcpu *)(RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * number);
}

static inline unsigned bare_number(const struct relay_vcpu *vcpu)
{
	return (unsigned)(((uint64_t)vcpu - RELAY_VCPUS) / RELAY_VCPU_STRIDE);
}

static inline struct bare_vcpu *bare_vcpu_of(const struct relay_vcpu *vcpu)
{
	return &bare.vcpus[bare_number(vcpu)];
}

/* Whose vCPU it is, and which of its. */
static inline unsigned bare_guest_number(const struct relay_vcpu *vcpu)
{
	return bare_number(vcpu) / (unsigned)bare.plan->vcpu_count;
}

static inline unsigned bare_index(const struct relay_vcpu *vcpu)
{
	return bare_number(vcpu) % (unsigned)bare.plan->vcpu_count;
}

static inline struct bare_guest *bare_guest_of(const struct relay_vcpu *vcpu)
{
	return &bare.guests[bare_guest_number(vcpu)];
}

static inline const struct bare_guest_plan *bare_guest_plan_of(const struct relay_vcpu *vcpu)
{
	return (const struct bare_guest_plan *)((const uint8_t *)bare.plan + bare.plan->guests) + bare_guest_number(vcpu);
}

/* What its control structure begins with. */
static inline const void *bare_control(const struct relay_vcpu *vcpu)
{
	return bare_part(bare.plan, bare.plan->controls + UINT64_C(4096) * bare_number(vcpu));
}

/* Where the first byte of its memory is. */
static inline uint64_t bare_ram(const struct relay_vcpu *vcpu)
{
	return bare.base + bare_guest_plan_of(vcpu)->place;
}

/* Guest-physical address of a place in the vCPU's page. */
static inline uint64_t bare_page(const struct relay_vcpu *vcpu, uint64_t offset)
{
	return bare.plan->vcpu_pages + UINT64_C(4096) * bare_index(vcpu) + offset;
}

/* The view list of its guest. */
static inline uint64_t *bare_list(const struct relay_vcpu *vcpu)
{
	return (uint64_t *)(RELAY_LISTS + UINT64_C(4096) * bare_guest_number(vcpu));
}

/* What an operation of its guest needs, by its number; 0: none. */
static inline const struct bare_setup *bare_setup_of(const struct relay_vcpu *vcpu, uint64_t operation)
{
	return (const struct bare_setup *)bare_part(bare.plan, bare_guest_plan_of(vcpu)->setups) + operation;
}

static inline uint64_t bare_moved(uint64_t word)
{
	return bare_move(bare.plan, bare.base, word);
}

/* A place in the monitor's memory, by its address as the processor sees it without the monitor's tables. */
static inline uint64_t bare_physical(uint64_t address)
{
	return bare.base + bare.plan->monitor + (address - RELAY_BASE);
}

/* The relay waits until this returns. */
void bare_answer(struct relay_vcpu *vcpu);

/* An access that the active view forbids: VIEW_READ, VIEW_WRITE or VIEW_EXECUTE. */
struct bare_violation {
	uint64_t gpa, gva;
	unsigned access;
	int walk, gva_known;
	uint32_t delivery; /* an event whose delivery it has cut short */
};

/* What an exit that was passed on is about. */
struct bare_exit {
	enum monitor_event event;
	/* What is no event of a nested guest: an access of a port, HLT, and that the guest can take an interrupt. */
	int is_port, in, is_halt, is_window;
	unsigned port, size;
	int is_64; /* the mode of the guest, of what accesses memory */
	/* Of a port's, INS or OUTS, perhaps with REP: how many bytes RCX, RSI and RDI have there, and the base of the
	 * segment. */
	int is_string, repeats;
	unsigned address_size;
	uint64_t base;
	/* Of EVENT_CR0_OPERAND in 64-bit mode: the linear address of the word, whether it is stored, and whether it is in
	 * SS, by whose exception a wrong address is one. */
	uint64_t operand;
	int is_store, is_stack;
	unsigned cpl;
	struct bare_violation violation;
};

/* Bits of a register that are an address of this many bytes: 2, 4 or 8. */
static inline uint64_t bare_address_mask(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

/* Outside 64-bit mode linear addresses have 32 bits. */
static inline uint64_t bare_in_mode(const struct bare_exit *exit, uint64_t linear)
{
	return exit->is_64 ? linear : (uint32_t)linear;
}

/* The answer is an exception, at the instruction. */
void bare_inject(struct relay_vcpu *vcpu, uint64_t vector, uint64_t error_code);

/* An access that tables do not grant, of the instruction that an exit is about. */
void bare_violation_exit(struct relay_vcpu *vcpu, const struct bare_exit *exit);

/* An access of a port, by the instruction that an exit is about. */
void bare_port(struct relay_vcpu *vcpu, const struct bare_exit *exit);

/*
 * What differs between vendors; one file each. vendor_begin() makes a processor ready for guests; vendor_prepare() a guest's
 * vCPU, for the processor that it is called on, which it is loaded by. What this computer lacks they say, and end.
 * vendor_launch() enters a guest for the first time, bare_enter()
 * one that was; what that cannot comes to vendor_resume_failed(), which comes back if there is nothing to do about it.
 */
void vendor_begin(const struct relay_vcpu *vcpu);
void vendor_prepare(struct relay_vcpu *vcpu);
__attribute__((noreturn)) void vendor_launch(struct relay_vcpu *vcpu);
void vendor_resume_failed(struct relay_vcpu *vcpu);
__attribute__((noreturn)) void bare_enter(struct relay_vcpu *vcpu);
/* From one guest to another that the processor has next. */
void vendor_swap(const struct relay_vcpu *from, const struct relay_vcpu *to);
/* Whether the exit is that of an NMI, another processor's, which can come again then, or of an interrupt of the computer;
 * and lets that one come. */
int vendor_takes_nmi(const struct relay_vcpu *vcpu);
int vendor_is_interrupt(const struct relay_vcpu *vcpu);
void vendor_take_interrupt(void);
void vendor_describe(struct relay_vcpu *vcpu, struct bare_exit *ret_exit);
void vendor_write(struct relay_vcpu *vcpu, uint64_t field, uint64_t value);
/* CR0, CR3 or CR4 as the processor has it, EFER, and the limit of IDTR. */
uint64_t vendor_register(const struct relay_vcpu *vcpu, unsigned number);
uint64_t vendor_efer(const struct relay_vcpu *vcpu);
uint64_t vendor_idt_limit(const struct relay_vcpu *vcpu);
void vendor_load_register(struct relay_vcpu *vcpu, unsigned number, uint64_t value);
/* The words have changed: what the guest reads follows them. */
void vendor_show_words(struct relay_vcpu *vcpu);
/* The entry of the view list that is active. */
uint64_t vendor_view(const struct relay_vcpu *vcpu);
/* Tables have changed: the processor forgets what it knows of them. */
void vendor_flush(struct relay_vcpu *vcpu);
/* Whether an entry of a view's tables grants this. */
int vendor_grants(uint64_t entry, unsigned rights);

/* Flags, whether the shadow of STI or MOV SS is there, and an interrupt to be delivered by the next entry. */
uint64_t vendor_rflags(const struct relay_vcpu *vcpu);
int vendor_blocks(const struct relay_vcpu *vcpu);
void vendor_interrupt(struct relay_vcpu *vcpu, unsigned vector);
/* Sees to it that there is an exit, or none, when the guest can take one. */
void vendor_watch_window(struct relay_vcpu *vcpu, int watch);

/* What the guest says it is doing; 0: no operation. */
uint32_t bare_operation(const struct relay_vcpu *vcpu);

/* Index of the active view, ~0 if it is none of ours. */
uint32_t bare_view(const struct relay_vcpu *vcpu);

/* Ends the guest, and with the last guest the run: what was recorded goes out, with its last record. */
__attribute__((noreturn)) void bare_stop(struct relay_vcpu *vcpu, enum stop_cause cause, int status, const char *text);

/* Performs the request at an address that code at this CPL has given. Returns 0 or a negative errno. */
int bare_request(struct relay_vcpu *vcpu, unsigned cpl, uint64_t address);

/* Services by VMFUNC that the relay leaves to its VMM. */
void bare_service(struct relay_vcpu *vcpu, unsigned cpl);

/* Sets the rights of a region in a view. Returns 0 or a negative errno, as the service `map` does. */
int bare_set_rights(struct relay_vcpu *vcpu, uint64_t view, uint32_t region, uint64_t rights);

/* Interrupts: raised, handled in a set way, raised by each of so many HLTs; whether a HLT is over at once; and at the end
 * of an answer, what is due is delivered. Return 0 or a negative errno. */
int interrupt_raise(struct relay_vcpu *vcpu, uint64_t vector);
int interrupt_set(struct relay_vcpu *vcpu, uint64_t vector, uint64_t disposition);
int interrupt_at_halts(struct relay_vcpu *vcpu, uint64_t vector, uint64_t count);
int interrupt_halted(struct relay_vcpu *vcpu);
void interrupt_deliver(struct relay_vcpu *vcpu);

/* Guest memory, up to a page and in one page, if the view that is active grants the rights. NULL: it does not. */
void *bare_guest(const struct relay_vcpu *vcpu, uint64_t gpa, uint64_t size, unsigned rights);

/*
 * The byte at a linear address, and what follows it in its page, for a data access by the instruction that an exit is
 * about: VIEW_READ or VIEW_WRITE. NULL: the answer is the exception that the access raises, by the guest's page tables
 * or by the view.
 */
void *bare_linear(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, unsigned right);

/*
 * The same for an operand of up to a page: the page that it begins in, and the next one if it ends there. Both are
 * found before anything is moved. Returns 0 if the answer is an exception.
 */
int bare_linear_pages(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, unsigned size,
		      unsigned right, uint8_t *ret_pages[2]);

/* A byte of these pages, by its distance from the start of the first one. */
static inline uint8_t *bare_byte(uint8_t *const pages[2], uint64_t offset)
{
	return &pages[offset / GPA_PAGE_SIZE][offset % GPA_PAGE_SIZE];
}

/* Puts in place what was planned. */
void bare_set_up(struct relay_vcpu *vcpu, const struct bare_setup *setup);

/* Before the guest runs: the operations that need #VE are not performed, and the ledger says why. */
void bare_leave_out_ve(const struct relay_vcpu *vcpu);

/* Takes the results of the last random program, and puts the next one into the vCPU page. Returns 0, with whether there was
 * one, or a negative errno. */
int program_step(struct relay_vcpu *vcpu, uint64_t *ret_more);

/* Text of the guest; and a line of the monitor comes next. */
void guest_text(char c);
void guest_text_end(void);

/* The table on the screen: a batch begins, ends, has a result; and all have ended. */
void summary_begin(struct bare_vcpu *state);
void summary_end(struct bare_vcpu *state);
void summary_result(const struct bare_vcpu *state, const struct ss_result *result);
void summary_tell(void);

/* Takes records, of this vCPU or (NULL) of the computer: into memory, from where they go out when nothing is measured. */
void log_record(const struct relay_vcpu *vcpu, const void *record);
void log_begin(void);
/* One property of the run. */
void log_meta(const char *key, const char *value);
/* Sends what there is. */
void log_flush(void);
/* Takes the relay's records, but for the last `but`, into the log. */
void log_drain(struct relay_vcpu *vcpu, unsigned but);

#endif
