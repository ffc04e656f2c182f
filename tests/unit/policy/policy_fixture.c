/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy_fixture.h"

#define PAGE UINT64_C(0x1000)

/* libconfig 1.5 forgets a string that is being read when it finds a syntax error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static struct image_segment segments[] = {
	{.gpa = {0x100000}, .address = 0x100000, .memory_size = 0xb000},
	/* Not where the guest's code takes it to be. */
	{.gpa = {0x300000}, .address = 0x200000, .memory_size = 0x2000},
};
#define SECTION(n, a, s, l) {.name = n, .address = a, .size = s, .loaded = l}
static struct image_section sections[] = {
	SECTION(".text", 0x100000, 0x1800, true), SECTION(".gate", 0x102000, 0x100, true),
	SECTION(".data", 0x103000, 0x800, true), SECTION(".tail", 0x103800, 0x100, true),
	SECTION(".odd", 0x104010, 0x100, true), SECTION(".bss", 0x105000, 0x6000, true),
	SECTION(".comment", 0, 0x100, false), SECTION(".empty", 0x10b000, 0, true),
	SECTION(".twice", 0x10b000, 0x1000, true), SECTION(".twice", 0x10c000, 0x1000, true),
	SECTION(".moved", 0x200000, 0x1000, true), SECTION(".away", 0x10000000, 0x1000, true),
	SECTION(".wraps", 0x100000, UINT64_MAX, true),
};
#define SYMBOL(a, s, n) {.address = a, .size = s, .name = n}
static struct image_symbol symbols[] = {
	SYMBOL(0x105000, 0x1000, "table"), SYMBOL(0x106000, 100, "small"), SYMBOL(0x106080, 8, "next"),
	SYMBOL(0x107000, 0, "label"), SYMBOL(0x108000, 0, "label_end"), SYMBOL(0x109000, 100, "alone"),
	SYMBOL(0x10a000, 16, "twin"), SYMBOL(0x10a800, 16, "twin"),
};

const struct image fixture_guest = {
	.format = IMAGE_ELF64,
	.entry = 0x100000,
	.segments = segments,
	.segment_count = ARRAY_SIZE(segments),
	.sections = sections,
	.section_count = ARRAY_SIZE(sections),
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

static const struct gpa_range ranges[] = {{{0}, 16 << 20}, {{SS_MMIO_GPA}, PAGE}};
const struct view_target fixture_ept = {
	.memory = {ranges, ARRAY_SIZE(ranges)},
	.format = &paging_formats[PAGING_EPT],
	.caps = {.maxphyaddr = 46, .ve = true},
};

void fixture_load(struct loaded *loaded, const char *text, size_t size, const struct view_target *target,
		  bool lenient)
{
	fixture_load_for(loaded, text, size, &(struct policy_subject){&fixture_guest, target, "test", lenient});
}

void fixture_load_for(struct loaded *loaded, const char *text, size_t size, const struct policy_subject *subject)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	char path[32];

	memset(loaded, 0, sizeof(*loaded));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	loaded->rc = policy_load(&loaded->file, path, subject, &loaded->diagnostics,
				 &loaded->error);
	close(fd);
}

void fixture_summarize(const struct diagnostics *diagnostics, char *line, size_t size)
{
	size_t used = 0;

	line[0] = '\0';
	for (size_t i = 0; i < diagnostics->kept && used < size; i++) {
		const struct diagnostic *entry = &diagnostics->list[i];

		used += (size_t)snprintf(line + used, size - used, "%s%u:%u %s", i ? ", " : "",
					 entry->place.line, entry->place.column, entry->key);
	}
}
