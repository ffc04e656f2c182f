/* SPDX-License-Identifier: GPL-2.0-only */
#include "linear.h"

#include <errno.h>

#include "guest_access.h"

#define PTE_PRESENT 1u
#define PTE_WRITE 2u
#define PTE_USER 4u
#define PTE_LARGE 0x80u
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

static bool load_entry(const struct linear_space *space, uint64_t gpa, uint64_t *ret_entry)
{
	struct guest_span span;

	if (guest_access_through(space->vm, space->view, gpa_at(gpa), sizeof(*ret_entry), VIEW_READ,
				 &span) != 0)
		return false;
	guest_span_read(&span, 0, ret_entry, sizeof(*ret_entry));
	return true;
}

/* CR0.WP is taken as set and CR4.SMAP as clear, as a guest starts. */
static int translate(const struct linear_space *space, uint64_t linear, bool write,
		     struct linear_fault *fault, uint64_t *ret_gpa)
{
	unsigned needed = PTE_PRESENT | (write ? PTE_WRITE : 0) | (space->user ? PTE_USER : 0);
	uint64_t table = space->cr3 & PTE_ADDRESS;

	*fault = (struct linear_fault){
		.address = linear,
		.error_code = (write ? LINEAR_WRITE : 0) | (space->user ? LINEAR_USER : 0),
		.walk = true,
	};
	for (unsigned level = 4; level >= 1; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t entry, offset = (UINT64_C(1) << shift) - 1;

		fault->gpa = table + (linear >> shift & 511) * 8;
		if (!load_entry(space, fault->gpa, &entry))
			return -EACCES;
		if ((entry & needed) != needed) {
			fault->error_code |= entry & PTE_PRESENT ? LINEAR_PRESENT : 0;
			return -EFAULT;
		}
		if (level == 1 || (level <= 3 && entry & PTE_LARGE)) {
			*ret_gpa = (entry & PTE_ADDRESS & ~offset) | (linear & offset);
			return 0;
		}
		table = entry & PTE_ADDRESS;
	}
	return -EFAULT;
}

static int access_byte(const struct linear_space *space, uint64_t address, uint8_t *byte,
		       unsigned right, struct linear_fault *fault)
{
	struct guest_span span;
	uint64_t gpa;
	int rc = translate(space, address, right == VIEW_WRITE, fault, &gpa);

	if (rc != 0)
		return rc;
	fault->gpa = gpa;
	fault->walk = false;
	if (guest_access_through(space->vm, space->view, gpa_at(gpa), 1, right, &span) != 0)
		return -EACCES;
	if (right == VIEW_WRITE)
		guest_span_write(&span, 0, byte, 1);
	else
		guest_span_read(&span, 0, byte, 1);
	return 0;
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
	uint64_t table = space->cr3 & PTE_ADDRESS;

	for (unsigned level = 4; level >= 1; level--) {
		uint64_t at = table + (address >> (12 + 9 * (level - 1)) & 511) * 8, entry;

		if ((at ^ gpa) < sizeof(entry))
			return true;
		if (!load_entry(space, at, &entry) || !(entry & PTE_PRESENT) ||
		    (level <= 3 && entry & PTE_LARGE))
			return false;
		table = entry & PTE_ADDRESS;
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
