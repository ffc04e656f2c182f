/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's memory with page tables, code and data, and registers: for tests of what is made of instructions. */
#ifndef TESTS_UNIT_EMULATE_CODE_FIXTURE_H
#define TESTS_UNIT_EMULATE_CODE_FIXTURE_H

#include <string.h>

#include "views/policy.h"
#include "vmm/emulate/instruction.h"

#define MEMORY (UINT64_C(2) << 20)
#define PAGE UINT64_C(4096)
#define PML4 0x1000
#define PDPT 0x2000
#define PD 0x3000
#define PT 0x4000
#define CODE 0x10000 /* linear, one to one */
#define DATA 0x20000 /* linear; shown from DATA_GPA on */
#define DATA_GPA 0x80000
#define PTE 7

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 };

static struct plan plan;
static struct vm vm;
static struct page_walk_space space;
static uint64_t regs[16];

static void put(uint64_t gpa, uint64_t value)
{
	assert_int_equal(guest_ram_write(&vm.ram, gpa_at(gpa), &value, sizeof(value)), 0);
}

/* The first 2 MiB one to one but for eight pages of data, all of it allowed in the only view. */
static int setup(void **state)
{
	(void)state;
	plan = (struct plan){0};
	vm = (struct vm){.plan = &plan};
	space = (struct page_walk_space){.vm = &vm, .cr3 = PML4};
	assert_int_equal(policy_add_view(&vm.policy, "all", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(guest_ram_create(&vm.ram, MEMORY), 0);
	put(PML4, PDPT | PTE);
	put(PDPT, PD | PTE);
	put(PD, PT | PTE);
	for (uint64_t i = 0; i < 512; i++)
		put(PT + 8 * i, i * PAGE | PTE);
	for (uint64_t i = 0; i < 8; i++)
		put(PT + 8 * (DATA / PAGE + i), (DATA_GPA + (7 - i) * PAGE) | PTE);
	for (unsigned i = 0; i < 16; i++)
		regs[i] = UINT64_C(0x1111111111111111) * i;
	regs[RDI] = DATA;
	regs[RSP] = DATA + 0x100;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&vm.policy);
	guest_ram_destroy(&vm.ram);
	return 0;
}

static inline uint64_t data_gpa(uint64_t offset)
{
	return DATA_GPA + (7 - offset / PAGE) * PAGE + offset % PAGE;
}

struct code {
	const char *text;
	uint8_t bytes[INSN_MAX];
	unsigned size;
};

#define CODE_OF(text, ...) {text, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})}

static void load_code(uint64_t at, const struct code *code)
{
	assert_int_equal(guest_ram_write(&vm.ram, gpa_at(at), code->bytes, code->size), 0);
}

#endif
