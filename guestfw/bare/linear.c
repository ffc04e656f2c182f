/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory by a linear address, for instructions that the monitor carries out: what keeps the guest from it is what
 * the processor would have raised. */
#include "bare.h"
#include "memory.h"
#include "views/guest_paging.h"
#include "views/policy.h"

/* Of the guest's own tables. */
#define PTE_ACCESSED 0x20u
#define PTE_DIRTY 0x40u
#define CR0_WP 0x10000u
#define CR4_SMAP 0x200000u
#define RFLAGS_AC 0x40000u
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

/* A data access by a linear address. */
struct access {
	struct relay_vcpu *vcpu;
	const struct bare_exit *exit;
	uint64_t linear;
	unsigned right;
	enum guest_paging paging;
};

/* The view does not grant it. */
static int forbid(const struct access *access, uint64_t gpa, unsigned right, int walk)
{
	struct bare_exit exit = *access->exit;

	exit.violation = (struct bare_violation){
		.gpa = gpa,
		.gva = access->linear,
		.access = right,
		.walk = walk,
		.gva_known = 1,
	};
	bare_violation_exit(access->vcpu, &exit);
	return 0;
}

static int is_user(const struct access *access)
{
	return access->exit->cpl == 3;
}

/* Error codes have their flags where entries have theirs (Intel SDM vol. 3A, 4.7). */
static int fault(const struct access *access, unsigned present)
{
	const unsigned write = access->right == VIEW_WRITE ? GUEST_PTE_WRITE : 0, user = is_user(access) ? GUEST_PTE_USER : 0;

	bare_inject(access->vcpu, VECTOR_PF, present | write | user);
	access->vcpu->fault_address = access->linear;
	return 0;
}

/* What every entry on the way must have. */
static unsigned needed_flags(const struct access *access)
{
	const int checked = is_user(access) || vendor_register(access->vcpu, 0) & CR0_WP;

	return (access->right == VIEW_WRITE && checked ? GUEST_PTE_WRITE : 0) | (is_user(access) ? GUEST_PTE_USER : 0);
}

/* Whether supervisors are kept from a page that users may access (Intel SDM vol. 3A, 4.6.1). */
static int is_kept_away(const struct access *access)
{
	return !is_user(access) && vendor_register(access->vcpu, 4) & CR4_SMAP &&
	       !(vendor_rflags(access->vcpu) & RFLAGS_AC);
}

/* As the processor does, which writes the entry only if they are not set. */
static int mark(const struct access *access, uint64_t at, uint64_t entry, unsigned flags)
{
	uint8_t *low;

	if ((entry & flags) == flags)
		return 1;
	low = bare_guest(access->vcpu, at, 1, VIEW_READ | VIEW_WRITE);
	if (!low)
		return forbid(access, at, VIEW_WRITE, 1);
	*low |= (uint8_t)flags;
	return 1;
}

/* Goes through the guest's tables. Returns 0 if the access raises an exception, which is the answer then. */
static int translate(const struct access *access, uint64_t *ret_gpa)
{
	const enum guest_paging paging = access->paging;
	const unsigned needed = needed_flags(access), dirty = access->right == VIEW_WRITE ? PTE_DIRTY : 0;
	uint64_t table = guest_paging_root(paging, vendor_register(access->vcpu, 3));
	unsigned user = GUEST_PTE_USER;

	for (unsigned level = guest_paging_levels(paging);; level--) {
		const uint64_t at = guest_paging_entry(paging, table, level, access->linear);
		const void *from = bare_guest(access->vcpu, at, guest_paging_entry_size(paging), VIEW_READ);
		const int has_rights = guest_paging_has_rights(paging, level);
		uint64_t entry = 0;
		int is_page;

		if (!from)
			return forbid(access, at, VIEW_READ, 1);
		memcpy(&entry, from, guest_paging_entry_size(paging));
		if (!(entry & GUEST_PTE_PRESENT))
			return fault(access, 0);
		is_page = guest_paging_is_page(paging, level, entry);
		if (has_rights)
			user &= (unsigned)entry;
		if (has_rights && ((entry & needed) != needed || (is_page && user && is_kept_away(access))))
			return fault(access, GUEST_PTE_PRESENT);
		if (has_rights && !mark(access, at, entry, PTE_ACCESSED | (is_page ? dirty : 0)))
			return 0;
		if (is_page) {
			*ret_gpa = guest_paging_page(paging, level, entry, access->linear);
			return 1;
		}
		table = guest_paging_table(entry);
	}
}

static enum guest_paging paging_of(const struct relay_vcpu *vcpu)
{
	return guest_paging_of(vendor_register(vcpu, 0), vendor_register(vcpu, 4), vendor_efer(vcpu));
}

static int is_canonical(enum guest_paging paging, uint64_t linear)
{
	const unsigned shift = paging == GUEST_PAGING_5_LEVELS ? 7 : 16;

	return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

static int check_canonical(struct relay_vcpu *vcpu, const struct bare_exit *exit, enum guest_paging paging,
			   uint64_t linear)
{
	if (!exit->is_64 || is_canonical(paging, linear))
		return 1;
	bare_inject(vcpu, exit->is_stack ? VECTOR_SS : VECTOR_GP, 0);
	return 0;
}

void *bare_linear(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, unsigned right)
{
	const struct access access = {
		.vcpu = vcpu,
		.exit = exit,
		.linear = linear,
		.right = right,
		.paging = paging_of(vcpu),
	};
	uint64_t gpa = linear;
	void *memory;

	if (!check_canonical(vcpu, exit, access.paging, linear))
		return NULL;
	if (access.paging != GUEST_PAGING_NONE && !translate(&access, &gpa))
		return NULL;
	memory = bare_guest(vcpu, gpa, 1, right);
	if (!memory)
		forbid(&access, gpa, right, 0);
	return memory;
}

/* An address that is not canonical comes before what tables say of the first page. */
int bare_linear_pages(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, unsigned size,
		      unsigned right, uint8_t *ret_pages[2])
{
	const uint64_t offset = linear % GPA_PAGE_SIZE, last = bare_in_mode(exit, linear + size - 1);
	uint8_t *first, *next = NULL;

	if (!check_canonical(vcpu, exit, paging_of(vcpu), last))
		return 0;
	first = bare_linear(vcpu, exit, linear, right);
	if (!first)
		return 0;
	if (offset + size > GPA_PAGE_SIZE) {
		next = bare_linear(vcpu, exit, last - last % GPA_PAGE_SIZE, right);
		if (!next)
			return 0;
	}
	ret_pages[0] = first - offset;
	ret_pages[1] = next;
	return 1;
}
