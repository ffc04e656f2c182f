/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_WALKER_H
#define TESTS_WALKER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A slow walker of second-level page tables, written from the tables of the
 * manuals and sharing nothing with the builder: no constant, no type.
 */

struct walk_memory {
	uint64_t base; /* guest-physical address of the tables */
	const unsigned char *host;
	uint64_t size;
};

struct walk_caps {
	bool page_2m;
	bool page_1g;
	bool exec_only;
	bool ad;
	bool ve; /* EPT violations can be exceptions; bit 63 of an entry says where they are not */
	unsigned maxphyaddr;
};

enum walk_status {
	WALK_MAPPED,
	WALK_NOT_PRESENT,
	WALK_BAD /* misconfigured, or not as the builder promises */
};

struct walk {
	enum walk_status status;
	const char *why; /* if bad */
	bool read;
	bool write;
	bool execute;
	uint64_t address;
	uint64_t page_size; /* what one entry of that level covers, also if nothing is mapped */
	bool flags_set;   /* accessed throughout, dirty in the leaf */
	bool flags_clear; /* none of them */
	bool suppressed;  /* bit 63 of an EPT entry, at which the walk ends: a violation is no exception */
};

/* Walks from an EPTP or a nested CR3. */
struct walk walk_ept(const struct walk_memory *memory,
		     const struct walk_caps *caps, uint64_t eptp,
		     uint64_t address);
struct walk walk_npt(const struct walk_memory *memory,
		     const struct walk_caps *caps, uint64_t nested_cr3,
		     uint64_t address);

/* Counts tables from a root, once per entry that refers to them. */
uint64_t walk_count_tables(const struct walk_memory *memory, uint64_t root);

#endif
