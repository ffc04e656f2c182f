/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/page_walk.h"

#include <errno.h>

#include "views/guest_paging.h"
#include "vmm/emulate/guest_access.h"

/* Of as many bytes as entries have; the rest is 0. */
static bool load_entry(const struct page_walk_space *space, uint64_t gpa, uint64_t *ret_entry)
{
	const size_t size = guest_paging_entry_size(space->mode.paging);
	struct guest_span span;

	*ret_entry = 0;
	if (guest_access_through(space->vm, space->view, gpa_at(gpa), size, VIEW_READ, &span) != 0)
		return false;
	guest_span_read(&span, 0, ret_entry, size);
	return true;
}

/* A fetch is told apart only where something can forbid it (Intel SDM vol. 3A, 4.7). */
static unsigned error_code(const struct page_walk_space *space, unsigned right)
{
	const bool fetch = right == VIEW_EXECUTE && (space->mode.no_execute || space->mode.smep);

	return (right == VIEW_WRITE ? PAGE_FAULT_WRITE : 0) | (space->user ? PAGE_FAULT_USER : 0) |
	       (fetch ? PAGE_FAULT_FETCH : 0);
}

/* Whether entries forbid a fetch: `any` has the bits that one of them has, `all` those that all have. */
static bool no_fetch(const struct page_walk_space *space, uint64_t any, uint64_t all)
{
	return (space->mode.no_execute && any & GUEST_PTE_NO_EXECUTE) ||
	       (space->mode.smep && !space->user && all & GUEST_PTE_USER);
}

/* CR0.WP is taken as set and CR4.SMAP as clear, as a guest starts. */
static int translate(const struct page_walk_space *space, uint64_t linear, unsigned right,
		     struct page_walk_fault *fault, uint64_t *ret_gpa)
{
	const enum guest_paging paging = space->mode.paging;
	unsigned rights = (right == VIEW_WRITE ? GUEST_PTE_WRITE : 0) | (space->user ? GUEST_PTE_USER : 0);
	uint64_t table = guest_paging_root(paging, space->cr3), any = 0, all = UINT64_MAX;

	*fault = (struct page_walk_fault){
		.address = linear,
		.error_code = error_code(space, right),
		.walk = true,
	};
	if (paging == GUEST_PAGING_NONE) {
		*ret_gpa = linear;
		return 0;
	}
	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		unsigned needed = GUEST_PTE_PRESENT | (guest_paging_has_rights(paging, level) ? rights : 0);
		uint64_t entry;

		fault->gpa = guest_paging_entry(paging, table, level, linear);
		if (!load_entry(space, fault->gpa, &entry))
			return -EACCES;
		if ((entry & needed) != needed) {
			fault->error_code |= entry & GUEST_PTE_PRESENT ? PAGE_FAULT_PRESENT : 0;
			return -EFAULT;
		}
		any |= entry;
		all &= guest_paging_has_rights(paging, level) ? entry : UINT64_MAX;
		if (guest_paging_is_page(paging, level, entry)) {
			if (right == VIEW_EXECUTE && no_fetch(space, any, all)) {
				fault->error_code |= PAGE_FAULT_PRESENT;
				return -EFAULT;
			}
			*ret_gpa = guest_paging_page(paging, level, entry, linear);
			return 0;
		}
		table = guest_paging_table(entry);
	}
	return -EFAULT;
}

static int find_byte(const struct page_walk_space *space, uint64_t address, unsigned right, struct page_walk_fault *fault,
		     struct guest_span *ret_span)
{
	uint64_t gpa;
	int rc = translate(space, address, right, fault, &gpa);

	if (rc != 0)
		return rc;
	fault->gpa = gpa;
	fault->walk = false;
	return guest_access_through(space->vm, space->view, gpa_at(gpa), 1, right, ret_span) == 0 ? 0 : -EACCES;
}

static int read_byte(const struct page_walk_space *space, uint64_t address, unsigned right, uint8_t *ret_byte,
		     struct page_walk_fault *fault)
{
	struct guest_span span;
	int rc = find_byte(space, address, right, fault, &span);

	if (rc == 0)
		guest_span_read(&span, 0, ret_byte, 1);
	return rc;
}

int page_walk_read(const struct page_walk_space *space, uint64_t address, void *data, size_t size,
		   struct page_walk_fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < size && rc == 0; i++)
		rc = read_byte(space, address + i, VIEW_READ, (uint8_t *)data + i, fault);
	return rc;
}

/* As a processor does it, which finds all of an operand before it stores any. */
int page_walk_write(const struct page_walk_space *space, uint64_t address, const void *data, size_t size,
		    struct page_walk_fault *fault)
{
	struct guest_span span;
	int rc = 0;

	for (size_t i = 0; i < size && rc == 0; i++)
		rc = find_byte(space, address + i, VIEW_WRITE, fault, &span);
	for (size_t i = 0; i < size && rc == 0; i++) {
		rc = find_byte(space, address + i, VIEW_WRITE, fault, &span);
		if (rc == 0)
			guest_span_write(&span, 0, (const uint8_t *)data + i, 1);
	}
	return rc;
}

int page_walk_probe(const struct page_walk_space *space, uint64_t address, unsigned right,
		    struct page_walk_fault *fault)
{
	struct guest_span span;

	return find_byte(space, address, right, fault, &span);
}

int page_walk_translate(const struct page_walk_space *space, uint64_t address, uint64_t *ret_gpa)
{
	struct page_walk_space any = *space;
	struct page_walk_fault fault;

	any.user = false;
	return translate(&any, address, VIEW_READ, &fault, ret_gpa);
}

bool page_walk_tables(const struct page_walk_space *space, uint64_t address, uint64_t gpa)
{
	const enum guest_paging paging = space->mode.paging;
	uint64_t table = guest_paging_root(paging, space->cr3);

	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		uint64_t at = guest_paging_entry(paging, table, level, address), entry;

		if ((at ^ gpa) < guest_paging_entry_size(paging))
			return true;
		if (!load_entry(space, at, &entry) || !(entry & GUEST_PTE_PRESENT) ||
		    guest_paging_is_page(paging, level, entry))
			return false;
		table = guest_paging_table(entry);
	}
	return false;
}

unsigned page_walk_fetch(const struct page_walk_space *space, uint64_t address, uint8_t *code,
			 unsigned size)
{
	struct page_walk_fault fault;
	unsigned count = 0;

	while (count < size &&
	       read_byte(space, address + count, VIEW_EXECUTE, code + count, &fault) == 0)
		count++;
	return count;
}
