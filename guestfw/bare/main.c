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

extern const uint8_t bare_gates[];
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
	bare_vcpu()->answer = (uint64_t)bare_answer;
	vendor_start(bare_vcpu());
	bare_stop(STOP_HOST, 99, "the processor refused to enter the guest");
}
