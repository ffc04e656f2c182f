/* SPDX-License-Identifier: GPL-2.0-only */
#include "processor.h"

#include "apic.h"
#include "bare.h"
#include "console.h"
#include "descriptors.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "slice.h"

#define PAGE UINT64_C(4096)
#define LOW_END 0xa0000 /* where real mode has its last memory */
#define PORT_DELAY 0x80 /* an access takes about a microsecond, where anything does */
#define DELAY_INIT 10000
#define DELAY_START 200
#define PATIENCE 1000000
#define RETRY 1000 /* an NMI that has met the monitor instead of the guest is lost */

/* Where others begin, in real mode: start_others.S, which finds these there. */
struct start_words {
	uint16_t gdt_limit;
	uint32_t gdt;
	uint32_t cr3;
	uint32_t entry;
	uint16_t selector;
} __attribute__((packed));

extern const uint8_t bare_others_start[], bare_others_gdt[], bare_others_words[], bare_others_end[];
extern volatile uint32_t bare_others_next, bare_others_limit;
extern void (*volatile bare_others_entry)(uint64_t number);
void bare_others_enter(void);

static uint32_t arrived, released, begun, held, stopping;

static uint32_t get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void wait(void)
{
	__asm__ volatile("pause" : : : "memory");
}

void processor_lock(struct relay_vcpu *vcpu)
{
	if (bare.plan->vcpu_count == 1)
		return;
	while (__atomic_exchange_n(&held, 1, __ATOMIC_ACQUIRE)) {
		processor_hear(vcpu);
		wait();
	}
}

void processor_unlock(void)
{
	set(&held, 0);
}

__attribute__((noreturn)) static void rest(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void processor_hear(struct relay_vcpu *vcpu)
{
	struct bare_vcpu *state = bare_vcpu_of(vcpu);

	if (get(&stopping) && get(&state->is_running)) {
		set(&state->is_running, 0);
		rest();
	}
	if (!get(&state->is_stale))
		return;
	vendor_flush(vcpu);
	set(&state->is_stale, 0);
}

/* The vCPU may be in the guest, on its way, or waiting for its turn: it hears in the first case by the exit that an NMI
 * is, in the last by itself. Then it is not `waiting` any more. */
static void tell(const struct bare_vcpu *state, const uint32_t *waiting)
{
	for (unsigned i = 0; get(waiting); i++) {
		if (i % RETRY == 0)
			apic_send(state->apic_id, APIC_NMI);
		wait();
	}
}

static int is_other(const struct relay_vcpu *vcpu, unsigned number)
{
	return bare.plan->vcpu_count > 1 && number != bare_number(vcpu) &&
	       get(&bare.vcpus[number].is_running);
}

void processors_tell(const struct relay_vcpu *vcpu)
{
	for (unsigned i = 0; i < bare_vcpu_count(); i++)
		if (is_other(vcpu, i)) {
			set(&bare.vcpus[i].is_stale, 1);
			tell(&bare.vcpus[i], &bare.vcpus[i].is_stale);
		}
}

void processors_stop(const struct relay_vcpu *vcpu)
{
	set(&stopping, bare.plan->vcpu_count > 1);
	for (unsigned i = 0; i < bare_vcpu_count(); i++)
		if (is_other(vcpu, i))
			tell(&bare.vcpus[i], &bare.vcpus[i].is_running);
}

void processor_park(struct relay_vcpu *vcpu)
{
	set(&bare_vcpu_of(vcpu)->is_running, 0);
	processor_unlock();
	rest();
}

/* One processor has the vCPUs of all guests, the first one's loaded last. */
static void prepare(struct relay_vcpu *vcpu)
{
	vendor_begin(vcpu);
	for (uint64_t i = bare.plan->guest_count; i-- > 0;)
		vendor_prepare(bare_relay_vcpu(bare_number(vcpu) + (unsigned)i));
	set(&bare_vcpu_of(vcpu)->is_running, 1);
}

/* Where the others come to. They wait until it is known what the guest is offered. */
static void begin_other(uint64_t number)
{
	struct relay_vcpu *vcpu = bare_relay_vcpu((unsigned)number);

	descriptors_load();
	apic_listen();
	bare_vcpu_of(vcpu)->apic_id = apic_id();
	__atomic_fetch_add(&arrived, 1, __ATOMIC_RELEASE);
	while (!get(&released))
		wait();
	processor_lock(vcpu);
	prepare(vcpu);
	processor_unlock();
	__atomic_fetch_add(&begun, 1, __ATOMIC_RELEASE);
	vendor_launch(vcpu);
}

static uint64_t find_low_page(const struct multiboot *told)
{
	for (unsigned i = 0; i < told->count; i++) {
		const uint64_t start = told->ranges[i].start > PAGE ? told->ranges[i].start : PAGE;
		const uint64_t page = (start + PAGE - 1) & ~(PAGE - 1);

		if (page + PAGE <= told->ranges[i].end && page + PAGE <= LOW_END)
			return page;
	}
	console_needs("a free page below 640 KiB, where more processors start", "", "no memory there");
}

static void delay(unsigned count)
{
	while (count-- > 0)
		in_port(PORT_DELAY);
}

/* All of them begin, and those for whom there is no vCPU stop again (Intel SDM vol. 3A, 9.4.4). */
static void start_others(const struct multiboot *told)
{
	const uint64_t page = find_low_page(told);
	struct start_words *words = (void *)(page + (uint64_t)(bare_others_words - bare_others_start));

	memcpy((void *)page, bare_others_start, (size_t)(bare_others_end - bare_others_start));
	words->gdt = (uint32_t)(page + (uint64_t)(bare_others_gdt - bare_others_start));
	words->cr3 = (uint32_t)bare_physical(RELAY_PML4);
	words->entry = (uint32_t)(uint64_t)bare_others_enter;
	bare_others_entry = begin_other;
	bare_others_next = 1;
	bare_others_limit = bare_vcpu_count();
	apic_listen();
	bare.vcpus[0].apic_id = apic_id();
	apic_send(0, APIC_INIT | APIC_OTHERS);
	delay(DELAY_INIT);
	for (unsigned i = 0; i < 2; i++) {
		apic_send(0, APIC_START | APIC_OTHERS | (uint32_t)(page / PAGE));
		delay(DELAY_START);
	}
	for (unsigned i = 0; i < PATIENCE && get(&arrived) + 1 < bare_others_limit; i++) {
		delay(1);
		wait();
	}
	if (get(&arrived) + 1 < bare_others_limit)
		console_needs("a processor for each vCPU", "", "a computer where fewer have started; give fewer with -c");
}

/* What the first vCPU does may end the run: until then all others shall have begun, and some of them have something to
 * tell. */
static void release_others(struct relay_vcpu *vcpu)
{
	set(&released, 1);
	while (get(&begun) + 1 < bare.plan->vcpu_count) {
		processor_hear(vcpu);
		wait();
	}
}

void processors_begin(const struct multiboot *told)
{
	struct relay_vcpu *vcpu = bare_relay_vcpu(0);

	if (bare.plan->vcpu_count > 1)
		start_others(told);
	else if (bare.plan->slice_ms)
		apic_enable();
	else
		apic_disable();
	prepare(vcpu);
	release_others(vcpu);
	if (bare.plan->slice_ms)
		slices_begin(bare.plan->slice_ms);
	vendor_launch(vcpu);
}
