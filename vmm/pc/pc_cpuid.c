/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/pc/pc_cpuid.h"

#include <stdint.h>

#define LEAF_FEATURES 1
#define LEAF_CACHES 4
#define LEAF_TOPOLOGY 0xb
#define LEAF_TOPOLOGY_V2 0x1f
#define LEAF_AMD_SIZES 0x80000008
#define LEAF_AMD_TOPOLOGY 0x8000001e

#define ECX_DEADLINE (1u << 24)
#define ECX_HYPERVISOR (1u << 31)
#define EDX_HTT (1u << 28)

#define LEVEL_CORE 2u

static void set_field(uint32_t *word, unsigned shift, unsigned width, uint32_t value)
{
	uint32_t mask = ((1u << width) - 1) << shift;

	*word = (*word & ~mask) | (value << shift & mask);
}

/* Bits of the APIC identifier that tell cores of a package apart. */
static unsigned core_bits(unsigned vcpus)
{
	unsigned bits = 0;

	while (1u << bits < vcpus)
		bits++;
	return bits;
}

static void set_leaf(struct kvm_cpuid_entry2 *entry, unsigned apic_id, unsigned vcpus, bool deadline)
{
	switch (entry->function) {
	case LEAF_FEATURES:
		set_field(&entry->ebx, 24, 8, apic_id);
		set_field(&entry->ebx, 16, 8, 1u << core_bits(vcpus));
		entry->ecx |= ECX_HYPERVISOR | (deadline ? ECX_DEADLINE : 0);
		entry->edx = (entry->edx & ~EDX_HTT) | (vcpus > 1 ? EDX_HTT : 0);
		break;
	case LEAF_CACHES:
		if ((entry->eax & 0x1f) == 0)
			break;
		set_field(&entry->eax, 26, 6, (1u << core_bits(vcpus)) - 1);
		set_field(&entry->eax, 14, 12, 0);
		break;
	case LEAF_AMD_SIZES:
		set_field(&entry->ecx, 0, 8, vcpus - 1);
		set_field(&entry->ecx, 12, 4, core_bits(vcpus));
		break;
	case LEAF_AMD_TOPOLOGY:
		entry->eax = apic_id;
		entry->ebx = apic_id & 0xff;
		entry->ecx = 0;
		break;
	}
}

/* KVM leaves it to us to say how processors are arranged. Threads, cores, no more. */
static void add_topology(struct kvm_cpuid2 *cpuid, unsigned apic_id, unsigned vcpus)
{
	const struct {
		uint32_t eax, ebx, ecx;
	} levels[PC_CPUID_MORE] = {{0, 1, 1u << 8}, {core_bits(vcpus), vcpus, LEVEL_CORE << 8}, {0, 0, 0}};

	for (uint32_t i = 0; i < PC_CPUID_MORE; i++)
		cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
			.function = LEAF_TOPOLOGY,
			.index = i,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = levels[i].eax,
			.ebx = levels[i].ebx,
			.ecx = levels[i].ecx | i,
			.edx = apic_id,
		};
}

void pc_cpuid(struct kvm_cpuid2 *cpuid, unsigned apic_id, unsigned vcpus, bool deadline)
{
	uint32_t kept = 0, highest = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 0)
			highest = entry->eax;
		if (entry->function == LEAF_TOPOLOGY || entry->function == LEAF_TOPOLOGY_V2)
			continue;
		set_leaf(entry, apic_id, vcpus, deadline);
		cpuid->entries[kept++] = *entry;
	}
	cpuid->nent = kept;
	if (highest >= LEAF_TOPOLOGY)
		add_topology(cpuid, apic_id, vcpus);
}
