/* SPDX-License-Identifier: GPL-2.0-only */
#include "descriptors.h"

#include "apic.h"
#include "guestfw/relay/relay.h"

#define GATES 256
#define GATES_OF_FAULTS 32
#define GATE_STRIDE 16
#define GATE_PRESENT 0x8e00u
#define VECTOR_NMI 2
#define VECTOR_SPURIOUS 0xff

extern const uint8_t bare_gates[], bare_gate_of_interrupts[], bare_gate_of_nothing[];

static void set_gate(uint64_t gate[2], uint64_t handler)
{
	gate[0] = (handler & 0xffff) | SS_SEL_CODE << 16 | (uint64_t)GATE_PRESENT << 32 | (handler >> 16 & 0xffff) << 48;
	gate[1] = handler >> 32;
}

void descriptors_load(void)
{
	uint64_t *idt = (uint64_t *)RELAY_IDT;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {SS_SEL_TSS + 15, RELAY_GDT}, idtr = {16 * GATES - 1, RELAY_IDT};

	for (unsigned i = 0; i < GATES_OF_FAULTS; i++)
		if (i != VECTOR_NMI) /* the relay's own */
			set_gate(&idt[2 * i], (uint64_t)bare_gates + GATE_STRIDE * i);
	for (unsigned i = APIC_VECTORS; i < VECTOR_SPURIOUS; i++)
		set_gate(&idt[2 * i], (uint64_t)bare_gate_of_interrupts);
	set_gate(&idt[2 * VECTOR_SPURIOUS], (uint64_t)bare_gate_of_nothing);
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
}
