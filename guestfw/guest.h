/* SPDX-License-Identifier: MIT */
/* What the guests of this tree have in common beside the contract: ports, requests, samples, gates. */
#ifndef SIDESTEP_GUEST_H
#define SIDESTEP_GUEST_H

#include "abi.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_VE 20
#define VECTOR_ENTRY_SIZE 16 /* of vectors.inc */

/* A batch has enough samples for a 99th percentile. A sample holds this many repetitions at least, so that
 * what surrounds it weighs the same in every operation. */
#define SAMPLES 100
#define SAMPLE_SIZE_MIN 10

#ifndef __ASSEMBLER__
static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Ends the VM; the byte is the exit status of `sidestep run`. */
/* `number` is one of enum ss_hypercall; `vmmcall` whether hypercalls are made by VMMCALL (SS_CONTEXT_VMMCALL). Returns RAX. */
static inline uint64_t hypercall(uint64_t number, uint64_t argument, uint64_t vmmcall)
{
	uint64_t rax = number;

	if (vmmcall)
		__asm__ volatile("vmmcall" : "+a"(rax) : "D"(argument) : "memory");
	else
		__asm__ volatile("vmcall" : "+a"(rax) : "D"(argument) : "memory");
	return rax;
}

static inline _Noreturn void finish(uint8_t status)
{
	out8(SS_PORT_EXIT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Performs the request in the vCPU page, whose arguments stand there, through the control port. Returns its
 * status. */
static inline int32_t request(struct ss_vcpu_page *page, enum ss_request_number number)
{
	struct ss_request *req = &page->request;

	req->size = sizeof(*req);
	req->number = number;
	out32(SS_PORT_CONTROL, (uint32_t)(uint64_t)req);
	return req->status;
}

/* Says what the guest is doing; 0: nothing. A plain store: no exit. */
static inline void mark(struct ss_vcpu_page *page, uint32_t operation)
{
	volatile struct ss_marker *marker = &page->marker;

	marker->sequence++;
	marker->operation = operation;
}

static inline int is_selected(const struct ss_context *context, uint32_t number)
{
	return context->selected[(number - 1) / 64] >> (number - 1) % 64 & 1;
}

/* Divides the repetitions that are wanted into samples. An odd number stays odd: what is inverted in every
 * repetition does not end as it began. */
static inline void divide_samples(struct ss_result *result, uint32_t wanted)
{
	const uint32_t odd = wanted & 1;

	result->sample_size = wanted / SAMPLES;
	if (result->sample_size < SAMPLE_SIZE_MIN)
		result->sample_size = wanted < SAMPLE_SIZE_MIN ? wanted : SAMPLE_SIZE_MIN;
	result->sample_size |= odd;
	result->samples = wanted / result->sample_size;
	result->samples -= odd & ~result->samples;
	result->count = result->samples * result->sample_size;
}

static inline uint32_t saturate(uint64_t ticks)
{
	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

/* What LIDT and SGDT have in memory. */
struct descriptor_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Intel SDM vol. 3A, 6.14.1 */
struct idt_gate {
	uint64_t low, high;
};

/* An interrupt gate; `ist` is the stack of the TSS that it takes, 0 the one of its privilege level. */
static inline struct idt_gate idt_gate(uint64_t handler, unsigned ist)
{
	return (struct idt_gate){
		.low = (handler & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | (uint64_t)ist << 32 |
		       0x8e00ull << 32 | (handler >> 16 & 0xffff) << 48,
		.high = handler >> 32,
	};
}

static inline void load_idt(const struct idt_gate *idt, unsigned gates)
{
	struct descriptor_table table = {(uint16_t)(gates * sizeof(*idt) - 1), (uint64_t)idt};

	__asm__ volatile("lidt %0" : : "m"(table) : "memory");
}
#endif /* __ASSEMBLER__ */

#endif
