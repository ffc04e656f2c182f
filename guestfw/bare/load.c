/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader: finds out which plan is for this computer, and memory for it, and puts everything in its place. */
#include "console.h"
#include "guestfw/relay/insn.h"
#include "multiboot.h"
#include "plan.h"

#define LARGE_PAGE UINT64_C(0x200000)
#define GIB (UINT64_C(1) << 30)
#define PTE_TABLE 3u
#define PTE_LEAF 0x83u
/* Pixels are seen there, by the loader and by the monitor, whose own memory may have their addresses, or which may have
 * none up there. */
#define WINDOW_ENTRY 511 /* of a page-directory-pointer table */
#define WINDOW (WINDOW_ENTRY * GIB)
#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_EXTENDED 0x80000000u
#define CPUID_8000_0001_ECX_SVM (1u << 2)
/* Above is what computers have their devices in, and the window that the monitor is seen through. */
#define MEMORY_END RELAY_BASE

extern const struct bare_image bare_image;
extern const uint8_t bare_font_start[], bare_font_end[];
extern uint64_t bare_pdpt[], bare_window[];
void bare_load(uint32_t magic, uint32_t info);
__attribute__((noreturn)) void bare_jump(const struct bare_plan *plan, uint64_t base, uint64_t cr3, uint64_t stack,
					 uint64_t entry, const struct multiboot *told);

static const struct bare_plan *choose_plan(void)
{
	uint64_t offset = 0;

	if (bare_image.magic != BARE_MAGIC)
		console_needs("a plan", "", "none is behind this loader; `sidestep image` appends it");
	if (cpuid(1, 0).ecx & CPUID_1_ECX_VMX)
		offset = bare_image.plan[BARE_VMX];
	else if (cpuid(CPUID_EXTENDED, 0).eax > CPUID_EXTENDED &&
		 cpuid(CPUID_EXTENDED + 1, 0).ecx & CPUID_8000_0001_ECX_SVM)
		offset = bare_image.plan[BARE_SVM];
	else
		console_needs("vmx or svm", "", "a processor that offers neither; enable virtualization in the firmware's setup");
	if (!offset)
		console_needs("a plan for this vendor's processors", "", "an image made with --engine for the other's");
	return (const struct bare_plan *)(uint64_t)(BARE_LOAD + offset);
}

/* The first free block behind the image. */
static uint64_t choose_base(const struct bare_plan *plan, const struct multiboot *told)
{
	const uint64_t image_end = BARE_LOAD + bare_image.size;

	for (unsigned i = 0; i < told->count; i++) {
		const struct memory_range *range = &told->ranges[i];
		const uint64_t start = range->start > image_end ? range->start : image_end;
		const uint64_t base = (start + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
		const uint64_t end = range->end < MEMORY_END ? range->end : MEMORY_END;

		if (base < end && end - base >= plan->block)
			return base;
	}
	console_needs("memory", "", "no free block that is large enough, in one piece below 3 GiB; make the image with less (-m)");
}

static void clear(uint64_t start, uint64_t size)
{
	uint64_t count = size / 8;

	__asm__ volatile("rep stosq" : "+D"(start), "+c"(count) : "a"(0ull) : "memory");
}

static void copy(uint64_t to, const void *from, uint64_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/* In the monitor's memory, but for its code, words that are addresses in the block. */
static void move_words(const struct bare_plan *plan, uint64_t base, const struct bare_extent *extent)
{
	const uint64_t image = plan->monitor + (RELAY_IMAGE - RELAY_BASE);

	for (uint64_t place = extent->place; place < extent->place + extent->size; place += 8)
		if (place >= plan->monitor && place - image >= RELAY_IMAGE_MAX) {
			uint64_t *word = (uint64_t *)(base + place);

			*word = bare_move(plan, base, *word);
		}
}

static void put(const struct bare_plan *plan, uint64_t base)
{
	const struct bare_extent *extents = bare_part(plan, plan->extents);

	clear(base, plan->block);
	for (uint64_t i = 0; i < plan->extent_count; i++) {
		copy(base + extents[i].place, bare_part(plan, extents[i].data), extents[i].size);
		move_words(plan, base, &extents[i]);
	}
}

/* The firmware has said in the MTRRs that this is no memory to be cached. */
static void open_window(struct screen *screen)
{
	const uint64_t start = screen->address & ~(LARGE_PAGE - 1);
	const uint64_t size = screen->address - start + (uint64_t)screen->pitch * screen->height;

	if (screen->kind != SCREEN_PIXELS)
		return;
	if (size > GIB) {
		screen->kind = SCREEN_NONE;
		return;
	}
	for (uint64_t at = 0; at < size; at += LARGE_PAGE)
		bare_window[at / LARGE_PAGE] = (start + at) | PTE_LEAF;
	bare_pdpt[WINDOW_ENTRY] = (uint64_t)bare_window | PTE_TABLE;
	screen->address += WINDOW - start;
}

void bare_load(uint32_t magic, uint32_t info)
{
	static struct multiboot told; /* the monitor still reads it */
	const struct bare_plan *plan;
	uint64_t base;

	multiboot_read(&told, magic, info);
	open_window(&told.screen);
	told.screen.font = bare_font_start;
	told.screen.font_size = (uint64_t)(bare_font_end - bare_font_start);
	console_init(&told.screen);
	console_serial('\n'); /* a boot loader may have left a line that has not ended */
	plan = choose_plan();
	if (!told.count)
		console_needs("a memory map", "", "a boot loader that passes none on; use GRUB or another one of Multiboot");
	base = choose_base(plan, &told);
	put(plan, base);
	((uint64_t *)(base + plan->monitor + (RELAY_PDPT - RELAY_BASE)))[WINDOW_ENTRY] = bare_pdpt[WINDOW_ENTRY];
	bare_jump(plan, base, base + plan->monitor + (RELAY_PML4 - RELAY_BASE), RELAY_VCPUS + RELAY_STACK_TOP,
		  BARE_ENTRY, &told);
}
