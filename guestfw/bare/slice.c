/* SPDX-License-Identifier: GPL-2.0-only */
#include "slice.h"

#include "apic.h"
#include "bare.h"
#include "console.h"
#include "guestfw/relay/insn.h"

#define PIT_HZ 1193182
#define PIT_COUNTER 0x42
#define PIT_CONTROL 0x43
#define PIT_ONE_SHOT 0xb0 /* counter 2, both bytes, mode 0 */
#define PIT_GATE 0x61
#define GATE_OPEN 1
#define GATE_SPEAKER 2
#define GATE_OUTPUT 0x20
#define MEASURED_MS 10
#define PATIENCE 20000000

/* How many steps of the APIC's timer a millisecond is, by the counter that every PC has (Intel 8254, mode 0). */
static uint64_t measure(void)
{
	const unsigned count = PIT_HZ / 1000 * MEASURED_MS;
	unsigned patience = PATIENCE;

	out_port(PIT_GATE, (uint8_t)((in_port(PIT_GATE) & ~GATE_SPEAKER) | GATE_OPEN));
	out_port(PIT_CONTROL, PIT_ONE_SHOT);
	out_port(PIT_COUNTER, count & 0xff);
	out_port(PIT_COUNTER, count >> 8);
	apic_time(0, UINT32_MAX);
	while (!(in_port(PIT_GATE) & GATE_OUTPUT))
		if (--patience == 0)
			console_needs("a clock for --slice", "", "a computer without a programmable interval timer");
	return (UINT32_MAX - apic_time_left()) / MEASURED_MS;
}

void slices_begin(uint64_t ms)
{
	const uint64_t steps = measure() * ms;

	apic_time(SLICE_VECTOR, steps > UINT32_MAX ? UINT32_MAX : steps ? (uint32_t)steps : 1);
}

/* The exit is of no operation of the guest's. */
void slice_end(struct relay_vcpu *vcpu)
{
	struct relay_record *records = (struct relay_record *)vcpu->ring;

	records[(vcpu->head - 1) % RELAY_RING_RECORDS].operation = RELAY_OPERATION_TAKEN;
	vendor_take_interrupt();
	vcpu->yields = 1;
}
