/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the loader comes to, with everything in its place. */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/insn.h"
#include "memory.h"

#define GATES 32
#define GATE_STRIDE 16
#define VECTOR_NMI 2
#define GATE_PRESENT 0x8e00u
#define PIC_MASK 0x21
#define PIC_MASK_2 0xa1
#define MSR_APIC_BASE 0x1bu
#define APIC_ENABLED 0xc00u /* and its x2APIC mode */
#define CPUID_1_EDX_APIC (1u << 9)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_HYPERVISOR 0x40000000u
#define TRANSLATOR_EBX 0x54474354u /* "TCGT" of TCGTCGTCGTCG */

extern const uint8_t bare_gates[];
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

void bare_main(const struct bare_plan *plan, uint64_t base, const struct screen *screen);

static void load_descriptors(void)
{
	uint64_t *idt = (uint64_t *)RELAY_IDT;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {SS_SEL_TSS + 15, RELAY_GDT}, idtr = {16 * GATES - 1, RELAY_IDT};

	for (unsigned i = 0; i < GATES; i++) {
		const uint64_t handler = (uint64_t)bare_gates + GATE_STRIDE * i;

		if (i == VECTOR_NMI)
			continue; /* the relay's own */
		idt[2 * i] = (handler & 0xffff) | SS_SEL_CODE << 16 | (uint64_t)GATE_PRESENT << 32 |
			     (handler >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = handler >> 32;
	}
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
}

/* Nobody handles interrupts here, and a guest has none of the computer's. */
static void mask_interrupts(void)
{
	__asm__ volatile("outb %0, %1; outb %0, %2"
			 :
			 : "a"((uint8_t)0xff), "Nd"((uint16_t)PIC_MASK), "Nd"((uint16_t)PIC_MASK_2));
	if (cpuid(1, 0).edx & CPUID_1_EDX_APIC) {
		const uint64_t base = read_msr(MSR_APIC_BASE) & ~(uint64_t)APIC_ENABLED;

		__asm__ volatile("wrmsr" : : "c"(MSR_APIC_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)));
	}
}

void bare_main(const struct bare_plan *plan, uint64_t base, const struct screen *screen)
{
	bare.plan = plan;
	bare.base = base;
	bare.list_index = EPTP_LIST_ENTRIES;
	console_init(screen);
	load_descriptors();
	mask_interrupts();
	log_begin();
	look_below();
	bare_vcpu()->answer = (uint64_t)bare_answer;
	vendor_start(bare_vcpu());
	bare_stop(STOP_HOST, 99, "the processor refused to enter the guest");
}
