/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VMM and the relay share. The relay is L1 code: it receives the exits of the nested guest,
 * records them, completes what it may, and passes the rest to the VMM with one port write. All of
 * this lives in memory that no view shows to the nested guest.
 */
#ifndef SIDESTEP_RELAY_H
#define SIDESTEP_RELAY_H

/* Memory of the monitor, in the hole below 4 GiB that guest memory leaves. */
#define RELAY_BASE 0xc0000000
#define RELAY_PML4 0xc0000000
#define RELAY_PDPT 0xc0001000
#define RELAY_PD 0xc0002000 /* four tables: 4 GiB in 2 MiB pages */
#define RELAY_GDT 0xc0006000
#define RELAY_TSS 0xc0007000
#define RELAY_NO_LIST 0xc000a000 /* zero: what a list without memory behind it looks like */
#define RELAY_MSR_BITMAP 0xc000b000 /* two pages; zero: no access of an MSR that it has reaches the relay */
#define RELAY_GROUP 0xc000d000 /* struct relay_group */
#define RELAY_IDT 0xc000e000   /* of L1: a gate for NMIs */
#define RELAY_IDT_LIMIT 47
#define RELAY_IMAGE 0xc0010000
#define RELAY_NMI 0xc0010080 /* in the image: where L1 takes them */
#define RELAY_IMAGE_MAX 0x20000
#define RELAY_CONTROL 0xc0030000 /* two pages a vCPU: VMXON region or host save area, and control structure */
#define RELAY_LISTS 0xc00b0000   /* view lists, a page each */
#define RELAY_VCPUS 0xc0100000   /* struct relay_vcpu and its stack, RELAY_VCPU_STRIDE each */
#define RELAY_VCPU_STRIDE 0x4000
#define RELAY_STACK_TOP (RELAY_VCPU_STRIDE - 64) /* what is above is for the frame of an NMI, see entry.inc */
#define RELAY_RINGS 0xc0200000
#define RELAY_RING_RECORDS 4096
#define RELAY_DECODED 0xc1000000 /* RELAY_DECODED_MAX instructions a vCPU, RELAY_DECODED_STRIDE each */
#define RELAY_DECODED_STRIDE 0xc000
#define RELAY_CHANGES 0xc1400000 /* struct relay_changes, RELAY_CHANGES_STRIDE each */
#define RELAY_CHANGES_STRIDE 0x1000
#define RELAY_WORLDS 0xc1800000 /* struct relay_world, RELAY_WORLD_STRIDE each */
#define RELAY_WORLD_STRIDE 0x4000
#define RELAY_TABLES 0xc2000000 /* second-level page tables */
#define RELAY_TABLES_SIZE 0x4000000
#define RELAY_SIZE 0x6000000
#define RELAY_PAGES 0xc6001000 /* behind it: the pages of the vCPUs of a guest that has none in its memory */

/* The relay writes here to pass an exit on. The VMM obeys only if `pending` is set, which the nested
 * guest cannot reach, so the port is worthless to it. */
#define RELAY_PORT 0x5f0

/* What the VMM answers. */
#define RELAY_RESUME 0 /* go on as things are */
#define RELAY_STEP 1   /* step over the instruction */
#define RELAY_INJECT 2 /* raise `vector`, with `error_code` if it has one */
#define RELAY_READ 3   /* fill `values` with the fields in `writes`, then step over */

/* `reason` when the relay itself is in trouble. */
#define RELAY_REASON_RESUME_FAILED 0xffff0001
#define RELAY_REASON_RING_FULL 0xffff0002
#define RELAY_REASON_TURN 0xffff0003 /* a guest comes to run that has interrupts pending */

#define RELAY_WRITES_MAX 200
#define RELAY_TOUCH_MAX 8
#define RELAY_CHANGES_MAX 64

#ifndef __ASSEMBLER__
#include <stdint.h>

#include "guestfw/abi.h"
#include "guestfw/relay/decoded.h"
#include "views/flags.h"
#include "views/interrupts.h"
#include "views/vmfunc.h"

/* One exit of the nested guest. */
/* Of no operation: the processor is taken from the guest, whose turn is over. */
#define RELAY_OPERATION_TAKEN UINT32_MAX

