/* SPDX-License-Identifier: GPL-2.0-only */
/* Linear addresses of a guest in every mode of paging, for instructions that the bare monitor completes. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "guestfw/bare/access.c"
#include "guestfw/bare/linear.c"

#define GUEST_SIZE 0x800000u
#define TABLE(level) ((level) * PAGE) /* guest-physical, of the guest's tables */
#define DATA UINT64_C(0x10000)
#define OFFSET 0x123
#define VIEW_ALL 7

static uint8_t *memory;
static uint64_t *view[1 + 3]; /* root, and one table a level; the last one is that of the lowest 2 MiB */
static uint64_t cr0, cr4, efer, rflags;
static struct relay_vcpu vcpu;
static struct bare_violation forbidden;
static unsigned violations;
struct bare bare;

uint64_t vendor_register(const struct relay_vcpu *of, unsigned number)
{
	(void)of;
	return number == 0 ? cr0 : number == 4 ? cr4 : TABLE(guest_paging_levels(guest_paging_of(cr0, cr4, efer)));
}

uint64_t vendor_efer(const struct relay_vcpu *of)
{
	(void)of;
	return efer;
}

uint64_t vendor_rflags(const struct relay_vcpu *of)
{
	(void)of;
	return rflags;
}

uint64_t vendor_view(const struct relay_vcpu *of)
{
	(void)of;
	return (uint64_t)(uintptr_t)view[0];
}

int vendor_grants(uint64_t entry, unsigned rights)
{
	return (entry & rights) == rights;
}

void bare_inject(struct relay_vcpu *to, uint64_t vector, uint64_t error_code)
{
	to->action = RELAY_INJECT;
	to->vector = vector;
	to->error_code = error_code;
}

void bare_violation_exit(struct relay_vcpu *of, const struct bare_exit *exit)
{
	bare_inject(of, VECTOR_PF, 0);
	forbidden = exit->violation;
	violations++;
}

static void *pages(size_t size)
{
	void *at = aligned_alloc(0x200000, (size + 0x1fffff) & ~(size_t)0x1fffff);

	assert_non_null(at);
	memset(at, 0, size);
	return at;
}

/* The view shows all memory, the lowest 2 MiB by pages of 4 KiB. */
static int set_up(void **state)
{
	static struct bare_plan plan = {.guest_size = GUEST_SIZE};

	(void)state;
	bare.plan = &plan;
	memory = pages(GUEST_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(view); i++)
		view[i] = pages(PAGE);
	for (unsigned i = 0; i + 1 < ARRAY_SIZE(view); i++)
		view[i][0] = (uint64_t)(uintptr_t)view[i + 1] | VIEW_ALL;
	for (unsigned i = 1; i < GUEST_SIZE >> 21; i++)
		view[2][i] = (uint64_t)(uintptr_t)(memory + ((size_t)i << 21)) | PAGING_LARGE | VIEW_ALL;
	for (unsigned i = 0; i < 512; i++)
		view[3][i] = (uint64_t)(uintptr_t)(memory + PAGE * i) | VIEW_ALL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(memory);
	for (unsigned i = 0; i < ARRAY_SIZE(view); i++)
		free(view[i]);
	return 0;
}

static const struct mode {
	enum guest_paging paging;
	uint64_t cr4, efer;
} modes[] = {
	{GUEST_PAGING_4_LEVELS, 0x20, 0x500}, {GUEST_PAGING_5_LEVELS, 0x1020, 0x500}, {GUEST_PAGING_PAE, 0x20, 0},
	{GUEST_PAGING_32, 0x10, 0},	      {GUEST_PAGING_32_4K, 0, 0},
};

static uint8_t *entry_at(const struct mode *mode, unsigned level)
{
	return memory + TABLE(level) + (uint64_t)level * guest_paging_entry_size(mode->paging);
}

static uint64_t linear_of(const struct mode *mode)
{
	uint64_t linear = OFFSET;

	for (unsigned level = 1; level <= guest_paging_levels(mode->paging); level++)
		linear |= (uint64_t)level << guest_paging_shift(mode->paging, level);
	return linear;
}

