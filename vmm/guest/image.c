/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/image.h"

#include <errno.h>
#include <string.h>

#include "views/list.h"

const char *const image_format_keys[IMAGE_FORMAT_COUNT] = {IMAGE_FORMATS(LIST_KEY)};

const char *const image_format_texts[IMAGE_FORMAT_COUNT] = {IMAGE_FORMATS(LIST_MEANING)};

/* 0f 00 /3 (Intel SDM vol. 2A, LTR). */
static bool holds_ltr(const uint8_t *bytes, size_t size)
{
	const uint8_t *end = bytes + size;

	while ((size_t)(end - bytes) >= 3 && (bytes = memchr(bytes, 0x0f, (size_t)(end - bytes) - 2))) {
		if (bytes[1] == 0 && (bytes[2] >> 3 & 7) == 3)
			return true;
		bytes++;
	}
	return false;
}

/* From the first to the last byte that is loaded, once: segments may lie over one another. */
bool image_loads_tss(const struct image *image)
{
	uint64_t start = image->size, end = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (segment->file_size == 0)
			continue;
		if (segment->file_offset < start)
			start = segment->file_offset;
		if (segment->file_offset + segment->file_size > end)
			end = segment->file_offset + segment->file_size;
	}
	return start < end && holds_ltr(image->data + start, end - start);
}

struct gpa_range image_read_only(const struct image *image)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		uint64_t start = segment->gpa.v & ~(GPA_PAGE_SIZE - 1);
		uint64_t end = (segment->gpa.v + segment->memory_size + GPA_PAGE_SIZE - 1) &
			       ~(GPA_PAGE_SIZE - 1);
		bool shared = segment->writable;

		for (size_t j = 0; j < image->segment_count; j++) {
			const struct image_segment *other = &image->segments[j];

			shared |= other->writable && other->gpa.v < end &&
				  other->gpa.v + other->memory_size > start;
		}
		if (!shared)
			return (struct gpa_range){gpa_at(start), end - start};
	}
	return (struct gpa_range){gpa_at(0), 0};
}

const struct image_segment *image_segment_at(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (address >= image->segments[i].gpa.v &&
		    address - image->segments[i].gpa.v < image->segments[i].memory_size)
			return &image->segments[i];
	return NULL;
}

static const struct image_segment *segment_of(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (address >= image->segments[i].address &&
		    address - image->segments[i].address < image->segments[i].memory_size)
			return &image->segments[i];
	return NULL;
}

const struct image_symbol *image_symbol_at(const struct image *image, uint64_t address)
{
	const struct image_segment *segment = segment_of(image, address);
	const struct image_symbol *symbol;
	size_t low = 0, high = image->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!segment || low == 0)
		return NULL;
	symbol = &image->symbols[low - 1];
	if (symbol->size != 0 && address - symbol->address >= symbol->size)
		return NULL;
	/* Labels of assembly code have no size; one reaches no further than its segment. */
	return segment == segment_of(image, symbol->address) ? symbol : NULL;
}

int image_gpa(const struct image *image, uint64_t address, uint64_t size, gpa_t *ret_gpa)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		uint64_t offset = address - segment->address;

		if (address < segment->address || offset >= segment->memory_size ||
		    size > segment->memory_size - offset)
			continue;
		*ret_gpa = gpa_add(segment->gpa, offset);
		return 0;
	}
	return -ENOENT;
}

const char *image_operation_name(const struct image *image, uint32_t number)
{
	if (number == 0)
		return "-";
	if (number > image_operations(image))
		return NULL;
	return image->marks ? marks_name(image->marks, number) : image->operations[number - 1].name;
}