struct relay_record {
	uint64_t time;
	uint64_t rip;
	uint64_t qualification;
	uint32_t reason;
	uint32_t operation; /* the guest's marker, not validated; or the next */
	uint32_t cost;      /* ticks from entry into the relay to its end */
	uint16_t view;      /* the view that the relay made active, plus 1; 0: none */
	uint16_t service;   /* service_code() of a VMFUNC, else 0 */
	/* The CR0 that the guest reads since the relay has written it; of a service, relay_told(); 0: neither. */
	uint64_t wanted;
};

/* What the record of rights that the relay has set says beyond its qualification. */
#define RELAY_TOLD (UINT64_C(1) << 63)
static inline uint64_t relay_told(uint32_t view, uint32_t rights)
{
	return RELAY_TOLD | (uint64_t)(rights & 0xff) << 32 | view;
}

/*
 * A change of rights that the VMM has made before, for the relay to make it again: what it leads an entry of a root
 * table to from what. Equal addresses in an entry are equal mappings (views/ept_live.h), so that nobody has to know
 * what the rights are before.
 */
struct relay_change {
	uint64_t entry; /* address of the entry */
	uint64_t from, to;
	uint32_t view, region, rights;
};

struct relay_changes {
	uint64_t count; /* ever noted; of more than RELAY_CHANGES_MAX the last ones are there */
	struct relay_change changes[RELAY_CHANGES_MAX];
};

/* Of an entry of a table, in both formats. */
#define RELAY_ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

struct relay_write {
	uint64_t field; /* encoding */
	uint64_t value;
	uint64_t failed; /* of RELAY_READ: the field does not exist */
};

/* What a control register is decided by, see views/flags.h; the words are read where they are. */
struct relay_register {
	struct ss_flag_words words;
	uint64_t passed; /* flags whose writes are passed on even if the words decide about them */
	uint64_t fixed0, fixed1; /* what must be 1, and what may be 1 */
	uint64_t hidden; /* flags that the engine has set for itself: they read as 0, and to set them is #GP */
};

struct relay_vcpu {
	uint64_t regs[16]; /* in the processor's numbering; [4], RSP, only when an exit is passed on */
	uint64_t control;  /* address of the control structure, for a relay that reads it in memory */

	/* Set by the VMM before entry and changed while the relay waits for an answer. */
	struct relay_register cr0, cr4;
	uint64_t views;               /* how many entries of the view list are views */
	uint64_t home;                /* the entry of view 0 */
	uint64_t marker;              /* address of the guest's marker */
	uint64_t ring;                /* address of the records */
	uint64_t decoded;             /* address of the instructions decoded before, for a relay that decodes */
	uint64_t changes; /* address of struct relay_changes; 0: the VMM makes all, as other vCPUs have the views too, or
			     as it changes tables where they are */
	uint64_t untold;  /* how many of its records say of changes that the VMM has not heard of */

	/* Of a guest that shares the processor with others: the address of struct relay_group, else 0; its place
	 * there; the address of its struct relay_world; whether it has ended. */
	uint64_t group, number, world, gone;
	uint64_t yields; /* by the exit that is handled another one gets the processor */

	/* What VMFUNC is decided by; `list` is an address of L1, `eptp` the entry of the view list that is active, as
	 * far as the relay has looked: while it waits for an answer it has. */
	struct vmfunc_state vmfunc;

	/* Those of this vCPU. The VMM raises and delivers them; how vectors are handled the relay sets too. */
	struct interrupts interrupts;

	/* The ring: `head` counts records ever written, `tail` those that the VMM has taken. */
	uint64_t head, tail;
	uint64_t switched; /* for the record that is being made: its `view` */

	/* The exit being passed on. */
	uint64_t pending;
	uint64_t reason, qualification, rip, length;
	uint64_t gpa, gla, error;
	uint64_t cpl;         /* of a hypercall or a VMFUNC, where the control structure is not memory */
	uint64_t service;     /* of a VMFUNC: as in its record */
	uint64_t wanted;      /* of a CR0 or CR4 write: what the guest wants to see */

