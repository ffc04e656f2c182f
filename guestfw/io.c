/* SPDX-License-Identifier: MIT */
#include "io.h"

#define PAGE_SIZE 4096ull
#define PAGE_WORDS (PAGE_SIZE / 8)
#define PAGE_SECTORS (PAGE_SIZE / SS_DISK_SECTOR_SIZE)

int64_t io_invoke(uint32_t number, uint32_t index, uint64_t first, uint64_t second);

static struct io {
	struct ss_request raise;
	int64_t handle; /* of the page, while it is pinned for the disk */
} ios[SS_MAX_VCPUS];

static _Alignas(4096) uint64_t pages[SS_MAX_VCPUS][PAGE_WORDS];

static uint64_t *page_of(const struct cpu *cpu)
{
	return pages[cpu->index];
}

/* Interrupts. The count is of the vector that the operation is about. */

static uint32_t taken(const struct cpu *cpu)
{
	return *(volatile const uint32_t *)&cpu->interrupts;
}

/* A pending interrupt is taken here: at the latest at the exit of the request. */
static void take_pending(struct cpu *cpu)
{
	__asm__ volatile("sti; nop" : : : "memory");
	request(cpu->page, SS_REQUEST_NULL_SERVICE);
	__asm__ volatile("cli" : : : "memory");
}

static void prepare_interrupt(struct cpu *cpu, const struct ss_operation *op, struct frame *frame)
{
	struct io *io = &ios[cpu->index];

	io->raise = (struct ss_request){
		.size = sizeof(io->raise),
		.number = SS_REQUEST_RAISE,
		.arg = {op->arg & 0xff},
	};
	frame->address = (uint64_t)&io->raise;
	io_invoke(SS_SERVICE_INTERRUPT, op->arg & 0xff, op->arg >> 8, 0);
	cpu->interrupts = 0;
}

/* How many came while the vector was set so, and how many when it is delivered again. */
static uint64_t conclude_interrupt(struct cpu *cpu, const struct ss_operation *op)
{
	uint64_t before = taken(cpu);

	io_invoke(SS_SERVICE_INTERRUPT, op->arg & 0xff, SS_INTERRUPT_DELIVER, 0);
	take_pending(cpu);
	return before | (taken(cpu) - before) << 32;
}

/* Buffers */

static uint64_t pin_address(const struct cpu *cpu, uint64_t page)
{
	switch (page) {
	case SS_PIN_OWN:
		return (uint64_t)page_of(cpu);
	case SS_PIN_ODD:
		return (uint64_t)page_of(cpu) + SS_DISK_SECTOR_SIZE;
	case SS_PIN_OUTSIDE:
		return SS_MMIO_GPA;
	default:
		return cpu->context->window_gpa + PAGE_SIZE * page;
	}
}

static void prepare_pin(const struct cpu *cpu, const struct ss_operation *op, struct frame *frame)
{
	frame->address = pin_address(cpu, op->arg & 0xff);
	frame->store = PAGE_SIZE;
	frame->flip = op->arg >> 16 & 0xff;
}

/* The disk */

static void set_register(enum ss_disk_register reg, uint64_t value)
{
	out32((uint16_t)(SS_PORT_DISK + 4 * reg), (uint32_t)value);
}

static void fill(uint64_t *page, uint64_t first)
{
	for (uint64_t i = 0; i < PAGE_WORDS; i++)
		page[i] = first ? first + i : 0;
}

/* SS_DISK_PATTERN if the page holds it, else where it does not. */
static uint64_t check_pattern(const uint64_t *page)
{
	for (uint64_t i = 0; i < PAGE_WORDS; i++)
		if (*(volatile const uint64_t *)&page[i] != SS_DISK_PATTERN + i)
			return i;
	return SS_DISK_PATTERN;
}

static void move(enum ss_disk_command command)
{
	set_register(SS_DISK_REG_COMMAND, command);
}

/* The pattern is at the source of what the operation moves, zeros are where it goes. */
static void prepare_disk(struct cpu *cpu, const struct ss_operation *op)
{
	struct io *io = &ios[cpu->index];
	uint64_t *page = page_of(cpu);
	int to_page = (op->arg & 0xff) == SS_DISK_COMMAND_READ;

	if (io->handle <= 0)
		io->handle = io_invoke(SS_SERVICE_PIN, SS_RIGHT_READ | SS_RIGHT_WRITE,
				       (uint64_t)page, PAGE_SIZE);
	set_register(SS_DISK_REG_VECTOR, 0);
	set_register(SS_DISK_REG_BUFFER, (uint64_t)io->handle);
	set_register(SS_DISK_REG_OFFSET, 0);
	set_register(SS_DISK_REG_SECTOR, 0);
	set_register(SS_DISK_REG_COUNT, PAGE_SECTORS);
	fill(page, to_page ? SS_DISK_PATTERN : 0);
	move(SS_DISK_COMMAND_WRITE);
	fill(page, to_page ? 0 : SS_DISK_PATTERN);
	if (op->arg & SS_DISK_UNPINNED)
		set_register(SS_DISK_REG_BUFFER, 0);
	if (op->arg & SS_DISK_INTERRUPT)
		set_register(SS_DISK_REG_VECTOR, SS_DISK_INTERRUPT_VECTOR);
	cpu->interrupts = 0;
}

/* The pattern, if all of it arrived; a status other than DONE; or how many interrupts came. */
static uint64_t conclude_disk(struct cpu *cpu, const struct ss_operation *op, uint64_t status)
{
	struct io *io = &ios[cpu->index];
	uint64_t *page = page_of(cpu), value = status;

	set_register(SS_DISK_REG_VECTOR, 0);
	if ((op->arg & 0xff) == SS_DISK_COMMAND_WRITE) {
		fill(page, 0);
		move(SS_DISK_COMMAND_READ);
	}
	if (status == SS_DISK_STATUS_DONE)
		value = op->arg & SS_DISK_INTERRUPT ? taken(cpu) : check_pattern(page);
	io_invoke(SS_SERVICE_UNPIN, (uint32_t)io->handle, 0, 0);
	io->handle = 0;
	return value;
}

void io_prepare(struct cpu *cpu, const struct ss_operation *op, struct frame *frame)
{
	if (op->kind == SS_KIND_INTERRUPT)
		prepare_interrupt(cpu, op, frame);
	else if (op->kind == SS_KIND_PIN)
		prepare_pin(cpu, op, frame);
	else if (op->kind == SS_KIND_DISK)
		prepare_disk(cpu, op);
}

void io_conclude(struct cpu *cpu, const struct ss_operation *op, struct ss_result *result)
{
	if (op->kind == SS_KIND_INTERRUPT)
		result->value = conclude_interrupt(cpu, op);
	else if (op->kind == SS_KIND_DISK)
		result->value = conclude_disk(cpu, op, result->value);
}
