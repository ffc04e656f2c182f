/* SPDX-License-Identifier: GPL-2.0-only */
#include "linear.h"

#include <errno.h>

#include "views/effect.h"
#include "views/guest_paging.h"

#define PTE_PRESENT GUEST_PTE_PRESENT
#define PTE_WRITE 2u
#define PTE_USER 4u

/* What the view shows at a guest-physical address, if it grants the right. */
static bool through_view(const struct linear_space *space, uint64_t gpa, unsigned right,
			 gpa_t *ret_target)
{
	struct view_effect effect = policy_effect(&space->vm->policy, space->view, gpa_at(gpa));

	*ret_target = effect.target;
	return effect.rights & right;
}

/* Of as many bytes as entries have; the rest is 0. */
static bool load_entry(const struct linear_space *space, uint64_t gpa, uint64_t *ret_entry)
{
	gpa_t target;

	*ret_entry = 0;
	return through_view(space, gpa, VIEW_READ, &target) &&
	       guest_ram_read(&space->vm->ram, target, ret_entry,
			      guest_paging_entry_size(space->mode.paging)) == 0;
}

/* CR0.WP is taken as set and CR4.SMAP as clear, as a guest starts. */
static int translate(const struct linear_space *space, uint64_t linear, bool write,
		     struct linear_fault *fault, uint64_t *ret_gpa)
{
	const enum guest_paging paging = space->mode.paging;
	unsigned rights = (write ? PTE_WRITE : 0) | (space->user ? PTE_USER : 0);
	uint64_t table = guest_paging_root(paging, space->cr3);

	*fault = (struct linear_fault){
		.address = linear,
		.error_code = (write ? LINEAR_WRITE : 0) | (space->user ? LINEAR_USER : 0),
		.walk = true,
	};
	if (paging == GUEST_PAGING_NONE) {
		*ret_gpa = linear;
		return 0;
	}
	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		unsigned needed = PTE_PRESENT | (guest_paging_has_rights(paging, level) ? rights : 0);
		uint64_t entry;

		fault->gpa = guest_paging_entry(paging, table, level, linear);
		if (!load_entry(space, fault->gpa, &entry))
			return -EACCES;
		if ((entry & needed) != needed) {
			fault->error_code |= entry & PTE_PRESENT ? LINEAR_PRESENT : 0;
			return -EFAULT;
		}
		if (guest_paging_is_page(paging, level, entry)) {
			*ret_gpa = guest_paging_page(paging, level, entry, linear);
			return 0;
		}
		table = guest_paging_table(entry);
	}
	return -EFAULT;
}

static int access_byte(const struct linear_space *space, uint64_t address, uint8_t *byte,
		       unsigned right, struct linear_fault *fault)
{
	uint64_t gpa;
	gpa_t target;
	int rc = translate(space, address, right == VIEW_WRITE, fault, &gpa);

	if (rc != 0)
		return rc;
	fault->gpa = gpa;
	fault->walk = false;
	if (!through_view(space, gpa, right, &target))
		return -EACCES;
	rc = right == VIEW_WRITE ? guest_ram_write(&space->vm->ram, target, byte, 1)
				 : guest_ram_read(&space->vm->ram, target, byte, 1);
	return rc == 0 ? 0 : -EACCES;
}

int linear_read(const struct linear_space *space, uint64_t address, void *data, size_t size,
		struct linear_fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < size && rc == 0; i++)
		rc = access_byte(space, address + i, (uint8_t *)data + i, VIEW_READ, fault);
	return rc;
}

int linear_write(const struct linear_space *space, uint64_t address, const void *data, size_t size,
		 struct linear_fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < size && rc == 0; i++) {
		uint8_t byte = ((const uint8_t *)data)[i];

		rc = access_byte(space, address + i, &byte, VIEW_WRITE, fault);
	}
	return rc;
}

int linear_translate(const struct linear_space *space, uint64_t address, uint64_t *ret_gpa)
{
	struct linear_space any = *space;
	struct linear_fault fault;

	any.user = false;
	return translate(&any, address, false, &fault, ret_gpa);
}

bool linear_walks(const struct linear_space *space, uint64_t address, uint64_t gpa)
{
	const enum guest_paging paging = space->mode.paging;
	uint64_t table = guest_paging_root(paging, space->cr3);

	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		uint64_t at = guest_paging_entry(paging, table, level, address), entry;

		if ((at ^ gpa) < guest_paging_entry_size(paging))
			return true;
		if (!load_entry(space, at, &entry) || !(entry & PTE_PRESENT) ||
		    guest_paging_is_page(paging, level, entry))
			return false;
		table = guest_paging_table(entry);
	}
	return false;
}

unsigned linear_fetch(const struct linear_space *space, uint64_t address, uint8_t *code,
		      unsigned size)
{
	struct linear_fault fault;
	unsigned count = 0;

	while (count < size &&
	       access_byte(space, address + count, code + count, VIEW_EXECUTE, &fault) == 0)
		count++;
	return count;
}
