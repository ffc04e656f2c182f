/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guests that invoke services share: VMFUNC with its exceptions caught, and a way out. */
#ifndef TESTS_SERVICES_GUEST_H
#define TESTS_SERVICES_GUEST_H

#include "guestfw/guest.h"

#define UD 6
#define GP 13

#define ENOENT 2
#define EFAULT 14
#define EINVAL 22
#define ERANGE 34
#define EMSGSIZE 90
#define EOPNOTSUPP 95

#define FAILED(error) ((uint64_t)-(error))
#define ALL (SS_RIGHT_READ | SS_RIGHT_WRITE | SS_RIGHT_EXECUTE)

struct outcome {
	uint64_t vector; /* 0: none */
	uint64_t rax;
};

static struct ss_context *context;

static inline _Noreturn void leave(uint8_t status)
{
	__asm__ volatile("outb %0, %1" : : "a"(status), "Nd"((uint16_t)SS_PORT_EXIT) : "memory");
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The number of the check that failed is the exit status. */
static inline void check(uint8_t number, int holds)
{
	if (!holds)
		leave(number);
}

static inline volatile uint64_t *window_page(unsigned page)
{
	return (volatile uint64_t *)(context->window_gpa + 4096ull * page);
}

/* The exception continues at r14, with its vector in r11. */
__asm__(".text\n"
	"unavailable:\n"
	"	mov $7, %r11d\n"
	"	jmp 1f\n"
	"undefined:\n"
	"	mov $6, %r11d\n"
	"1:\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n"
	"protected:\n"
	"	mov $13, %r11d\n"
	"	add $8, %rsp\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n");

extern const uint8_t undefined[], unavailable[], protected[];

static inline void catch_exceptions(void)
{
	static struct {
		uint64_t low, high;
	} idt[14];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = {sizeof(idt) - 1, (uint64_t)idt};
	const uint64_t handlers[14] = {[UD] = (uint64_t)undefined,
					[UD + 1] = (uint64_t)unavailable,
					[GP] = (uint64_t)protected};

	for (unsigned i = 0; i < 14; i++) {
		if (!handlers[i])
			continue;
		idt[i].low = (handlers[i] & 0xffff) | (uint64_t)SS_SEL_CODE << 16 |
			     0x8e00ull << 32 | (handlers[i] >> 16 & 0xffff) << 48;
		idt[i].high = handlers[i] >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(descriptor));
}

/* Where the processor has no VMFUNC for this guest, and no monitor is there to serve it. */
static inline struct outcome ask_vmm_for(uint32_t caller, uint32_t eax, uint32_t ecx, uint64_t rdx,
					 uint64_t rbx)
{
	struct ss_request request = {.size = sizeof(request),
				     .number = SS_REQUEST_VMFUNC,
				     .cpl = caller,
				     .arg = {eax, ecx, rdx, rbx}};
	static const uint8_t vectors[] = {
		[SS_VMFUNC_STEP] = 0, [SS_VMFUNC_UD] = UD, [SS_VMFUNC_GP] = GP};

	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uint64_t)&request), "Nd"((uint16_t)SS_PORT_CONTROL)
			 : "memory");
	check(250, request.status == 0 && request.ret[0] < sizeof(vectors));
	return (struct outcome){vectors[request.ret[0]], request.ret[1]};
}

static inline struct outcome invoke(uint32_t eax, uint32_t ecx, uint64_t rdx, uint64_t rbx)
{
	register uint64_t vector __asm__("r11") = 0;
	uint64_t rax = eax;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	.byte 0x0f, 0x01, 0xd4\n"
			 "1:\n"
			 : "+a"(rax), "+r"(vector)
			 : "c"(ecx), "d"(rdx), "b"(rbx)
			 : "r14", "memory");
	if (vector == UD && !(context->flags & SS_CONTEXT_MONITOR))
		return ask_vmm_for(0, eax, ecx, rdx, rbx);
	return (struct outcome){vector, rax};
}

/* Sets the rights of a page of the window in a view; regions have the order of the pages. */
static inline uint64_t map(unsigned page, unsigned view, unsigned rights)
{
	const struct outcome outcome = invoke(SS_SERVICE_MAP, page, view, rights);

	check(251, outcome.vector == 0);
	return outcome.rax;
}

static inline void switch_to(unsigned view)
{
	const struct outcome outcome = invoke(SS_SERVICE_VIEW, view, 0, 0);

	check(252, outcome.vector == 0 && outcome.rax == 0);
}

#endif