static void set_entry(const struct mode *mode, unsigned level, uint64_t value)
{
	memcpy(entry_at(mode, level), &value, guest_paging_entry_size(mode->paging));
}

/* Each table's entry leads to the next one, the last one's to DATA, with all rights. */
static void map(const struct mode *mode)
{
	cr0 = 0x80000031;
	cr4 = mode->cr4;
	efer = mode->efer;
	rflags = 2;
	memset(memory, 0, DATA);
	for (unsigned level = 1; level <= guest_paging_levels(mode->paging); level++)
		set_entry(mode, level, (level == 1 ? DATA : TABLE(level - 1)) | 7);
	vcpu = (struct relay_vcpu){0};
	violations = 0;
}

static void *find(const struct mode *mode, unsigned right, unsigned cpl)
{
	const struct bare_exit exit = {.cpl = cpl, .is_64 = mode->efer != 0};

	return bare_linear(&vcpu, &exit, linear_of(mode), right);
}

/* What a processor decides, of flags that one level gives and all others too. */
static bool is_granted(unsigned flags, bool write, bool user)
{
	if (user)
		return flags & 4 && (!write || flags & 2);
	return !(write && cr0 & CR0_WP && !(flags & 2)) && !(cr4 & CR4_SMAP && !(rflags & RFLAGS_AC) && flags & 4);
}

static void check_marks(const struct mode *mode, bool write)
{
	for (unsigned level = 1; level <= guest_paging_levels(mode->paging); level++) {
		const unsigned marks = *entry_at(mode, level) & 0x60;

		if (guest_paging_has_rights(mode->paging, level))
			assert_int_equal(marks, level == 1 && write ? 0x60 : 0x20);
		else
			assert_int_equal(marks, 0);
	}
}

static void check_access(const struct mode *mode, unsigned flags, bool has_rights, bool write, bool user)
{
	uint8_t *found = find(mode, write ? VIEW_WRITE : VIEW_READ, user ? 3 : 0);

	assert_int_equal(violations, 0);
	if (flags & 1 && is_granted(has_rights ? flags : 7, write, user)) {
		assert_ptr_equal(found, memory + DATA + OFFSET);
		check_marks(mode, write);
		return;
	}
	assert_null(found);
	assert_int_equal(vcpu.action, RELAY_INJECT);
	assert_int_equal(vcpu.vector, 14);
	assert_int_equal(vcpu.error_code, (flags & 1) | (write ? 2 : 0) | (user ? 4 : 0));
	assert_int_equal(vcpu.fault_address, linear_of(mode));
	assert_int_equal(*entry_at(mode, 1) & 0x40, 0);
}

static void rights_are_those_of_all_levels(void **state)
{
	(void)state;
	for (unsigned m = 0; m < ARRAY_SIZE(modes); m++)
		for (unsigned level = 1; level <= guest_paging_levels(modes[m].paging); level++)
			for (unsigned n = 0; n < 1u << 8; n++) {
				const unsigned flags = n & 7;

				map(&modes[m]);
				set_entry(&modes[m], level, (level == 1 ? DATA : TABLE(level - 1)) | flags);
				cr0 |= n & 8 ? CR0_WP : 0;
				cr4 |= n & 16 ? CR4_SMAP : 0;
				rflags |= n & 32 ? RFLAGS_AC : 0;
				check_access(&modes[m], flags, guest_paging_has_rights(modes[m].paging, level), n & 64,
					     n & 128);
			}
}

static void pages_may_be_large(void **state)
{
	(void)state;
	map(&modes[0]);
	set_entry(&modes[0], 2, 0x400000 | 0x87);
	assert_ptr_equal(find(&modes[0], VIEW_WRITE, 0), memory + 0x400000 + (linear_of(&modes[0]) & 0x1fffff));
	assert_int_equal(*entry_at(&modes[0], 2), 0xe7);
	map(&modes[3]);
	set_entry(&modes[3], 2, 0x400000 | 0x87);
	assert_ptr_equal(find(&modes[3], VIEW_READ, 0), memory + 0x400000 + (linear_of(&modes[3]) & 0x3fffff));
	assert_int_equal(*entry_at(&modes[3], 2), 0xa7);
}

