/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "views/paging.h"
#include "vmm/guest/boot.h"

/* A part of the guest's file, in the guest's addresses. */
struct part {
	const char *name;
	uint64_t start, end;
	const struct image_section *section; /* itself, if it is one */
};

struct reason {
	char *text;
	size_t size;
};

const struct builtin_region builtin_regions[] = {
#define BUILTIN_REGION(name, address, size, needed, meaning) \
	{name, {{address}, size}, needed, meaning},
#include "vmm/policy/builtin_region.def"
#undef BUILTIN_REGION
};
const size_t builtin_region_count = sizeof(builtin_regions) / sizeof(builtin_regions[0]);

const struct builtin_region *builtin_region_by_name(const struct image *image, const char *name)
{
	for (size_t i = 0; !image_format_is_kernel(image->format) && i < builtin_region_count; i++)
		if (strcmp(builtin_regions[i].name, name) == 0)
			return &builtin_regions[i];
	return NULL;
}

__attribute__((format(printf, 2, 3))) static int because(const struct reason *why,
							 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->size, format, args);
	va_end(args);
	return -EINVAL;
}

static uint64_t page_up(uint64_t address)
{
	return (address + GPA_PAGE_SIZE - 1) & ~(GPA_PAGE_SIZE - 1);
}

static const struct image_section *section_of(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];

		if (section->loaded && address >= section->address &&
		    address - section->address < section->size)
			return section;
	}
	return NULL;
}

/* The first symbol at or behind an address, or NULL. */
static const struct image_symbol *symbol_from(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->symbols[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < image->symbol_count ? &image->symbols[low] : NULL;
}

/* Whoever has a part of the last page would get the region's rights with it. */
static int check_last_page(const struct image *image, const struct part *part,
			   const struct reason *why)
{
	const struct image_section *own =
		part->section ? part->section : section_of(image, part->end - 1);
	uint64_t last = page_up(part->end), own_end = own ? own->address + own->size : part->end;
	const struct image_symbol *other;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];

		if (section->loaded && section->size && section != own &&
		    section->address >= part->end && section->address < last)
			return because(why,
				       "'%.60s' ends at 0x%" PRIx64
				       ", and section %.60s has the rest of "
				       "that page; align what follows it to 4096 bytes",
				       part->name, part->end, section->name);
	}
	other = part->section ? NULL : symbol_from(image, part->end);
	if (other && other->address < last && other->address < own_end)
		return because(why,
			       "'%.60s' ends at 0x%" PRIx64
			       ", and '%.60s' has the rest of that page; "
			       "pad it to whole pages",
			       part->name, part->end, other->name);
	return 0;
}

static int pages_of(const struct image *image, const struct part *part, struct gpa_range *ret_range,
		    const struct reason *why)
{
	gpa_t gpa;

	if (part->start % GPA_PAGE_SIZE != 0)
		return because(why,
			       "'%.60s' starts at 0x%" PRIx64
			       ", which is no page boundary; align it to "
			       "4096 bytes",
			       part->name, part->start);
	if (image_gpa(image, part->start, part->end - part->start, &gpa) != 0)
		return because(why, "'%.60s' is in no loaded segment of the guest", part->name);
	if (check_last_page(image, part, why) != 0)
		return -EINVAL;
	*ret_range = (struct gpa_range){gpa, page_up(part->end) - part->start};
	return 0;
}

static int need_names(const struct image *image, const struct reason *why)
{
	return image->format == IMAGE_FLAT
		       ? because(why, "the guest is a flat binary, which has neither sections nor "
				      "symbols; give address and size")
		       : 0;
}

int source_section(const struct source *source, const char *name, struct gpa_range *ret_range,
		   char *text, size_t size)
{
	const struct image *image = source->image;
	const struct reason why = {text, size};
	const struct image_section *found = NULL;

	if (need_names(image, &why) != 0)
		return -EINVAL;
	for (size_t i = 0; i < image->section_count; i++) {
		if (strcmp(image->sections[i].name, name) != 0)
			continue;
		if (found)
			return because(&why, "the guest has several sections '%.60s'", name);
		found = &image->sections[i];
	}
	if (!found)
		return because(&why, "the guest has no section '%.60s'", name);
	if (!found->loaded)
		return because(&why, "section '%.60s' is not loaded into memory", name);
	if (found->size == 0)
		return because(&why, "section '%.60s' is empty", name);
	return pages_of(
		image,
		&(struct part){found->name, found->address, found->address + found->size, found},
		ret_range, &why);
}

static int by_name(const void *a, const void *b)
{
	const struct image_symbol *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int sort_names(struct source *source)
{
	const struct image *image = source->image;

	if (source->by_name)
		return 0;
	source->by_name = calloc(image->symbol_count + 1, sizeof(const struct image_symbol *));
	if (!source->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < image->symbol_count; i++)
		source->by_name[i] = &image->symbols[i];
	qsort(source->by_name, image->symbol_count, sizeof(const struct image_symbol *), by_name);
	return 0;
}

/* Index of the first symbol, by name, that is not below this one. */
static size_t position_of(const struct source *source, const char *name)
{
	size_t low = 0, high = source->image->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(source->by_name[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int find_symbol(struct source *source, const char *name, const struct image_symbol **ret_symbol,
		       const struct reason *why)
{
	const struct image_symbol *const *end, *const *at;
	int rc = need_names(source->image, why);

	if (rc == 0)
		rc = sort_names(source);
	if (rc != 0)
		return rc;
	end = source->by_name + source->image->symbol_count;
	at = source->by_name + position_of(source, name);
	if (at == end || strcmp((*at)->name, name) != 0)
		return because(why, "the guest has no symbol '%.60s'", name);
	*ret_symbol = *at;
	while (++at != end && strcmp((*at)->name, name) == 0)
		if ((*at)->address != (*ret_symbol)->address)
			return because(why, "the guest has several symbols '%.60s'", name);
	return 0;
}

int source_symbol(struct source *source, const char *name, struct gpa_range *ret_range, char *text,
		  size_t size)
{
	const struct reason why = {text, size};
	const struct image_symbol *symbol;
	int rc = find_symbol(source, name, &symbol, &why);

	if (rc != 0)
		return rc;
	if (symbol->size == 0)
		return because(
			&why,
			"symbol '%.60s' has no size; give two symbols, from and to, or .size in "
			"assembly",
			name);
	return pages_of(
		source->image,
		&(struct part){symbol->name, symbol->address, symbol->address + symbol->size, NULL},
		ret_range, &why);
}

int source_between(struct source *source, const char *from, const char *to,
		   struct gpa_range *ret_range, char *text, size_t size)
{
	const struct reason why = {text, size};
	const struct image_symbol *start, *end;
	int rc = find_symbol(source, from, &start, &why);

	if (rc == 0)
		rc = find_symbol(source, to, &end, &why);
	if (rc != 0)
		return rc;
	if (end->address <= start->address)
		return because(&why, "'%.60s' is at 0x%" PRIx64 ", not above '%.60s' at 0x%" PRIx64,
			       to, end->address, from, start->address);
	return pages_of(source->image,
			&(struct part){start->name, start->address, end->address, NULL}, ret_range,
			&why);
}

void source_finish(struct source *source)
{
	free(source->by_name);
	*source = (struct source){0};
}
