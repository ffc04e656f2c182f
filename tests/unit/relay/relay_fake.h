/* SPDX-License-Identifier: GPL-2.0-only */
/* A processor for the relay's code in tests on the host: what guestfw/relay/insn.h has, in memory. Included
 * before the relay, once in a program. */
#ifndef TESTS_RELAY_FAKE_H
#define TESTS_RELAY_FAKE_H
#define SIDESTEP_RELAY_INSN_H

#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>

#include "guestfw/abi.h"
#include "guestfw/relay/relay.h"
#include "guestfw/relay/world.h"

#define FIELDS 0x8000

static struct {
	uint64_t field[FIELDS];
	unsigned reads[FIELDS], writes[FIELDS];
	uint64_t cr2, xcr0, debugctl;
	uint64_t saved, loaded; /* control structures, by VMSAVE, and by VMLOAD or VMPTRLD */
	unsigned xcr0_writes;
	unsigned loads; /* of words by walks */
	unsigned nmis;  /* taken, where one that is intercepted is pending still */
	void (*vmm)(struct relay_vcpu *vcpu); /* answers what the relay passes on */
	uint8_t memory[0x50000];
} fake;

static struct relay_vcpu relay;
static struct relay_vcpu neighbour; /* the other guest of the processor */
static unsigned switches;	    /* how often that has got it */
static struct relay_record ring[RELAY_RING_RECORDS];
static struct ss_marker marker;
static struct relay_decoded decoded[RELAY_DECODED_MAX];

struct cpuid_registers {
	uint32_t eax, ebx, ecx, edx;
};

/* CR4 of L1, where the relay executes CPUID, is the opposite of the guest's in every test. */
static struct cpuid_registers fake_cpuid;

static inline struct cpuid_registers cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0xd)
		return (struct cpuid_registers){.eax = 0x602e7, .edx = 0};
	return fake_cpuid;
}

static inline uint64_t read_tsc(void)
{
	static uint64_t now;

	return now += 100;
}

static inline void write_port(uint16_t port)
{
	struct relay_vcpu *vcpu = relay.pending ? &relay : &neighbour;

	assert_int_equal(port, RELAY_PORT);
	assert_non_null(fake.vmm);
	vcpu->pending = 0;
	fake.vmm(vcpu);
}

static inline void write_cr2(uint64_t value)
{
	fake.cr2 = value;
}

static inline void vmptrld(uint64_t address)
{
	fake.loaded = address;
}

static inline void vmload(uint64_t address)
{
	fake.loaded = address;
}

static inline void vmsave(uint64_t address)
{
	fake.saved = address;
}

static inline void take_nmi(void)
{
	fake.nmis++;
}

struct relay_vcpu *world_next(const struct relay_vcpu *vcpu)
{
	assert_ptr_equal(vcpu, &relay);
	return &neighbour;
}

void world_switch(struct relay_vcpu *from, struct relay_vcpu *to)
{
	assert_ptr_equal(from, &relay);
	assert_ptr_equal(to, &neighbour);
	switches++;
}

static inline void write_xcr0(uint64_t value)
{
	fake.xcr0 = value;
	fake.xcr0_writes++;
}

static inline uint64_t read_msr(uint32_t index)
{
	assert_int_equal(index, 0x1d9);
	return fake.debugctl;
}

static inline uint64_t vmread(uint64_t field)
{
	assert_true(field < FIELDS);
	fake.reads[field]++;
	return fake.field[field];
}

static inline uint64_t vmread_checked(uint64_t field, uint64_t *value)
{
	*value = vmread(field);
	return 0;
}

static inline void vmwrite(uint64_t field, uint64_t value)
{
	assert_true(field < FIELDS);
	fake.writes[field]++;
	fake.field[field] = value;
}

static inline uint64_t walk_load(uint64_t address)
{
	uint64_t word;

	assert_true(address <= sizeof(fake.memory) - sizeof(word));
	fake.loads++;
	memcpy(&word, fake.memory + address, sizeof(word));
	return word;
}

/* These flags are kept in the shadow, and the guest owns all others. */
static inline void fake_words(uint64_t kept)
{
	relay.cr0.words.words[0] = ~kept;
	relay.cr0.words.words[1] = kept;
}

#define CR4_TSD UINT64_C(4)
#define CR4_DE UINT64_C(8)
#define CR4_PCE UINT64_C(0x100)
#define CR4_RESERVED UINT64_C(0x8000)

/* What a MOV to CR4 comes to: TSD is kept, DE is the VMM's, VMXE the engine's own, all else the guest's. */
static const struct cr4_row {
	uint64_t inverted; /* of what the guest sees */
	uint64_t cr3;
	bool faults, asks;
} cr4_rows[] = {
	{CR4_TSD, 0x1000, false, false},
	{CR4_PCE, 0x1000, false, false},
	{CR4_TSD | CR4_PCE, 0x1000, false, false},
	{CR4_DE, 0x1000, false, true},
	{CR4_DE | CR4_PCE | CR4_TSD, 0x1000, false, true},
	{CR4_VMXE | CR4_PCE, 0x1000, true, false},
	{CR4_PAE | CR4_TSD, 0x1000, true, false},
	{CR4_LA57 | CR4_TSD, 0x1000, true, false},
	{CR4_PCIDE | CR4_TSD, 0x1000, false, false},
	{CR4_PCIDE | CR4_TSD, 0x1001, true, false},
	{UINT64_C(1) << 40, 0x1000, true, false},
	{CR4_RESERVED | CR4_TSD, 0x1000, true, false},
};

static inline void fake_cr4_words(uint64_t hidden)
{
	relay.cr4.words.words[0] = ~(CR4_TSD | CR4_DE | hidden);
	relay.cr4.words.words[1] = CR4_TSD | hidden;
	relay.cr4.words.shadow = 0;
	relay.cr4.hidden = hidden;
	relay.cr4.fixed1 = UINT32_MAX & ~CR4_RESERVED;
}

/* The guest shares the processor with the neighbour. */
static inline void fake_share(void)
{
	static struct relay_group group = {.count = 2};

	switches = 0;
	relay.group = (uint64_t)(uintptr_t)&group;
	neighbour = relay;
	neighbour.control = 0x5000;
}

static void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake_cpuid = (struct cpuid_registers){0};
	memset(decoded, 0, sizeof(decoded));
	relay = (struct relay_vcpu){
		.cr0 = {.words = {SS_EMBODIMENT_TWO_WORDS, {UINT64_MAX, 0}, 0, 0}, .fixed1 = UINT64_MAX},
		.cr4 = {.words = {SS_EMBODIMENT_TWO_WORDS, {UINT64_MAX, 0}, 0, 0}, .fixed1 = UINT64_MAX},
		.marker = (uint64_t)(uintptr_t)&marker,
		.ring = (uint64_t)(uintptr_t)ring,
		.decoded = (uint64_t)(uintptr_t)decoded,
	};
}

#endif
