/* SPDX-License-Identifier: MIT */
/* The built-in firmware: performs the selected operations of its catalogue, one after another. */
#include "catalogue.h"
#include "cpu.h"
#include "fault.h"
#include "io.h"
#include "programs.h"
#include "workload.h"

#define ROTATE_FLIP 3 /* views 1 and 2 in turn */
#define WINDOW_CODE 16 /* where pages of the window have an instruction */
#define INSN_RET 0xc3

static struct cpu cpus[SS_MAX_VCPUS];

/* Puts masks and view list of an operation in place; 0: those that a guest starts with. */
static void setup(struct cpu *cpu, uint32_t number)
{
	cpu->page->request.arg[0] = number;
	monitor_request(cpu, SS_REQUEST_SETUP);
}

static int needs_setup(const struct ss_operation *op)
{
	return op->setup != SS_SETUP_NONE || op->masked != 0;
}

/* The flags that an operation starts from, by the words where the VMM wants that. */
static void load_cr0(struct cpu *cpu, uint64_t value)
{
	struct frame frame = {.cr0 = value, .words = (uint64_t)&cpu->page->cr0};

	if (cpu->context->flags & SS_CONTEXT_ENLIGHTENED)
		op_enlightened_write(&frame, 1);
	else
		write_cr0(value);
}

/* In the image's read-only part, which stands for a kernel: views other than the first must not be
 * able to write it. */
static const __attribute__((aligned(4096))) uint64_t kernel_page[512] = {SS_PAGE_KERNEL_VALUE};

static uint64_t *page_address(const struct cpu *cpu, unsigned page)
{
	if (page == SS_PAGE_KERNEL)
		return (uint64_t *)(uint64_t)kernel_page;
	return (uint64_t *)(cpu->context->window_gpa + 4096ull * page);
}

/* Which view is active, by what its tag page shows. */
static uint64_t view_tag(const struct cpu *cpu)
{
	return *(volatile uint64_t *)page_address(cpu, SS_WINDOW_TAG);
}

static void enter_view(struct cpu *cpu, uint64_t index)
{
	struct frame frame = {.arg = index};

	if (cpu->context->view_count != 0)
		op_vmfunc(&frame, 1);
}

/* The arguments of the service, in memory. The built-in views have regions in the order of the pages. */
static uint64_t map_arguments(struct cpu *cpu, const struct ss_operation *op)
{
	cpu->args = (struct ss_service_args){
		.size = sizeof(cpu->args),
		.index = op->arg & 0xff,
		.arg = {op->arg >> 8 & 0xff, op->arg >> 16},
	};
	return (uint64_t)&cpu->args;
}

static uint64_t operand_address(struct cpu *cpu, const struct ss_operation *op)
{
	switch (op->kind) {
	case SS_KIND_CR0_WRITE:
	case SS_KIND_FPU:
		return (uint64_t)cpu->fxsave_area;
	case SS_KIND_HYPERCALL_SERVICE:
		return op->arg;
	case SS_KIND_SERVICE:
		return cpu->null_request;
	case SS_KIND_VIEW_ACCESS:
		return (uint64_t)page_address(cpu, op->arg & 0xff) +
		       (op->insn == SS_INSN_CALL ? WINDOW_CODE : 0);
	case SS_KIND_INVLPG:
		return (uint64_t)cpus;
	case SS_KIND_VMFUNC:
	case SS_KIND_MAP:
		return op->flags & SS_OP_IN_MEMORY ? map_arguments(cpu, op)
						   : (uint64_t)page_address(cpu, op->arg & 0xff);
	default:
		return 0;
	}
}

static uint64_t first_view(const struct ss_operation *op)
{
	return op->kind == SS_KIND_VIEW_ACCESS || op->kind == SS_KIND_PIN ? op->arg >> 8 & 0xff : 0;
}

static int changes_view(const struct ss_operation *op)
{
	return op->kind == SS_KIND_VMFUNC || op->kind == SS_KIND_VIEW_ACCESS ||
	       (op->kind == SS_KIND_PIN && first_view(op) != 0) ||
	       (op->kind == SS_KIND_HYPERCALL_SERVICE && op->arg == SS_HYPERCALL_VIEW);
}

/* Not what the page holds, so that a store that should be refused shows; its own value where the store
 * is allowed, so that the next operation finds it. */
static uint64_t store_value(const struct ss_operation *op)
{
	return op->arg == (1u << 8 | SS_WINDOW_PRIVATE) ? SS_WINDOW_PRIVATE_VALUE : ~op->arg;
}

/* The register that the operation is about, or CR0. */
static uint64_t read_written(const struct ss_operation *op)
{
	return op->kind == SS_KIND_CR4_WRITE ? read_cr4() : read_cr0();
}

