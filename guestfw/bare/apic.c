/* SPDX-License-Identifier: GPL-2.0-only */
#include "apic.h"

#include "guestfw/relay/insn.h"

#define CPUID_1_ECX_X2APIC (1u << 21)
#define CPUID_1_EDX_APIC (1u << 9)
#define MSR_APIC_BASE 0x1bu
#define BASE_X2APIC 0x400u
#define BASE_ENABLED 0x800u
#define BASE_ADDRESS UINT64_C(0xffffff000)
#define MSR_X2APIC 0x800u

enum {
	ID = 0x20,
	PRIORITY = 0x80,
	END = 0xb0,
	SPURIOUS = 0xf0,
	COMMAND = 0x300,
	COMMAND_TO = 0x310,
	TIMER = 0x320,
	TIMER_COUNT = 0x380,
	TIMER_LEFT = 0x390,
	TIMER_DIVIDER = 0x3e0,
};
#define TIMER_PERIODIC 0x20000u
#define TIMER_BY_16 3u
#define SPURIOUS_VECTOR 0xffu
#define SPURIOUS_ENABLED 0x100u
#define LOCAL_MASKED 0x10000u
#define COMMAND_PENDING 0x1000u

/* Local interrupts, but for that pin which is NMIs: timer, thermal sensor, counters, the pin of the PIC, errors. */
static const uint16_t locals[] = {TIMER, 0x330, 0x340, 0x350, 0x370};

static int has_apic(void)
{
	return cpuid(1, 0).edx & CPUID_1_EDX_APIC;
}

static int is_x2apic(void)
{
	return (read_msr(MSR_APIC_BASE) & BASE_X2APIC) != 0;
}

static volatile uint32_t *memory(unsigned reg)
{
	return (volatile uint32_t *)((read_msr(MSR_APIC_BASE) & BASE_ADDRESS) + reg);
}

static uint32_t get(unsigned reg)
{
	return is_x2apic() ? (uint32_t)read_msr(MSR_X2APIC + reg / 16) : *memory(reg);
}

static void set(unsigned reg, uint32_t value)
{
	if (is_x2apic())
		write_msr(MSR_X2APIC + reg / 16, value);
	else
		*memory(reg) = value;
}

void apic_disable(void)
{
	if (has_apic())
		write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) & ~(uint64_t)(BASE_ENABLED | BASE_X2APIC));
}

/* As an x2APIC where there is one: it has no memory that the monitor would have to see. Disabled by software it takes
 * INIT, start-up IPIs and NMIs alone, and masks its local interrupts (Intel SDM vol. 3A, 11.4.7.2). */
void apic_listen(void)
{
	write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | BASE_ENABLED);
	if (cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC)
		write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | BASE_X2APIC);
	for (unsigned i = 0; i < sizeof(locals) / sizeof(locals[0]); i++)
		set(locals[i], get(locals[i]) | LOCAL_MASKED);
	set(SPURIOUS, SPURIOUS_VECTOR);
}

void apic_enable(void)
{
	apic_listen();
	set(PRIORITY, APIC_VECTORS - 0x10);
	set(SPURIOUS, SPURIOUS_VECTOR | SPURIOUS_ENABLED);
}

uint32_t apic_id(void)
{
	return is_x2apic() ? get(ID) : get(ID) >> 24;
}

void apic_send(uint32_t id, uint32_t command)
{
	if (is_x2apic()) {
		/* No store waits for this one (Intel SDM vol. 3A, 11.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		write_msr(MSR_X2APIC + COMMAND / 16, (uint64_t)id << 32 | command);
		return;
	}
	set(COMMAND_TO, id << 24);
	set(COMMAND, command);
	while (get(COMMAND) & COMMAND_PENDING)
		__asm__ volatile("pause");
}

void apic_time(uint8_t vector, uint32_t count)
{
	set(TIMER_DIVIDER, TIMER_BY_16);
	set(TIMER, TIMER_PERIODIC | (vector ? vector : LOCAL_MASKED));
	set(TIMER_COUNT, count);
}

uint32_t apic_time_left(void)
{
	return get(TIMER_LEFT);
}

void apic_end_interrupt(void)
{
	set(END, 0);
}
