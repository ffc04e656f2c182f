/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the loader comes to, with everything in its place. */
#include "bare.h"
#include "console.h"
#include "descriptors.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "processor.h"

#define PIC_MASK 0x21
#define PIC_MASK_2 0xa1
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_HYPERVISOR 0x40000000u
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_XSAVE 0xdu
#define TRANSLATOR_EBX 0x54474354u /* "TCGT" of TCGTCGTCGTCG */

/*
 * A hypervisor that this one is a guest of says so by CPUID, and has a name there: then exits may end below the monitor,
 * where it does not see them. QEMU's translator says so too, and is the computer, not a hypervisor below it.
 */
static void look_below(void)
{
	const struct cpuid_registers r = cpuid(CPUID_HYPERVISOR, 0);
	const uint32_t words[] = {r.ebx, r.ecx, r.edx};
	char name[sizeof(words) + 1] = "";

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR))
		return;
	memcpy(name, words, sizeof(words));
	if (r.ebx != TRANSLATOR_EBX)
		log_meta("below", name[0] ? name : "a hypervisor without a name");
}

void bare_main(const struct bare_plan *plan, uint64_t base, const struct multiboot *told);

/* Nobody handles interrupts here, and a guest has none of the computer's. */
static void mask_interrupts(void)
{
	out_port(PIC_MASK, 0xff);
	out_port(PIC_MASK_2, 0xff);
}

/* The state of guests that share the processor is put away by XSAVE, if there is that: all that may be enabled is, which
 * saves the relay to enable it at every switch. */
static void prepare_group(void)
{
	struct relay_group *group = (struct relay_group *)RELAY_GROUP;
	const struct cpuid_registers state = cpuid(CPUID_XSAVE, 0);
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | (cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE ? CR4_OSXSAVE : 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	if (!(cr4 & CR4_OSXSAVE))
		return;
	if (state.ecx > sizeof(((struct relay_world *)0)->fpu))
		console_needs("less state of a processor than guests that share one have room for", "", "XSAVE with more");
	group->xcr0 = state.eax | (uint64_t)state.edx << 32;
	write_xcr0(group->xcr0);
	for (uint64_t i = 0; i < group->count; i++)
		((struct relay_world *)bare_relay_vcpu((unsigned)i)->world)->xcr0 = group->xcr0;
}

void bare_main(const struct bare_plan *plan, uint64_t base, const struct multiboot *told)
{
	bare.plan = plan;
	bare.base = base;
	for (unsigned i = 0; i < plan->guest_count; i++)
		bare.guests[i] = (struct bare_guest){.list_index = EPTP_LIST_ENTRIES, .scratch = SS_MMIO_RESET};
	for (unsigned i = 0; i < bare_vcpu_count(); i++)
		bare_relay_vcpu(i)->answer = (uint64_t)bare_answer;
	console_init(&told->screen);
	descriptors_load();
	mask_interrupts();
	log_begin();
	look_below();
	if (plan->guest_count > 1)
		prepare_group();
	processors_begin(told);
}
