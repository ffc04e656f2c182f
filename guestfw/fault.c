/* SPDX-License-Identifier: MIT */
#include "fault.h"

#define GATES 256
#define COUNTED_VECTORS 0x50 /* these and above */

struct fault_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define FIXUP_NEXT 0      /* count the fault, go on at `resume` */
#define FIXUP_TO_KERNEL 1 /* the agreed way back from CPL 3: not a fault of the operation */

struct fixup {
	uint64_t rip;
	uint64_t resume;
	uint64_t action;
};

extern const struct fixup fixup_start[], fixup_end[];
extern const uint8_t fault_entries[], ve_entry[], interrupt_entry[], counted_interrupt_entry[];

static struct idt_gate idt[GATES];

/* Every vCPU loads the same table; filling it twice with the same values is harmless. */
void fault_install(const struct cpu *cpu)
{
	for (unsigned i = 0; i < 32; i++)
		idt[i] = idt_gate((uint64_t)fault_entries + i * VECTOR_ENTRY_SIZE, 0);
	if (cpu->ve)
		idt[VECTOR_VE] = idt_gate((uint64_t)ve_entry, 0);
	for (unsigned i = 32; i < COUNTED_VECTORS; i++)
		idt[i] = idt_gate((uint64_t)interrupt_entry, 0);
	for (unsigned i = COUNTED_VECTORS; i < GATES; i++)
		idt[i] = idt_gate((uint64_t)counted_interrupt_entry, 0);
	load_idt(idt, GATES);
}

static int is_vmfunc(uint64_t rip)
{
	const uint8_t *insn = (const uint8_t *)rip;

	return insn[0] == 0x0f && insn[1] == 0x01 && insn[2] == 0xd4;
}

/* A processor without VMFUNC for this guest raises #UD: ask the VMM for the service instead.
 * EAX above 63 is #UD on every processor, and a monitor has served what there is to serve, so nobody
 * is asked then. Returns 1 if carried out. */
static int serve_vmfunc(struct cpu *cpu, struct fault_frame *regs)
{
	struct ss_request *req = &cpu->page->request;

	if (cpu->context->flags & SS_CONTEXT_MONITOR || (uint32_t)regs->rax > 63 || !is_vmfunc(regs->rip))
		return 0;
	req->arg[0] = (uint32_t)regs->rax;
	req->arg[1] = (uint32_t)regs->rcx;
	req->arg[2] = regs->rdx;
	req->arg[3] = regs->rbx;
	req->cpl = regs->cs & 3;
	if (request(cpu->page, SS_REQUEST_VMFUNC) != 0)
		return 0;
	if (req->ret[0] == SS_VMFUNC_GP)
		regs->vector = VECTOR_GP;
	if (req->ret[0] != SS_VMFUNC_STEP)
		return 0;
	regs->rax = req->ret[1];
	regs->rip += 3;
	return 1;
}

static void count(struct cpu *cpu, const struct fault_frame *regs)
{
	cpu->faults++;
	cpu->vector = (uint32_t)regs->vector;
	cpu->error_code = regs->error_code;
}

static void return_to_caller(struct fault_frame *regs)
{
	regs->rip = *(const uint64_t *)regs->rsp;
	regs->rsp += sizeof(uint64_t);
}

static void resume(struct cpu *cpu, struct fault_frame *regs, const struct fixup *fixup)
{
	if (fixup->action == FIXUP_TO_KERNEL) {
		regs->cs = SS_SEL_CODE;
		regs->ss = SS_SEL_DATA;
		regs->rsp = ((struct frame *)regs->r15)->kernel_rsp;
	} else {
		count(cpu, regs);
	}
	regs->rip = fixup->resume;
}

/* What there is for a fault at this place, or 0. Mostly it is the same as for the last one: what an operation costs
 * shall not depend on how many there are. */
static const struct fixup *find_fixup(struct cpu *cpu, uint64_t rip)
{
	if (cpu->fixup && cpu->fixup->rip == rip)
		return cpu->fixup;
	for (const struct fixup *fixup = fixup_start; fixup < fixup_end; fixup++)
		if (fixup->rip == rip)
			return cpu->fixup = fixup;
	return 0;
}

/* Reports a fault that nothing provides for. */
static _Noreturn void fatal(struct cpu *cpu, const struct fault_frame *regs)
{
	struct ss_request *req = &cpu->page->request;

	req->arg[0] = regs->vector;
	req->arg[1] = regs->rip;
	req->arg[2] = regs->error_code;
	req->arg[3] = read_cr2();
	request(cpu->page, SS_REQUEST_FATAL);
	finish(1);
}

/* Not static: called by the entries. */
void fault_handle(struct fault_frame *regs);
void fault_handle(struct fault_frame *regs)
{
	struct cpu *cpu = this_cpu();
	const struct fixup *fixup;

	if (regs->vector == VECTOR_UD && serve_vmfunc(cpu, regs))
		return;
	if (cpu->call_target != 0 && regs->rip == cpu->call_target) {
		count(cpu, regs);
		return_to_caller(regs);
		return;
	}
	fixup = find_fixup(cpu, regs->rip);
	if (!fixup)
		fatal(cpu, regs);
	resume(cpu, regs, fixup);
}