static void without_paging_addresses_are_physical(void **state)
{
	const struct bare_exit exit = {.cpl = 0};

	(void)state;
	map(&modes[4]);
	cr0 = 0x31;
	assert_ptr_equal(bare_linear(&vcpu, &exit, 0x12345, VIEW_WRITE), memory + 0x12345);
	assert_null(bare_linear(&vcpu, &exit, GUEST_SIZE, VIEW_WRITE));
	assert_int_equal(violations, 1);
	assert_int_equal(forbidden.gpa, GUEST_SIZE);
}

static void addresses_are_canonical(void **state)
{
	static const struct {
		unsigned mode;
		uint64_t linear;
		unsigned vector;
	} rows[] = {
		{0, UINT64_C(0x00007fffffffffff), 14}, {0, UINT64_C(0x0000800000000000), 13},
		{0, UINT64_C(0xffff7fffffffffff), 13}, {0, UINT64_C(0xffff800000000000), 14},
		{1, UINT64_C(0x00ffffffffffffff), 14}, {1, UINT64_C(0x0100000000000000), 13},
		{1, UINT64_C(0xfeffffffffffffff), 13}, {1, UINT64_C(0xff00000000000000), 14},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct bare_exit exit = {.is_64 = 1};

		map(&modes[rows[i].mode]);
		assert_null(bare_linear(&vcpu, &exit, rows[i].linear, VIEW_READ));
		assert_int_equal(vcpu.vector, rows[i].vector);
		assert_int_equal(vcpu.error_code, 0);
	}
}

static void check_violation(uint64_t gpa, unsigned access, int walk)
{
	assert_int_equal(violations, 1);
	assert_int_equal(forbidden.gpa, gpa);
	assert_int_equal(forbidden.gva, linear_of(&modes[0]));
	assert_true(forbidden.gva_known);
	assert_int_equal(forbidden.access, access);
	assert_int_equal(forbidden.walk, walk);
	assert_int_equal(forbidden.delivery, 0);
}

/* The view is asked for every table, and for the page itself. */
static void views_forbid(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 4; level++) {
		const uint64_t gpa = TABLE(level) + 8 * level;

		map(&modes[0]);
		view[3][level] &= ~UINT64_C(7);
		assert_null(find(&modes[0], VIEW_WRITE, 3));
		check_violation(gpa, VIEW_READ, 1);
		view[3][level] |= VIEW_READ;
		map(&modes[0]);
		assert_null(find(&modes[0], VIEW_READ, 3));
		check_violation(gpa, VIEW_WRITE, 1);
		/* What has been accessed already is not written. */
		*entry_at(&modes[0], level) |= 0x20;
		violations = 0;
		assert_ptr_equal(find(&modes[0], VIEW_READ, 3), memory + DATA + OFFSET);
		view[3][level] |= VIEW_ALL;
	}
	map(&modes[0]);
	view[3][DATA / PAGE] &= ~(uint64_t)VIEW_WRITE;
	assert_ptr_equal(find(&modes[0], VIEW_READ, 0), memory + DATA + OFFSET);
	assert_null(find(&modes[0], VIEW_WRITE, 0));
	check_violation(DATA + OFFSET, VIEW_WRITE, 0);
	view[3][DATA / PAGE] |= VIEW_ALL;
}

/* What follows in linear memory lies in front of it. */
static void map_next(const struct mode *mode, unsigned flags)
{
	map(mode);
	set_entry(mode, 1, DATA | 7);
	memset(entry_at(mode, 1) + guest_paging_entry_size(mode->paging), 0, guest_paging_entry_size(mode->paging));
	*(uint32_t *)(void *)(entry_at(mode, 1) + guest_paging_entry_size(mode->paging)) = (uint32_t)(DATA - 2 * PAGE) | flags;
}

static int find_pages(const struct mode *mode, uint64_t offset, unsigned size, unsigned right, uint8_t *ret_pages[2])
{
	const struct bare_exit exit = {.is_64 = mode->efer != 0};

	return bare_linear_pages(&vcpu, &exit, linear_of(mode) - OFFSET + offset, size, right, ret_pages);
}

