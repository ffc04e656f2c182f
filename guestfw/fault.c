/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define GATES 256
#define COUNTED_VECTORS 0x50 /* these and above */
#define VECTOR_ENTRY_SIZE 16
#define INTERRUPT_GATE 0x8e00ull

extern const struct fixup fixup_start[], fixup_end[];
extern const uint8_t fault_entries[], interrupt_entry[], counted_interrupt_entry[];

struct gate {
	uint64_t low, high;
};

static struct gate idt[GATES];

static struct gate gate_to(uint64_t address)
{
	return (struct gate){
		.low = (address & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | INTERRUPT_GATE << 32 |
		       (address >> 16 & 0xffff) << 48,
		.high = address >> 32,
	};
}

/* Every vCPU loads the same table; filling it twice with the same values is harmless. */
void fault_install(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned i = 0; i < 32; i++)
		idt[i] = gate_to((uint64_t)fault_entries + i * VECTOR_ENTRY_SIZE);
	for (unsigned i = 32; i < COUNTED_VECTORS; i++)
		idt[i] = gate_to((uint64_t)interrupt_entry);
	for (unsigned i = COUNTED_VECTORS; i < GATES; i++)
		idt[i] = gate_to((uint64_t)counted_interrupt_entry);
	__asm__ volatile("lidt %0" : : "m"(descriptor));
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
	if (request(cpu, SS_REQUEST_VMFUNC) != 0)
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

void fault_handle(struct fault_frame *regs)
{
	struct cpu *cpu = this_cpu();

	if (regs->vector == VECTOR_UD && serve_vmfunc(cpu, regs))
		return;
	if (cpu->call_target != 0 && regs->rip == cpu->call_target) {
		count(cpu, regs);
		return_to_caller(regs);
		return;
	}
	for (const struct fixup *fixup = fixup_start; fixup < fixup_end; fixup++) {
		if (fixup->rip == regs->rip) {
			resume(cpu, regs, fixup);
			return;
		}
	}
	fatal(cpu, regs);
}
