/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters and callers that a service refuses, in registers and in memory. Exit status 0, or the number
 * of the check. */
#include "guest.h"

static volatile struct ss_service_args args;

static uint64_t by_memory(uint64_t address)
{
	const struct outcome outcome =
		invoke(SS_SERVICE_MAP, SS_SERVICE_IN_MEMORY, address, 0xdeadbeef);

	check(1, outcome.vector == 0);
	return outcome.rax;
}

static uint64_t switch_by_memory(uint32_t view)
{
	struct outcome outcome;

	args.size = sizeof(args);
	args.index = view;
	outcome = invoke(SS_SERVICE_VIEW, SS_SERVICE_IN_MEMORY, (uint64_t)&args, 0);
	check(12, outcome.vector == 0);
	return outcome.rax;
}

static void registers(void)
{
	const unsigned unknown_view = context->view_count;

	check(2, map(SS_WINDOW_SHARED, 0, ALL) == 0);
	check(3, map(SS_WINDOW_SHARED, unknown_view, ALL) == FAILED(ENOENT));
	check(4, map(SS_WINDOW_SHARED, UINT32_MAX, ALL) == FAILED(ENOENT));
	check(5, map(1000, 0, ALL) == FAILED(ENOENT));
	check(6, map(SS_SERVICE_IN_MEMORY - 1, 0, ALL) == FAILED(ENOENT));
	check(7, map(SS_WINDOW_SHARED, 0, 8) == FAILED(EINVAL));
	check(8, map(SS_WINDOW_SHARED, 0, SS_RIGHT_WRITE) == FAILED(EOPNOTSUPP));
	/* Upper halves count. */
	check(9, invoke(SS_SERVICE_MAP, 1, UINT64_C(1) << 32, ALL).rax == FAILED(EINVAL));
	check(10, invoke(SS_SERVICE_MAP, 1, 0, UINT64_C(1) << 32 | ALL).rax == FAILED(EINVAL));
	check(11, *window_page(SS_WINDOW_SHARED) == SS_WINDOW_SHARED_VALUE);
}

static void memory(void)
{
	const uint64_t end = context->memory_size;

	args.size = sizeof(args);
	args.index = SS_WINDOW_SHARED;
	args.arg[0] = 0;
	args.arg[1] = 0;
	check(20, by_memory((uint64_t)&args) == 0);
	check(21, *window_page(SS_WINDOW_SHARED) == UINT64_MAX);
	args.arg[1] = ALL;
	check(22, by_memory((uint64_t)&args) == 0);
	check(23, *window_page(SS_WINDOW_SHARED) == SS_WINDOW_SHARED_VALUE);
	args.index = SS_SERVICE_IN_MEMORY; /* an index like any other, there */
	check(24, by_memory((uint64_t)&args) == FAILED(ENOENT));
	args.size = sizeof(args) - 1;
	check(25, by_memory((uint64_t)&args) == FAILED(EMSGSIZE));
	args.size = UINT32_MAX;
	check(26, by_memory((uint64_t)&args) == FAILED(EMSGSIZE));
	check(27, by_memory(end) == FAILED(EFAULT));
	check(28, by_memory(end - sizeof(args) + 1) == FAILED(EFAULT));
	check(29, by_memory(end - sizeof(args)) == FAILED(EMSGSIZE));
	check(30, by_memory(SS_MMIO_GPA) == FAILED(EFAULT));
	check(31, by_memory(UINT64_MAX - 8) == FAILED(EFAULT));
	check(32, by_memory(UINT64_MAX) == FAILED(EFAULT));
	/* Of the service that is the processor's too. */
	check(33, switch_by_memory(SS_SERVICE_IN_MEMORY) == FAILED(ERANGE));
	check(34, switch_by_memory(512) == FAILED(ERANGE));
	check(35, switch_by_memory(511) == FAILED(EINVAL));
	check(36, *window_page(SS_WINDOW_TAG) == SS_VIEW_TAG);
	for (uint32_t view = context->view_count; view-- > 0;) {
		check(37, switch_by_memory(view) == 0);
		check(38, *window_page(SS_WINDOW_TAG) == (SS_VIEW_TAG | view));
	}
	check(39, invoke(SS_SERVICE_VIEW, SS_SERVICE_IN_MEMORY, end, 0).rax == FAILED(EFAULT));
}

