/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID of every vCPU: what tells it from the others, and what is left as KVM says it. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/pc/pc_cpuid.h"

#define LEAVES 32
#define HYPERVISOR (1u << 31)
#define DEADLINE (1u << 24)
#define HTT (1u << 28)

static const unsigned counts[] = {1, 2, 3, 4, 5, 16, 64};

/* Of exactly the size that pc_cpuid() may use, so that a sanitizer sees an entry too many. */
static struct kvm_cpuid2 *cpuid;
static uint32_t supported;

static void add(uint32_t function, uint32_t index, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
		.function = function, .index = index, .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx,
	};
}

/* Each bit that a leaf might take over from the host is set. */
static void supports(uint32_t highest)
{
	struct kvm_cpuid2 *exact;
	size_t size;

	cpuid = calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));
	assert_non_null(cpuid);
	add(0, 0, highest, 0x756e6547, 0x6c65746e, 0x49656e69);
	add(1, 0, 0x306c3, 0xff800800, ~(HYPERVISOR | DEADLINE), UINT32_MAX);
	add(4, 0, 0xfc004121, 0x01c0003f, 63, 0);
	add(4, 1, 0xfc03c163, 0x03c0003f, 0xfff, 6);
	add(4, 2, 0, 0, 0, 0);
	add(7, 0, 0, 0x12345678, 0x9abcdef0, 1);
	for (uint32_t i = 0; i < 3; i++)
		add(0xb, i, 5, 9, i | 1 << 8, 0x77);
	add(0xd, 0, 7, 0x340, 0x340, 0);
	for (uint32_t i = 0; i < 2; i++)
		add(0x1f, i, 5, 9, i | 1 << 8, 0x77);
	add(0x40000001, 0, 0xffff, 0, 0, 0);
	add(0x80000001, 0, 1, 2, 3, 4);
	add(0x80000008, 0, 0x3030, 0x1000, 0xfffff0ff, 0);
	add(0x8000001e, 0, 0x77, 0xffffffff, 0xffffffff, 0x55);
	supported = cpuid->nent;
	size = sizeof(*cpuid) + (supported + PC_CPUID_MORE) * sizeof(cpuid->entries[0]);
	exact = malloc(size);
	assert_non_null(exact);
	memcpy(exact, cpuid, size);
	free(cpuid);
	cpuid = exact;
}

static void let_go(void)
{
	free(cpuid);
	cpuid = NULL;
}

/* The only entry of a leaf. */
static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *found = NULL;

	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index) {
			assert_null(found);
			found = &cpuid->entries[i];
		}
	return found;
}

static bool has(uint32_t function)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			return true;
	return false;
}

/* The smallest power of 2 that is not less. */
static unsigned next_power(unsigned count)
{
	unsigned power = 1;

	while (power < count)
		power *= 2;
	return power;
}

static void for_each(void (*look)(unsigned id, unsigned vcpus))
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		for (unsigned id = 0; id < counts[i]; id++) {
			supports(0x1f);
			pc_cpuid(cpuid, id, counts[i], false);
			look(id, counts[i]);
			let_go();
		}
}

static void look_at_ids(unsigned id, unsigned vcpus)
{
	(void)vcpus;
	assert_int_equal(leaf(1, 0)->ebx >> 24, id);
	assert_int_equal(leaf(1, 0)->ebx & 0xffff, 0x0800);
	for (uint32_t level = 0; level < 3; level++)
		assert_int_equal(leaf(0xb, level)->edx, id);
	assert_int_equal(leaf(0x8000001e, 0)->eax, id);
	assert_int_equal(leaf(0x8000001e, 0)->ebx, id); /* a core of its own, of one thread */
	assert_int_equal(leaf(0x8000001e, 0)->ecx, 0);
	assert_int_equal(leaf(0x8000001e, 0)->edx, 0x55);
}

static void ids(void **state)
{
	(void)state;
	for_each(look_at_ids);
}

