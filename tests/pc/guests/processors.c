/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts all other processors; each says once who it is, by CPUID and by its local APIC. */
#include "pc.h"

#define MAX 64

static uint32_t lock, arrived;
static bool seen[256];

/* Holding the lock. */
static void introduce(void)
{
	uint32_t id = apic_id();
	struct cpuid topology;

	check(cpuid(1).ebx >> 24 == id, "CPUID leaf 1 has the identifier of the local APIC");
	if (cpuid(0).eax >= 0xb) {
		topology = cpuid(0xb);
		check(topology.ebx == 0 || topology.edx == id, "CPUID leaf 0xb has the identifier of the local APIC");
	}
	check(!seen[id], "identifiers differ");
	seen[id] = true;
	print("hello from processor ");
	print_number(id);
	print("\n");
}

void other(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	introduce();
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
}

int guest(const struct multiboot *told)
{
	uint32_t count = madt_processors();
	const uint8_t *entry;

	(void)told;
	check(count >= 1 && count <= MAX, "the MADT tells of processors");
	check(rdmsr(MSR_APIC_BASE) & 0x100, "the first is the bootstrap processor");
	introduce();
	start_others();
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != count - 1)
		cpu_pause();
	for (unsigned i = 0; (entry = madt_entry(0, i)); i++)
		check(seen[entry[3]], "every processor of the MADT came");
	return 0;
}
