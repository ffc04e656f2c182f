/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes to memory up to its end, wherever the map has some, and finds it all again: nothing is there twice. The page
 * tables that reach it are those of long mode, which code of 32 bits can have: a KVM that interprets knows no others.
 */
#include "pc.h"

#define LARGE 0x200000u
#define WINDOW 0xc0000000u /* whose page changes; below 1 GiB addresses are as they are */
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define STEP (64u << 20)

static uint64_t top[512] __attribute__((aligned(4096)));
static uint64_t pointers[512] __attribute__((aligned(4096)));
static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t window[512] __attribute__((aligned(4096)));

static void paging_on(void)
{
	for (uint64_t i = 0; i < 512; i++)
		low[i] = i * LARGE | 0x83;
	pointers[0] = (uintptr_t)low | 3;
	pointers[3] = (uintptr_t)window | 3;
	top[0] = (uintptr_t)pointers | 3;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_LME);
	__asm__ volatile("mov %%cr4, %%eax\n"
			 "or $0x20, %%eax\n"
			 "mov %%eax, %%cr4\n"
			 "mov %0, %%cr3\n"
			 "mov %%cr0, %%eax\n"
			 "or $0x80000000, %%eax\n"
			 "mov %%eax, %%cr0"
			 :
			 : "r"(top)
			 : "eax", "memory");
}

static volatile uint32_t *at(uint64_t address)
{
	window[0] = (address & ~(uint64_t)(LARGE - 1)) | 0x83;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
	return (volatile uint32_t *)(uintptr_t)(WINDOW + ((uint32_t)address & (LARGE - 1)));
}

static uint32_t mark(uint64_t address)
{
	return (uint32_t)(address >> 12) ^ 0x5a5a5a5a;
}

static uint32_t visit(const struct multiboot *told, bool write)
{
	uint32_t count = 0;

	for (const struct multiboot_range *range = told->map; is_in_map(told, range); range = next_range(range)) {
		uint64_t end = range->base + range->length, address = range->base;

		if (range->type != RANGE_AVAILABLE || end <= 0x100000)
			continue;
		if (address < (uintptr_t)image_end)
			address = ((uintptr_t)image_end + 3) & ~3u;
		for (; address < end; address = address == end - 4 ? end : address + STEP < end ? address + STEP : end - 4) {
			if (write)
				*at(address) = mark(address);
			else
				check(*at(address) == mark(address), "memory keeps what it was given");
			count++;
		}
	}
	return count;
}

int guest(const struct multiboot *told)
{
	uint32_t count;

	check(told->flags & TOLD_MAP, "there is a memory map");
	/* Nothing of what was told is needed where the marks go, but the map itself might be there. */
	check((uintptr_t)told->map < 0x100000, "the map is in low memory");
	paging_on();
	count = visit(told, true);
	check(visit(told, false) == count && count > 1, "all of it was visited twice");
	print("words ");
	print_number(count);
	print("\n");
	return 0;
}
