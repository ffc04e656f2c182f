/* SPDX-License-Identifier: MIT */
/* Per-vCPU state of the firmware and the few instructions that C cannot express. */
#ifndef SIDESTEP_GUESTFW_CPU_H
#define SIDESTEP_GUESTFW_CPU_H

#include "abi.h"
#include "frame.h"
#include "guest.h"

struct cpu {
	struct ss_context *context;
	struct ss_vcpu_page *page;
	uint32_t index;
	uint32_t overhead; /* ticks of a sample with no repetition */
	uint32_t vector; /* last fault counted, SS_NO_VECTOR if none */
	uint64_t faults;
	uint64_t error_code;
	const struct fixup *fixup; /* of the last fault that one was found for */
	uint32_t interrupts; /* taken, of the vectors that are counted */
	struct ss_ve *ve;      /* what the processor says of a #VE; NULL: it raises none */
	uint64_t null_request; /* address of a request that asks for nothing */
	struct ss_service_args args;
	uint64_t call_target;  /* a fault there counts as one of the call; 0: nothing is called */
	_Alignas(16) uint8_t fxsave_area[512];
	_Alignas(16) uint8_t user_stack[512];
};

/* The bottom of a vCPU's stack area holds the pointer to its state: no segment register needed. */
static inline struct cpu **cpu_slot(void)
{
	uint64_t rsp;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	return (struct cpu **)(rsp & ~(2ull * SS_STACK_SIZE - 1));
}

static inline struct cpu *this_cpu(void)
{
	return *cpu_slot();
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

/* As request(), but through the monitor where there is one: only it can change the masks and lists
 * that the processor looks at. */
static inline int32_t monitor_request(struct cpu *cpu, enum ss_request_number number)
{
	struct ss_request *req = &cpu->page->request;

	if (!(cpu->context->flags & SS_CONTEXT_MONITOR))
		return request(cpu->page, number);
	req->size = sizeof(*req);
	req->number = number;
	hypercall(SS_HYPERCALL_REQUEST, (uint64_t)req, cpu->context->flags & SS_CONTEXT_VMMCALL);
	return req->status;
}

#endif