/* Intel SDM vol. 3A, 9.9.3: how many bits of the identifier are below those of the next level. */
static void look_at_topology(unsigned id, unsigned vcpus)
{
	const struct kvm_cpuid_entry2 *thread = leaf(0xb, 0), *core = leaf(0xb, 1), *end = leaf(0xb, 2);

	assert_int_equal(thread->ecx, 0 | 1 << 8);
	assert_int_equal(thread->eax, 0);
	assert_int_equal(thread->ebx, 1);
	assert_int_equal(core->ecx, 1 | 2 << 8);
	assert_int_equal(1u << core->eax, next_power(vcpus));
	assert_int_equal(core->ebx, vcpus);
	assert_int_equal(id >> core->eax, 0); /* all in one package */
	assert_int_equal(end->ecx, 2);
	assert_int_equal(end->eax, 0);
	assert_int_equal(end->ebx, 0);
	for (uint32_t level = 0; level < 3; level++)
		assert_int_equal(leaf(0xb, level)->flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	assert_false(has(0x1f));
}

static void topology(void **state)
{
	(void)state;
	for_each(look_at_topology);
}

/* As processors without leaf 0xb have it. */
static void look_at_counts(unsigned id, unsigned vcpus)
{
	(void)id;
	assert_int_equal(leaf(1, 0)->ebx >> 16 & 0xff, next_power(vcpus));
	assert_int_equal(leaf(1, 0)->edx, vcpus > 1 ? UINT32_MAX : UINT32_MAX & ~HTT);
	for (uint32_t cache = 0; cache < 2; cache++) {
		assert_int_equal((leaf(4, cache)->eax >> 26) + 1, next_power(vcpus));
		assert_int_equal(leaf(4, cache)->eax >> 14 & 0xfff, 0);
	}
	assert_int_equal(leaf(4, 0)->eax & 0x3fff, 0x0121);
	assert_int_equal(leaf(4, 1)->eax & 0x3fff, 0x0163);
	assert_int_equal(leaf(4, 1)->ebx, 0x03c0003f);
	assert_int_equal(leaf(4, 2)->eax, 0); /* there is no such cache */
	assert_int_equal((leaf(0x80000008, 0)->ecx & 0xff) + 1, vcpus);
	assert_int_equal(1u << (leaf(0x80000008, 0)->ecx >> 12 & 0xf), next_power(vcpus));
	assert_int_equal(leaf(0x80000008, 0)->ecx & 0xffff0f00, 0xffff0000);
	assert_int_equal(leaf(0x80000008, 0)->eax, 0x3030);
}

static void counted(void **state)
{
	(void)state;
	for_each(look_at_counts);
}

/* What a computer before leaf 0xb says it has; and one that says so has it even where KVM has no entry for it. */
static void highest_leaf(void **state)
{
	static const uint32_t highest[] = {1, 4, 7, 0xa, 0xb, 0xd, 0x1f, 0x20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(highest); i++) {
		supports(highest[i]);
		pc_cpuid(cpuid, 1, 2, false);
		assert_int_equal(leaf(0, 0)->eax, highest[i]);
		assert_int_equal(has(0xb), highest[i] >= 0xb);
		assert_int_equal(cpuid->nent, supported - 5 + (highest[i] >= 0xb ? 3 : 0));
		let_go();
	}
}

/* The most there can be: no entry goes, three come. */
static void room(void **state)
{
	(void)state;
	supports(0xd);
	cpuid->nent = 1;
	for (uint32_t i = 1; i < supported; i++)
		add(0x80000001 + i, 0, i, i, i, i);
	pc_cpuid(cpuid, 0, 1, false);
	assert_int_equal(cpuid->nent, supported + PC_CPUID_MORE);
	for (uint32_t i = 1; i < supported; i++)
		assert_non_null(leaf(0x80000001 + i, 0));
	let_go();
	/* And the least. */
	supports(0xd);
	cpuid->nent = 0;
	pc_cpuid(cpuid, 0, 1, false);
	assert_int_equal(cpuid->nent, 0);
	let_go();
}

static void features(void **state)
{
	(void)state;
	for (unsigned deadline = 0; deadline < 2; deadline++) {
		supports(0x1f);
		pc_cpuid(cpuid, 0, 1, deadline);
		assert_int_equal(leaf(1, 0)->ecx, deadline ? UINT32_MAX : ~DEADLINE);
		/* The rest is KVM's. */
		assert_int_equal(leaf(1, 0)->eax, 0x306c3);
		assert_int_equal(leaf(7, 0)->ebx, 0x12345678);
		assert_int_equal(leaf(7, 0)->ecx, 0x9abcdef0);
		assert_int_equal(leaf(0xd, 0)->ebx, 0x340);
		assert_int_equal(leaf(0x40000001, 0)->eax, 0xffff);
		assert_int_equal(leaf(0x80000001, 0)->edx, 4);
		let_go();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),		cmocka_unit_test(topology), cmocka_unit_test(counted),
		cmocka_unit_test(highest_leaf), cmocka_unit_test(room),	    cmocka_unit_test(features),
	};

	return cmocka_run_group_tests_name("pc_cpuid", tests, NULL, NULL);
}
