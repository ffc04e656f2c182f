/* SPDX-License-Identifier: MIT */
/* The kernel: what it does for the drivers, and what it does about them. */
#include "kernel.h"

_Static_assert(HYPERCALL_VIEW == SS_HYPERCALL_VIEW && SS_REQUEST_VMFUNC == 4 &&
		       sizeof(struct ss_request) == 64,
	       "as gate.S has it");

struct ss_context *context;
struct ss_vcpu_page *page;
struct fault last_fault;
volatile uint64_t kernel_secret = KERNEL_SECRET;
volatile uint64_t kernel_sum;

uint64_t kernel_serve(uint64_t function, uint64_t x)
{
	if (function != KERNEL_COUNT)
		return (uint64_t)CALL_UNKNOWN;
	kernel_sum += x;
	return kernel_sum;
}

/* Something that only the kernel may decide to do. */
uint64_t kernel_middle(void)
{
	kernel_secret = 0;
	return GOT_AWAY;
}

static _Noreturn void give_up(void)
{
	page->request.arg[0] = last_fault.vector;
	page->request.arg[1] = last_fault.rip;
	page->request.arg[2] = last_fault.error_code;
	page->request.arg[3] = last_fault.address;
	request(page, SS_REQUEST_FATAL);
	finish(1);
}

/* Returns if the call that the kernel has under way is to be given up: it then answers CALL_KILLED. Not
 * static: called by the entry. */
void kernel_fault(uint64_t vector, uint64_t error_code, uint64_t rip, uint64_t address, uint64_t sender);
void kernel_fault(uint64_t vector, uint64_t error_code, uint64_t rip, uint64_t address, uint64_t sender)
{
	extern uint8_t kernel_stack_end[], *kernel_saved;
	static uint32_t told;
	int new = page->violation.sequence != told;

	told = page->violation.sequence;
	last_fault = (struct fault){
		.count = last_fault.count + 1,
		.vector = (uint32_t)vector,
		.error_code = error_code,
		.rip = rip,
		.address = address,
		.sender = sender,
		.confirmed = new && page->violation.view == sender,
	};
	if (sender == VIEW_KERNEL || kernel_saved == kernel_stack_end)
		give_up();
}