/* Numbers that there are not, and a caller in another view. */
static void callers(void)
{
	struct outcome outcome;

	for (uint32_t number = 5; number < 80; number++)
		check(40, invoke(number, 0, 0, 0).vector == UD);
	check(41, invoke(UINT32_MAX, 0, 0, 0).vector == UD);
	switch_to(1);
	outcome = invoke(SS_SERVICE_MAP, SS_WINDOW_SHARED, 1, ALL);
	check(42, outcome.vector == GP);
	outcome = invoke(SS_SERVICE_MAP, SS_SERVICE_IN_MEMORY, UINT64_MAX, ALL);
	check(43, outcome.vector == GP);
	switch_to(0);
	/* Rights of a view that is not active count when it is. */
	check(44, map(SS_WINDOW_SHARED, 1, 0) == 0);
	switch_to(1);
	check(45, *window_page(SS_WINDOW_SHARED) == UINT64_MAX);
	switch_to(0);
	check(46, *window_page(SS_WINDOW_SHARED) == SS_WINDOW_SHARED_VALUE);
	check(47, map(SS_WINDOW_SHARED, 1, ALL) == 0);
	switch_to(1);
	*window_page(SS_WINDOW_SHARED) = 7;
	check(48, *window_page(SS_WINDOW_SHARED) == 7);
	/* What the page shows there is another one, with rights or without. */
	switch_to(0);
	check(49, map(SS_WINDOW_TAG, 1, 0) == 0);
	switch_to(1);
	check(50, *window_page(SS_WINDOW_TAG) == UINT64_MAX);
	switch_to(0);
	check(51, map(SS_WINDOW_TAG, 1, SS_RIGHT_READ | SS_RIGHT_EXECUTE) == 0);
	switch_to(1);
	check(52, *window_page(SS_WINDOW_TAG) == (SS_VIEW_TAG | 1));
	switch_to(0);
}

/* The upper halves of what CPUID changes are cleared, as of every leaf. */
static uint64_t by_cpuid(uint64_t number, uint64_t index)
{
	uint64_t rbx = UINT64_MAX, rdx = UINT64_MAX;

	__asm__ volatile("cpuid" : "+a"(number), "+b"(rbx), "+c"(index), "+d"(rdx) : : "memory");
	check(60, rbx == 0 && index == 0 && rdx == 0);
	return number;
}

static uint64_t by_wrmsr(uint64_t number, uint64_t value)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	wrmsr\n"
			 "1:\n"
			 : "+r"(vector)
			 : "a"((uint32_t)value), "c"(number), "d"(value >> 32)
			 : "r14", "memory");
	return vector;
}

/* Without a monitor nobody has these; on AMD the MSRs are there for operations that ask for it. */
static void other_ways(void)
{
	const uint64_t junk = UINT64_C(0xabcd) << 32;
	const int msrs = !(context->flags & SS_CONTEXT_VMMCALL);

	check(61, by_cpuid(junk | SS_HYPERCALL_NULL, 7) == 0);
	check(62, by_cpuid(SS_HYPERCALL_VIEW, context->view_count) == (uint32_t)-ERANGE);
	check(63, by_cpuid(SS_HYPERCALL_VIEW, 0xffffffff) == (uint32_t)-ERANGE);
	check(64, *window_page(SS_WINDOW_TAG) == SS_VIEW_TAG);
	check(65, by_cpuid(junk | SS_HYPERCALL_VIEW, junk | 2) == 0);
	check(66, *window_page(SS_WINDOW_TAG) == (SS_VIEW_TAG | 2));
	check(67, by_wrmsr(SS_HYPERCALL_NULL, 7) == (msrs ? 0 : GP));
	check(68, by_wrmsr(SS_HYPERCALL_VIEW, context->view_count) == GP);
	check(69, by_wrmsr(SS_HYPERCALL_VIEW, UINT64_C(1) << 32) == GP);
	check(70, by_wrmsr(SS_HYPERCALL_REQUEST, 0) == GP);
	check(71, by_wrmsr(SS_HYPERCALL_VIEW, 1) == (msrs ? 0 : GP));
	check(72, *window_page(SS_WINDOW_TAG) == (SS_VIEW_TAG | (msrs ? 1 : 2)));
	check(73, by_cpuid(SS_HYPERCALL_VIEW, 0) == 0);
	check(74, *window_page(SS_WINDOW_TAG) == SS_VIEW_TAG);
}

static void request_by_port(volatile struct ss_request *request)
{
	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uint64_t)request), "Nd"((uint16_t)SS_PORT_CONTROL)
			 : "memory");
}

/* A caller that there is not, in a request for a service: every bit that says nothing of one. */
static void callers_that_are_not(void)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		const uint32_t cpl = 1u << bit;
		struct ss_request request = {.size = sizeof(request), .number = SS_REQUEST_VMFUNC, .cpl = cpl,
					     .arg = {SS_SERVICE_VIEW, 0}};

		request_by_port(&request);
		check(80, (request.status == -EINVAL) ==
				  ((cpl & ~(3u | SS_CALLER_PROTECTED | SS_CALLER_REAL)) != 0));
	}
}

/* What a port has the VMM read is read by the rights that were set last, by the monitor too: it makes a change by itself
 * from the second time on. */
static void changes_hold_for_ports(void)
{
	volatile struct ss_request *request =
		(volatile struct ss_request *)(window_page(SS_WINDOW_SHARED) + 64);

	for (unsigned i = 0; i < 4; i++) {
		request->size = sizeof(*request);
		request->number = SS_REQUEST_NULL_SERVICE;
		request->cpl = 0;
		request->status = 1;
		check(81, map(SS_WINDOW_SHARED, 0, 0) == 0);
		request_by_port(request);
		check(82, map(SS_WINDOW_SHARED, 0, ALL) == 0);
		check(83, request->status == 1);
		request_by_port(request);
		check(84, request->status == 0);
	}
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	(void)index;
	context = given;
	catch_exceptions();
	registers();
	memory();
	callers();
	callers_that_are_not();
	changes_hold_for_ports();
	if (context->flags & SS_CONTEXT_MONITOR)
		other_ways();
	leave(0);
}
