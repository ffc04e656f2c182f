/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory by linear address: the guest's page tables, of whatever mode, seen through a view. */
#ifndef VMM_EMULATE_PAGE_WALK_H
#define VMM_EMULATE_PAGE_WALK_H

#include "vmm/emulate/cpu_mode.h"
#include "vmm/vm/vm.h"

struct page_walk_space {
	struct vm *vm;
	uint32_t view;
	uint64_t cr3;
	bool user; /* accesses count as made at CPL 3 */
	struct cpu_mode mode; /* what comes before linear addresses: see instruction.h */
};

/* Why an access did not succeed. */
struct page_walk_fault {
	uint64_t address;    /* linear */
	unsigned error_code; /* of -EFAULT */
	uint64_t gpa;        /* of -EACCES */
	bool walk;           /* of -EACCES: that is in the guest's page tables */
};

/*
 * Copies between guest memory and `data`. Returns 0; -EFAULT if the guest's page tables forbid it;
 * -EACCES if the view does, or if there is no memory. What precedes the fault has been read, and nothing has been
 * written.
 */
int page_walk_read(const struct page_walk_space *space, uint64_t address, void *data, size_t size,
		   struct page_walk_fault *fault);
int page_walk_write(const struct page_walk_space *space, uint64_t address, const void *data, size_t size,
		    struct page_walk_fault *fault);

/* Whether a byte can be accessed so (VIEW_READ, VIEW_WRITE or VIEW_EXECUTE), without an access. Results as above. */
int page_walk_probe(const struct page_walk_space *space, uint64_t address, unsigned right,
		    struct page_walk_fault *fault);

/* Where the guest's page tables map an address, whatever rights they give. Returns 0, -EFAULT or
 * -EACCES. */
int page_walk_translate(const struct page_walk_space *space, uint64_t address, uint64_t *ret_gpa);

/* Whether the guest's page tables translate an address by way of the entry at `gpa`. */
bool page_walk_tables(const struct page_walk_space *space, uint64_t address, uint64_t gpa);

/* Copies up to `size` bytes of code; fewer at the end of what is mapped. Returns how many. */
unsigned page_walk_fetch(const struct page_walk_space *space, uint64_t address, uint8_t *code,
			 unsigned size);

#endif
