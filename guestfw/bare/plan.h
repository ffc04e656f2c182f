/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A computer image: the loader, and behind it a plan for each vendor of processors, as `sidestep image` has written it.
 *
 * A plan is made for a block of physical memory at BARE_BASE: the guest's memory, the monitor's (guestfw/relay/relay.h)
 * and room for records. It is never there, but below 3 GiB where the loader finds free memory, and what is an address in
 * the block moves along. Nothing else in a plan looks like one.
 */
#ifndef SIDESTEP_BARE_PLAN_H
#define SIDESTEP_BARE_PLAN_H

#include "guestfw/relay/relay.h"

#define BARE_LOAD 0x100000 /* where the image is loaded */
#define BARE_MAGIC 0x4552414250455453 /* "STEPBARE" */
#define BARE_BASE (UINT64_C(32) << 30)
#define BARE_ENTRY 0xc0010100 /* of the monitor, in the relay's image: bare_start() */
#define BARE_PORT_MAP 0xc1500000 /* three pages, where the monitor's memory has nothing else */
#define BARE_VARIABLES 0xc1510000 /* behind them: 64 KiB of the monitor's own (monitor.ld) */
#define BARE_LOG_SIZE 0x400000
#define BARE_POOL_PAGES 1024   /* for tables that change */
#define BARE_WRITES_MAX 12

enum bare_vendor { BARE_VENDOR_INVALID, BARE_VMX, BARE_SVM };

/* Where the loader begins to look, on a page of its own. Offsets are from the loader's first byte. */
struct bare_image {
	uint64_t magic;
	uint64_t size; /* of the whole image */
	uint64_t plan[3]; /* offsets of the plans, by vendor; 0: there is none */
};

/* What is put into the block; all else is zero. */
struct bare_extent {
	uint64_t place; /* offset in the block */
	uint64_t size;
	uint64_t data; /* offset in the plan */
};

struct bare_write {
	uint64_t field; /* encoding of VMX, or offset << 8 | width in a VMCB */
	uint64_t value;
};

/* What SS_REQUEST_SETUP puts in place for an operation. */
struct bare_setup {
	struct relay_register cr0, cr4;
	struct vmfunc_state vmfunc;
	uint64_t list_index, list_value; /* an entry of the view list that differs; EPTP_LIST_ENTRIES: none does */
	struct ss_flag_words words;
	uint64_t needs_ve; /* violations are #VE */
	struct bare_write writes[BARE_WRITES_MAX]; /* of the control structure */
};

/* The policy, as far as rights can change: regions, views, and the rules of each view. Addresses are guest-physical. */
struct bare_region {
	uint64_t start, size;
};

struct bare_view {
	uint32_t first_rule, rule_count;
	uint32_t rights, ve; /* in memory without a rule; what these forbid there is #VE */
};

struct bare_rule {
	uint32_t region, ve;
	uint64_t shown; /* at the region's first byte */
};

/* A guest: where its memory is in the block, and offsets in the plan of struct bare_setup: none, and that of each
 * operation; of random programs each of BARE_PROGRAM_SETUPS. */
struct bare_guest_plan {
	uint64_t place;
	uint64_t setups, program_setups;
	uint64_t write_count; /* of each of its setups */
};

struct bare_plan {
	uint64_t size; /* of the plan, in bytes */
	uint64_t vendor;
	uint64_t block; /* bytes of memory */
	uint64_t guest_size; /* of each guest */
	uint64_t guest_count, guests; /* that share a processor; offset in the plan of struct bare_guest_plan */
	uint64_t slice_ms; /* after which the next one has it; 0: only when it yields, halts or ends */
	uint64_t vcpu_count; /* of each guest: one, if there are several */
	uint64_t monitor, monitor_size; /* where RELAY_BASE is in the block, and what is there of it */
	uint64_t log;                   /* in the block, BARE_LOG_SIZE */
	uint64_t pool;                  /* in the block, BARE_POOL_PAGES */
	/* Offsets in the plan, and how much is there. */
	uint64_t extents, extent_count;
	uint64_t records, records_size; /* that the ledger begins with */
	uint64_t operation_count;
	uint64_t controls; /* control structures, 4096 bytes each as KVM has them, of every vCPU of every guest */
	uint64_t view_count, region_count;
	uint64_t regions, views, rules; /* offsets in the plan */
	uint64_t unbacked; /* value of a field that stands for an address without memory */
	uint64_t stop_on_violation, report_on_violation, refuse;
	uint64_t vcpu_pages; /* guest-physical, one behind the other */
	uint64_t ve_pages;   /* the same; 0: no violation is #VE */
	uint64_t needs_ve;  /* the views do, whatever the guest performs */
	/* Random programs: how many, and which. */
	uint64_t programs, seed, shard, shards;
	uint64_t program_masks; /* enum program_masks */
	uint64_t engine, embodiment, on_ask; /* for the reference model */
};

/* Masks of a program, and its register, as a number: three flags of CR0 or CR4 each masked, kept and set in the shadow. */
#define BARE_PROGRAM_SETUPS 1024

static inline uint32_t bare_program_flags(uint32_t cr, uint32_t flags)
{
	return cr == 4 ? (flags >> 2 & 3) | (flags >> 8 & 1) << 2 : flags >> 1 & 7;
}

static inline uint32_t bare_program_setup(const struct ss_program *program)
{
	return (program->cr == 4 ? 512u : 0u) | bare_program_flags(program->cr, program->masked) << 6 |
	       bare_program_flags(program->cr, program->kept) << 3 | bare_program_flags(program->cr, program->shadow);
}

static inline const void *bare_part(const struct bare_plan *plan, uint64_t offset)
{
	return (const uint8_t *)plan + offset;
}

/* Addresses in the planned block, in entries of tables and pointers too, follow it; all else stays. */
static inline uint64_t bare_move(const struct bare_plan *plan, uint64_t base, uint64_t word)
{
	const uint64_t address = word & UINT64_C(0x000ffffffffff000);

	return address - BARE_BASE < plan->block ? word - BARE_BASE + base : word;
}

#endif
