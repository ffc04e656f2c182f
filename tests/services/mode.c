/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMFUNC in every mode that the guest gets into: in 64-bit mode, in compatibility mode, and on AMD's engine, where
 * it may leave long mode, in protected mode without paging and with CR0.PE clear as well. For a run with
 * `--services view,map:long:exit,interrupt:protected:exit,pin:long`: RAX says what is withheld, but of `pin`, which
 * raises #GP. Exit status 0, or the number of the check.
 */
#include "guest.h"

#define EPERM 1
#define CODE_32 0x38 /* selector */
#define PG 0x80000000u

static uint64_t gdt[8];

/* struct outcome in_mode(uint64_t eax, uint64_t ecx, uint64_t edx, uint64_t ebx, uint64_t clear): VMFUNC in 32-bit
 * code, after these flags of CR0 were cleared one by one; they are put back before the mode is left. */
__asm__(".text\n"
	"in_mode:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r14\n"
	"	mov %rdi, %rax\n"
	"	mov %rcx, %rbx\n"
	"	mov %rsi, %rcx\n"
	"	mov %cr0, %rbp\n"
	"	xor %r11d, %r11d\n"
	"	lea 2f(%rip), %r14\n"
	"	mov %r8, %rdi\n"
	"	pushq $0x38\n"
	"	lea 1f(%rip), %rsi\n"
	"	push %rsi\n"
	"	lretq\n"
	".code32\n"
	"1:	mov %ebp, %esi\n"
	"	test $0x80000000, %edi\n"
	"	jz 3f\n"
	"	and $0x7fffffff, %esi\n"
	"	mov %esi, %cr0\n"
	"3:	test $1, %edi\n"
	"	jz 4f\n"
	"	and $0xfffffffe, %esi\n"
	"	mov %esi, %cr0\n"
	"4:	vmfunc\n"
	"2:	test %edi, %edi\n"
	"	jz 5f\n"
	"	or $1, %esi\n"
	"	mov %esi, %cr0\n"
	"	mov %ebp, %cr0\n"
	"5:	ljmp $0x08, $6f\n"
	".code64\n"
	"6:	mov %rax, %rdx\n"
	"	mov %r11, %rax\n"
	"	pop %r14\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	ret\n");

struct outcome in_mode(uint64_t eax, uint64_t ecx, uint64_t edx, uint64_t ebx, uint64_t clear);

static void add_code_32(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) table;

	__asm__ volatile("sgdt %0" : "=m"(table));
	for (unsigned i = 0; i < 7 && 8 * i < table.limit; i++)
		gdt[i] = ((const volatile uint64_t *)table.base)[i];
	gdt[CODE_32 / 8] = 0x00cf9b000000ffff;
	table.base = (uint64_t)gdt;
	table.limit = sizeof(gdt) - 1;
	__asm__ volatile("lgdt %0" : : "m"(table));
}

/* Where nobody carries the instruction out, by the request that a #UD handler makes. */
static struct outcome compatible(uint32_t number, uint64_t rdx)
{
	struct outcome outcome = in_mode(number, 0x50, rdx, 0, 0);

	if (outcome.vector == UD && !(context->flags & SS_CONTEXT_MONITOR))
		return ask_vmm_for(SS_CALLER_PROTECTED, number, 0x50, rdx, 0);
	return outcome;
}

static int is(struct outcome outcome, uint64_t vector, int32_t eax)
{
	return outcome.vector == vector && (vector != 0 || (int32_t)outcome.rax == eax);
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	(void)index;
	context = given;
	catch_exceptions();
	add_code_32();
	check(1, is(invoke(SS_SERVICE_MAP, 1000, 0, ALL), 0, -ENOENT));
	check(2, is(invoke(SS_SERVICE_INTERRUPT, 0x50, SS_INTERRUPT_DELIVER, 0), 0, 0));
	check(3, is(compatible(SS_SERVICE_MAP, 0), 0, -EPERM));
	check(4, is(compatible(SS_SERVICE_INTERRUPT, SS_INTERRUPT_DELIVER), 0, 0));
	check(5, is(compatible(SS_SERVICE_PIN, 0), GP, 0));
	check(6, is(compatible(SS_SERVICE_UNPIN, 0), UD, 0));
	if (context->flags & SS_CONTEXT_VMMCALL) {
		check(7, is(in_mode(SS_SERVICE_INTERRUPT, 0x50, SS_INTERRUPT_DELIVER, 0, PG), 0, 0));
		check(8, is(in_mode(SS_SERVICE_MAP, 0x50, 0, 0, PG), 0, -EPERM));
		check(9, is(in_mode(SS_SERVICE_INTERRUPT, 0x50, SS_INTERRUPT_DELIVER, 0, PG | SS_CR0_PE), 0,
			    -EPERM));
	}
	check(10, context->services.mode64 == (1 << SS_SERVICE_MAP | 1 << SS_SERVICE_PIN) &&
			  context->services.protected == 1 << SS_SERVICE_INTERRUPT &&
			  context->services.exits == (1 << SS_SERVICE_MAP | 1 << SS_SERVICE_INTERRUPT));
	leave(0);
}
