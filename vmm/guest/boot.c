/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/boot.h"

#include <stddef.h>
#include <string.h>

#include "views/flags.h"
#include "views/guest_paging.h"
#include "vmm/guest/descriptor.h"

#define PTE_TABLE (GUEST_PTE_PRESENT | GUEST_PTE_WRITE | GUEST_PTE_USER)

#define TSS_RSP0 4
#define TSS_IOMAP_BASE 102
#define TSS_SIZE 104

/* The caller has checked that low memory exists. */
static uint64_t *table(const struct guest_ram *ram, uint64_t gpa)
{
	return guest_ram_at(ram, gpa_at(gpa), 4096);
}

static void write_page_tables(const struct guest_ram *ram)
{
	uint64_t *pml4 = table(ram, BOOT_PML4), *pdpt = table(ram, BOOT_PDPT);
	uint64_t *pt = table(ram, BOOT_PT);
	uint64_t end = guest_ram_high(ram) ? RAM_HIGH_BASE + guest_ram_high(ram) : 0;

	pml4[0] = BOOT_PDPT | PTE_TABLE;
	for (uint64_t g = 0; g < 4; g++) {
		uint64_t *pd = table(ram, BOOT_PD + 4096 * g);

		pdpt[g] = (BOOT_PD + 4096 * g) | PTE_TABLE;
		for (uint64_t i = 0; i < 512; i++)
			pd[i] = g << 30 | i << 21 | GUEST_PTE_LARGE | PTE_TABLE;
	}
	for (uint64_t g = 4; g < 512 && g << 30 < end; g++)
		pdpt[g] = g << 30 | GUEST_PTE_LARGE | PTE_TABLE;
	table(ram, BOOT_PD)[0] = BOOT_PT | PTE_TABLE;
	for (uint64_t i = 1; i < 512; i++)
		pt[i] = i << 12 | PTE_TABLE;
}

static void write_descriptors(const struct guest_ram *ram, unsigned vcpu)
{
	uint64_t tss_base = BOOT_TSS + BOOT_TSS_STRIDE * (uint64_t)vcpu;
	uint64_t gdt_base = BOOT_GDT + BOOT_GDT_STRIDE * (uint64_t)vcpu;
	uint64_t *gdt = guest_ram_at(ram, gpa_at(gdt_base), BOOT_GDT_STRIDE);
	uint8_t *tss = guest_ram_at(ram, gpa_at(tss_base), BOOT_TSS_STRIDE);
	uint64_t rsp0 = BOOT_STACKS + (uint64_t)BOOT_STACK_STRIDE * (vcpu + 1);
	uint16_t no_iomap = TSS_SIZE;

	gdt[SS_SEL_CODE / 8] = DESCRIPTOR_CODE;
	gdt[SS_SEL_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SS_SEL_USER_CODE / 8] = DESCRIPTOR_CODE | DESCRIPTOR_DPL3;
	gdt[SS_SEL_USER_DATA / 8] = DESCRIPTOR_DATA | DESCRIPTOR_DPL3;
	gdt[SS_SEL_TSS / 8] = descriptor_tss(tss_base);
	gdt[SS_SEL_TSS / 8 + 1] = tss_base >> 32;
	memcpy(tss + TSS_RSP0, &rsp0, sizeof(rsp0));
	memcpy(tss + TSS_IOMAP_BASE, &no_iomap, sizeof(no_iomap));
}

static void put(const struct guest_ram *ram, uint64_t gpa, uint64_t value)
{
	guest_ram_write(ram, gpa_at(gpa), &value, sizeof(value));
}

gpa_t boot_frames(uint64_t memory, size_t views)
{
	uint64_t low = memory < RAM_HOLE_BASE ? memory : RAM_HOLE_BASE;

	return gpa_at(views <= BOOT_FRAME_COUNT ? BOOT_FRAMES : low - views * 4096);
}

static void write_window(const struct guest_ram *ram, gpa_t frames, size_t views)
{
	put(ram, BOOT_WINDOW + 4096 * SS_WINDOW_TAG, SS_VIEW_TAG);
	put(ram, BOOT_WINDOW + 4096 * SS_WINDOW_SHARED, SS_WINDOW_SHARED_VALUE);
	put(ram, BOOT_WINDOW + 4096 * SS_WINDOW_PRIVATE, SS_WINDOW_PRIVATE_VALUE);
	for (uint64_t i = 1; i < views; i++)
		put(ram, frames.v + 4096 * (i - 1), SS_VIEW_TAG | i);
}

struct ss_flag_words boot_words(enum ss_embodiment embodiment, uint64_t base, uint64_t masked,
				uint64_t kept, uint64_t shadow, uint64_t loaded)
{
	struct ss_flag_words words = {
		.embodiment = embodiment,
		.shadow = (base & ~masked) | (shadow & masked),
		.value = base | loaded,
	};

	/* The plan has seen to it that the embodiment can say this. */
	flags_encode(embodiment, FLAGS_ALL & ~masked, kept, FLAGS_ALL, words.words);
	return words;
}

gpa_t boot_words_address(unsigned vcpu)
{
	return gpa_add(boot_vcpu_page(vcpu), offsetof(struct ss_vcpu_page, cr0));
}

void boot_write_words(const struct guest_ram *ram, unsigned vcpu, const struct ss_flag_words *words)
{
	guest_ram_write(ram, boot_words_address(vcpu), words, sizeof(*words));
}

void boot_write_frequency(const struct guest_ram *ram, uint64_t tsc_khz)
{
	put(ram, BOOT_CONTEXT + offsetof(struct ss_context, tsc_khz), tsc_khz);
}

void boot_write(const struct guest_ram *ram, const struct ss_context *context, gpa_t frames,
		size_t views)
{
	struct ss_context complete = *context;

	complete.magic = SS_ABI_MAGIC;
	complete.version = SS_ABI_VERSION;
	complete.size = sizeof(complete);
	complete.vcpu_page_gpa = BOOT_VCPU_PAGES;
	complete.memory_size = ram->size;
	complete.window_gpa = BOOT_WINDOW;
	guest_ram_write(ram, gpa_at(BOOT_CONTEXT), &complete, sizeof(complete));
	write_page_tables(ram);
	for (unsigned i = 0; i < context->vcpu_count; i++)
		write_descriptors(ram, i);
	write_window(ram, frames, views);
}