/* Puts the vCPU into the state that the operation starts from. */
static void prepare(struct cpu *cpu, uint32_t number, struct frame *frame)
{
	const struct ss_operation *op = &catalogue[number - 1];

	*frame = (struct frame){
		.arg = op->arg,
		.flip = op->flags & SS_OP_ROTATE ? ROTATE_FLIP : 0,
		.address = operand_address(cpu, op),
		.store = store_value(op),
		.user_rsp = (uint64_t)(cpu->user_stack + sizeof(cpu->user_stack)),
		.words = (uint64_t)&cpu->page->cr0,
		.vmmcall = cpu->context->flags & SS_CONTEXT_VMMCALL,
	};
	cpu->call_target = op->insn == SS_INSN_CALL ? frame->address : 0;
	if (needs_setup(op))
		setup(cpu, 0);
	io_prepare(cpu, op, frame);
	if (changes_view(op))
		enter_view(cpu, first_view(op));
	cpu->faults = 0;
	cpu->vector = SS_NO_VECTOR;
	cpu->error_code = 0;
	load_cr0(cpu, SS_CR0_BASE | op->cr0);
	if (op->kind == SS_KIND_CR4_WRITE)
		write_cr4(SS_CR4_BASE);
	if (needs_setup(op))
		setup(cpu, number);
	/* What the guest sees once the masks are in place. */
	if (op->flags & SS_OP_ENLIGHTENED)
		op_enlightened_read(frame, 1);
	frame->cr0 = op->flags & SS_OP_ENLIGHTENED ? frame->value : read_written(op);
}

static uint64_t outcome(struct cpu *cpu, const struct ss_operation *op, const struct frame *frame)
{
	if (op->kind != SS_KIND_VIEW_ACCESS && op->kind != SS_KIND_PIN && changes_view(op) &&
	    frame->value == 0)
		return view_tag(cpu);
	return frame->value;
}

/* What the register shows afterwards is what the writes have come to; who goes by the words has said it. */
static int ends_in_register(const struct ss_operation *op)
{
	return op->kind == SS_KIND_CR4_WRITE ||
	       (op->kind == SS_KIND_CR0_WRITE && !(op->flags & SS_OP_ENLIGHTENED));
}

/* Undoes prepare(); what a store left behind is read in view 0, which may read everything, and what is
 * in the register before the masks go. */
static void conclude(struct cpu *cpu, const struct ss_operation *op, struct ss_result *result)
{
	if (ends_in_register(op))
		result->value = read_written(op);
	if (needs_setup(op))
		setup(cpu, 0);
	write_cr0(SS_CR0_BASE);
	if (op->kind == SS_KIND_CR4_WRITE)
		write_cr4(SS_CR4_BASE);
	io_conclude(cpu, op, result);
	if (!changes_view(op))
		return;
	enter_view(cpu, 0);
	if (op->kind == SS_KIND_VIEW_ACCESS && op->insn == SS_INSN_STORE)
		result->value = *(volatile uint64_t *)page_address(cpu, op->arg & 0xff);
}

static uint32_t sample_overhead(void)
{
	struct frame frame = {0};
	uint64_t best = ~0ull;

	for (int i = 0; i < 8; i++) {
		op_overhead(&frame, 1);
		if (frame.ticks < best)
			best = frame.ticks;
	}
	return saturate(best);
}

/* The part between the two markers: nothing here but the samples. */
static void measure(struct cpu *cpu, uint32_t number, struct frame *frame,
		    struct ss_result *result)
{
	routine_fn *routine = (routine_fn *)catalogue[number - 1].entry;

	mark(cpu->page, number);
	for (uint32_t i = 0; i < result->samples; i++) {
		routine(frame, result->sample_size);
		result->ticks[i] = saturate(frame->ticks);
	}
	mark(cpu->page, 0);
}

/* Whether it shows after every repetition what has come of it. */
static int tells_each(const struct ss_operation *op)
{
	switch (op->kind) {
	case SS_KIND_CR0_WRITE:
	case SS_KIND_CR0_READ:
	case SS_KIND_CR4_WRITE:
	case SS_KIND_CR4_READ:
	case SS_KIND_FPU:
	case SS_KIND_FAULT:
	case SS_KIND_HYPERCALL_SERVICE:
		return 1;
	default:
		return op->kind == SS_KIND_VMFUNC && !(op->flags & SS_OP_CYCLE);
	}
}

/* Performs the operation for the first time: caches and page tables are warm then, those of every view too. Returns
 * what became of each repetition. */