/* In its page, up to the end of it, and over the end, by 1 to 7 bytes. */
static void operands_may_end_in_the_next_page(void **state)
{
	uint8_t *pages[2];

	(void)state;
	for (unsigned m = 0; m < ARRAY_SIZE(modes); m++)
		for (unsigned beyond = 0; beyond < 8; beyond++) {
			const uint64_t offset = PAGE - 8 + beyond;

			map_next(&modes[m], 7);
			assert_int_equal(find_pages(&modes[m], offset, 8, VIEW_READ, pages), 1);
			for (unsigned i = 0; i < 8; i++)
				assert_ptr_equal(bare_byte(pages, offset + i),
						 memory + (offset + i < PAGE ? DATA + offset + i
									     : DATA - 2 * PAGE + offset + i - PAGE));
			/* Nobody asks for a page that no byte is in. */
			map_next(&modes[m], 6);
			assert_int_equal(find_pages(&modes[m], offset, 8, VIEW_WRITE, pages), beyond == 0);
			if (beyond == 0)
				continue;
			assert_int_equal(vcpu.vector, 14);
			assert_int_equal(vcpu.error_code, 2);
			assert_int_equal(vcpu.fault_address, linear_of(&modes[m]) - OFFSET + PAGE);
		}
}

static void operands_wrap_with_the_mode(void **state)
{
	const struct bare_exit exit = {.cpl = 0}, long_exit = {.is_64 = 1};
	uint8_t *pages[2];

	(void)state;
	map(&modes[4]);
	cr0 = 0x31;
	assert_int_equal(bare_linear_pages(&vcpu, &exit, UINT32_MAX, 2, VIEW_READ, pages), 0);
	assert_int_equal(forbidden.gpa, UINT32_MAX);
	map(&modes[2]);
	/* The first page is mapped at the end of 4 GiB, where indexes are those of the last entries, and page 0 is not. */
	set_entry(&modes[2], 1, 0);
	for (unsigned level = 1; level <= 3; level++) {
		const uint64_t last = level == 3 ? 3 : 511, entry = (level == 1 ? DATA : TABLE(level - 1)) | (level == 3 ? 1 : 7);

		memcpy(memory + TABLE(level) + 8 * last, &entry, 8);
	}
	assert_int_equal(bare_linear_pages(&vcpu, &exit, UINT32_MAX, 2, VIEW_READ, pages), 0);
	assert_int_equal(vcpu.vector, 14);
	assert_int_equal(vcpu.fault_address, 0);
	/* In 64-bit mode page 0 follows the last one, too. */
	map(&modes[0]);
	assert_int_equal(bare_linear_pages(&vcpu, &long_exit, UINT64_MAX, 2, VIEW_READ, pages), 0);
	assert_int_equal(vcpu.vector, 14);
	assert_int_equal(vcpu.fault_address, UINT64_MAX);
}

/* The whole operand, before tables say anything of the first page; in SS by its own exception. */
static void operands_are_canonical(void **state)
{
	uint8_t *pages[2];

	(void)state;
	for (int is_stack = 0; is_stack < 2; is_stack++) {
		const struct bare_exit exit = {.is_64 = 1, .is_stack = is_stack};
		static const uint64_t rows[] = {0x7fffffffffff, 0x800000000000, 0xffff7fffffffffff};

		for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
			map(&modes[0]);
			assert_int_equal(bare_linear_pages(&vcpu, &exit, rows[i], 2, VIEW_READ, pages), 0);
			assert_int_equal(vcpu.vector, is_stack ? 12 : 13);
			assert_int_equal(vcpu.error_code, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_are_those_of_all_levels),
		cmocka_unit_test(pages_may_be_large),
		cmocka_unit_test(without_paging_addresses_are_physical),
		cmocka_unit_test(addresses_are_canonical),
		cmocka_unit_test(views_forbid),
		cmocka_unit_test(operands_may_end_in_the_next_page),
		cmocka_unit_test(operands_wrap_with_the_mode),
		cmocka_unit_test(operands_are_canonical),
	};

	return cmocka_run_group_tests_name("linear", tests, set_up, tear_down);
}
