/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/layout.h"

static uint64_t range_end(const struct gpa_range *range)
{
	return range->start.v + range->size;
}

/* Index of the first range that ends after the address, or count. */
static size_t first_ending_after(const struct guest_memory *memory, uint64_t at)
{
	size_t low = 0;
	size_t high = memory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (range_end(&memory->ranges[middle]) > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static enum policy_error_kind check_range(const struct gpa_range *range,
					  uint64_t floor, uint64_t limit)
{
	if (range->size == 0)
		return POLICY_ERROR_MEMORY_EMPTY;
	if (!gpa_aligned(range->start, GPA_PAGE_SIZE) ||
	    range->size % GPA_PAGE_SIZE != 0)
		return POLICY_ERROR_MEMORY_UNALIGNED;
	if (range->start.v >= limit || range->size > limit - range->start.v)
		return POLICY_ERROR_MEMORY_TOO_WIDE;
	if (range->start.v < floor)
		return POLICY_ERROR_MEMORY_UNORDERED;
	return POLICY_ERROR_INVALID;
}

int layout_validate(const struct guest_memory *memory, unsigned address_bits,
		    struct policy_error *ret_error)
{
	const uint64_t limit = UINT64_C(1) << address_bits;
	struct policy_error error = policy_error_of(POLICY_ERROR_MEMORY_EMPTY);
	uint64_t floor = 0;

	if (memory->count == 0)
		return policy_error_return(&error, ret_error);
	for (size_t i = 0; i < memory->count; i++) {
		const struct gpa_range *range = &memory->ranges[i];

		error.kind = check_range(range, floor, limit);
		if (error.kind != POLICY_ERROR_INVALID) {
			error.range = (uint32_t)i;
			error.gpa = range->start;
			return policy_error_return(&error, ret_error);
		}
		floor = range_end(range);
	}
	return 0;
}

bool layout_contains(const struct guest_memory *memory, gpa_t start,
		     uint64_t size)
{
	uint64_t at = start.v;
	uint64_t left = size;

	if (gpa_wraps(start, size))
		return false;
	for (size_t i = first_ending_after(memory, at); i < memory->count; i++) {
		const struct gpa_range *range = &memory->ranges[i];

		if (range->start.v > at)
			return false;
		if (left <= range_end(range) - at)
			return true;
		left -= range_end(range) - at;
		at = range_end(range);
	}
	return false;
}

bool layout_intersects(const struct guest_memory *memory, gpa_t start,
		       uint64_t size)
{
	const size_t i = first_ending_after(memory, start.v);

	if (i == memory->count)
		return false;
	return memory->ranges[i].start.v <= start.v ||
	       memory->ranges[i].start.v - start.v < size;
}

gpa_t layout_end(const struct guest_memory *memory)
{
	return gpa_at(range_end(&memory->ranges[memory->count - 1]));
}