static uint32_t perform_early(struct cpu *cpu, uint32_t number)
{
	const struct ss_operation *op = &catalogue[number - 1];
	routine_fn *routine = (routine_fn *)op->entry;
	struct frame frame;
	uint32_t early = 0;

	prepare(cpu, number, &frame);
	if (!tells_each(op)) {
		routine(&frame, op->flags & SS_OP_CYCLE ? (uint32_t)op->arg : 1);
		return 0;
	}
	for (unsigned i = 0; i < SS_EARLY; i++) {
		cpu->faults = 0;
		routine(&frame, 1);
		early |= ss_early(ends_in_register(op) ? read_written(op) : outcome(cpu, op, &frame),
				  cpu->faults != 0)
			 << SS_EARLY_BITS * i;
	}
	return early;
}

/* What surrounds a workload's batches shall be little: only the first one warms up, and tells its
 * result. */
static void perform(struct cpu *cpu, uint32_t number, uint32_t wanted, int first)
{
	const struct ss_operation *op = &catalogue[number - 1];
	struct ss_result *result = &cpu->page->result;
	struct ss_request *req = &cpu->page->request;
	struct frame frame;

	result->operation = number;
	divide_samples(result, wanted);
	result->overhead = cpu->overhead;

	if (op->kind == SS_KIND_HLT) {
		req->arg[0] = op->arg;
		req->arg[1] = result->count + (uint64_t)first; /* one to warm up */
		request(cpu->page, SS_REQUEST_INTERRUPT);
	}
	/* What a view forbids, or may come to forbid, is not done outside the markers, where nobody could say what it
	 * was. */
	result->early = 0;
	if (first && op->kind != SS_KIND_VIEW_ACCESS && op->kind != SS_KIND_MAP)
		result->early = perform_early(cpu, number);
	prepare(cpu, number, &frame);

	req->arg[0] = number;
	req->arg[1] = result->count;
	request(cpu->page, SS_REQUEST_BATCH_BEGIN);
	measure(cpu, number, &frame, result);
	result->value = outcome(cpu, op, &frame);
	result->faults = (uint32_t)cpu->faults;
	result->vector = cpu->vector;
	result->error_code = cpu->error_code;
	req->arg[0] = number;
	/* The snapshot of the counters comes first; what a store did is added afterwards. */
	request(cpu->page, SS_REQUEST_BATCH_END);
	conclude(cpu, op, result);
	req->arg[0] = number;
	if (first)
		request(cpu->page, SS_REQUEST_RESULT);
}

static void perform_once(struct cpu *cpu, uint32_t number)
{
	uint32_t iterations = cpu->context->iterations;

	perform(cpu, number, iterations ? iterations : catalogue[number - 1].count, 1);
}

/* In view 0, which may write everything. */
static void write_window_code(struct cpu *cpu)
{
	static const unsigned pages[] = {SS_WINDOW_SHARED, SS_WINDOW_PRIVATE};

	for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		((volatile uint8_t *)page_address(cpu, pages[i]))[WINDOW_CODE] = INSN_RET;
}

static void wait_for_siblings(struct cpu *cpu)
{
	for (uint32_t i = 0; i < cpu->context->vcpu_count; i++) {
		volatile struct ss_vcpu_page *page =
			(void *)(cpu->context->vcpu_page_gpa + 4096ull * i);
		while (!page->done)
			__asm__ volatile("pause");
	}
}

void firmware_main(struct ss_context *context, uint64_t index);
void firmware_main(struct ss_context *context, uint64_t index)
{
	struct cpu *cpu = &cpus[index];
	static struct ss_request null_requests[SS_MAX_VCPUS];
	struct ss_request *null_request = &null_requests[index];

	cpu->context = context;
	cpu->page = (void *)(context->vcpu_page_gpa + 4096 * index);
	cpu->index = (uint32_t)index;
	*cpu_slot() = cpu;
	if (context->ve_gpa)
		cpu->ve = (void *)(context->ve_gpa + 4096 * index);
	fault_install(cpu);
	null_request->size = sizeof(*null_request);
	null_request->number = SS_REQUEST_NULL_SERVICE;
	cpu->null_request = (uint64_t)null_request;

	cpu->page->request.arg[0] = SS_ABI_VERSION;
	if (context->magic != SS_ABI_MAGIC || request(cpu->page, SS_REQUEST_HELLO) != 0) {
		out8(SS_PORT_EXIT, 1);
		return;
	}
	if (context->flags & SS_CONTEXT_PROGRAMS)
		run_programs(cpu);
	write_window_code(cpu);
	cpu->overhead = sample_overhead();
	if (context->flags & SS_CONTEXT_WORKLOAD)
		run_workload(cpu, perform);
	for (uint32_t n = 1; n <= catalogue_size; n++)
		if (is_selected(context, n))
			perform_once(cpu, n);
	cpu->page->done = 1;
	if (index != 0)
		return;
	wait_for_siblings(cpu);
	out8(SS_PORT_EXIT, 0);
}