	/* The answer. */
	uint64_t action;
	uint64_t vector, error_code, fault_address; /* the last: CR2 for vector 14 */
	uint64_t view; /* to make active, plus 1; 0: stays */
	uint64_t write_count;
	struct relay_write writes[RELAY_WRITES_MAX];
	uint64_t touch_count;
	uint64_t touch[RELAY_TOUCH_MAX]; /* words of tables to write back as they are */
	uint64_t answer; /* without a VMM: the address of what answers, a function that takes this */
};

#define RELAY_WORLD_MSRS 6

/* Guests that share a processor. */
struct relay_group {
	uint64_t nmi; /* one has come to L1 since the last switch: the guest's slice is over */
	uint64_t count;
	uint64_t current;  /* the number of the one that runs */
	uint64_t switches; /* how often another one came to run */
	uint64_t xcr0;     /* all that the processor lets XCR0 enable; 0: it has none */
	uint64_t msr_count;
	uint32_t msrs[RELAY_WORLD_MSRS]; /* that a guest may change and no control structure switches */
};

/* State of a processor that no control structure has, while another guest has the processor. */
struct relay_world {
	uint8_t fpu[RELAY_WORLD_STRIDE - 1024] __attribute__((aligned(64))); /* as XSAVE writes it */
	uint64_t xcr0;
	uint64_t cr2;
	uint64_t dr[5]; /* DR0 to DR3, DR6 */
	uint64_t msr[RELAY_WORLD_MSRS]; /* in the order of the group */
};

_Static_assert(__builtin_offsetof(struct relay_group, nmi) == 0, "the handler finds it there");
_Static_assert(sizeof(struct relay_changes) <= RELAY_CHANGES_STRIDE, "it fits");
_Static_assert(sizeof(struct relay_world) <= RELAY_WORLD_STRIDE, "it fits");

#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG UINT64_C(0x80000000)
#define CR4_PAE 0x20u
#define CR4_OSFXSR 0x200u
#define CR4_LA57 0x1000u
#define CR4_VMXE 0x2000u
#define CR4_PCIDE 0x20000u
#define CR4_OSXSAVE 0x40000u

/* Whether 64-bit mode has this value. */
static inline int is_consistent_cr0(uint64_t value)
{
	return value >> 32 == 0 && (value & CR0_CD || !(value & CR0_NW)) && value & SS_CR0_PE &&
	       value & CR0_PG;
}

/* Whether the processor would load the register in 64-bit mode, for a guest that wants to see `wanted`;
 * if not, it raises #GP. What VMX operation fixes is fixed in the register (Intel SDM vol. 3D, A.7). */
static inline int is_legal_cr0(const struct relay_vcpu *vcpu, uint64_t wanted, uint64_t value)
{
	return is_consistent_cr0(wanted) && is_consistent_cr0(value) &&
	       (value & vcpu->cr0.fixed0) == vcpu->cr0.fixed0 && !(value & ~vcpu->cr0.fixed1);
}

/* The same of CR4, for a guest with this CR3: PAE and LA57 do not change, and with PCIDE CR3[11:0] must be 0
 * (Intel SDM vol. 2B, MOV to control registers). */
static inline int is_legal_cr4(const struct relay_vcpu *vcpu, uint64_t wanted, uint64_t value, uint64_t cr3)
{
	const uint64_t seen = flags_read(&vcpu->cr4.words);

	return !(wanted & (~vcpu->cr4.fixed1 | vcpu->cr4.hidden)) && wanted & CR4_PAE &&
	       !((wanted ^ seen) & CR4_LA57) && !(wanted & ~seen & CR4_PCIDE && cr3 & 0xfff) &&
	       (value & vcpu->cr4.fixed0) == vcpu->cr4.fixed0;
}

_Static_assert(sizeof(struct relay_record) == 48, "shared with the relay");
_Static_assert(sizeof(struct relay_decoded) * RELAY_DECODED_MAX <= RELAY_DECODED_STRIDE, "overlap");
_Static_assert(sizeof(struct relay_vcpu) <= RELAY_VCPU_STRIDE / 2, "half of the area is the stack");
#endif
#endif
