/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC by MSRs: an interrupt to oneself, and the timer that waits for a value of the TSC. */
#include "pc.h"

#define MSR_X2APIC 0x800
#define X2APIC_ID (MSR_X2APIC + 0x02)
#define X2APIC_END (MSR_X2APIC + 0x0b)
#define X2APIC_SPURIOUS (MSR_X2APIC + 0x0f)
#define X2APIC_TIMER (MSR_X2APIC + 0x32)
#define X2APIC_SELF (MSR_X2APIC + 0x3f)
#define MSR_TSC_DEADLINE 0x6e0
#define TIMER_DEADLINE (2u << 17)
#define VECTOR_SELF 0x51
#define VECTOR_TIMER 0x52

static volatile uint32_t selves, timers;

INTERRUPT(self)
{
	selves++;
	wrmsr(X2APIC_END, 0);
}

INTERRUPT(timer)
{
	timers++;
	wrmsr(X2APIC_END, 0);
}

int guest(const struct multiboot *told)
{
	struct cpuid features = cpuid(1);
	uint64_t deadline;

	(void)told;
	check(features.ecx >> 31, "CPUID tells of a hypervisor");
	check(features.ecx >> 21 & 1, "CPUID tells of the x2APIC");
	set_gate(VECTOR_SELF, self);
	set_gate(VECTOR_TIMER, timer);
	load_gates();
	pic_setup(0);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	check((rdmsr(MSR_APIC_BASE) & 0xc00) == 0xc00, "it is on");
	check(rdmsr(X2APIC_ID) == cpuid(0xb).edx, "its identifier is CPUID's");
	wrmsr(X2APIC_SPURIOUS, 0x1ff);
	wrmsr(X2APIC_SELF, VECTOR_SELF);
	while (selves == 0)
		__asm__ volatile("sti; nop; cli" : : : "memory");
	print("self\n");
	if (!(features.ecx >> 24 & 1))
		return 0;
	wrmsr(X2APIC_TIMER, TIMER_DEADLINE | VECTOR_TIMER);
	__asm__ volatile("mfence" : : : "memory");
	deadline = rdtsc() + 10000000;
	wrmsr(MSR_TSC_DEADLINE, deadline);
	while (timers == 0)
		wait_for_interrupt();
	check(rdtsc() >= deadline, "the timer waited");
	check(rdmsr(MSR_TSC_DEADLINE) == 0, "and is off");
	print("timer\n");
	return 0;
}
