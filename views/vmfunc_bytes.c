/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/vmfunc_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Intel SDM volume 3C, 31.1: NP 0F 01 D4. A prefix in front does not matter to
 * who looks for the bytes. */
static const uint8_t vmfunc[] = { 0x0f, 0x01, 0xd4 };

static int byte_at(const struct lint_subject *subject, uint64_t gpa)
{
	size_t low = 0;
	size_t high = subject->bytes_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct lint_bytes *bytes = &subject->bytes[middle];

		if (bytes->gpa.v + bytes->size <= gpa)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == subject->bytes_count || subject->bytes[low].gpa.v > gpa)
		return 0;
	return subject->bytes[low].bytes[gpa - subject->bytes[low].gpa.v];
}

static int add_place(struct vmfunc_bytes *found, uint64_t gpa)
{
	uint64_t *places;
	size_t capacity = found->capacity ? 2 * found->capacity : 64;

	if (found->count == found->capacity) {
		places = realloc(found->places, capacity * sizeof(*places));
		if (!places)
			return -ENOMEM;
		found->places = places;
		found->capacity = capacity;
	}
	found->places[found->count++] = gpa;
	return 0;
}

/* Whether the bytes from here to the end of the page, or three, are right. */
static bool possible(const struct lint_subject *subject, uint64_t gpa)
{
	const uint64_t left = GPA_PAGE_SIZE - (gpa & (GPA_PAGE_SIZE - 1));

	for (uint64_t i = 1; i < sizeof(vmfunc) && i < left; i++)
		if (byte_at(subject, gpa + i) != vmfunc[i])
			return false;
	return true;
}

int vmfunc_bytes_find(struct vmfunc_bytes *found,
		      const struct lint_subject *subject)
{
	*found = (struct vmfunc_bytes){ .subject = subject };
	for (size_t i = 0; i < subject->bytes_count; i++) {
		const struct lint_bytes *bytes = &subject->bytes[i];
		const uint8_t *at = bytes->bytes;
		const uint8_t *end = at + bytes->size;

		while (at < end &&
		       (at = memchr(at, vmfunc[0], (size_t)(end - at)))) {
			const uint64_t gpa =
				bytes->gpa.v + (uint64_t)(at - bytes->bytes);

			if (possible(subject, gpa) &&
			    add_place(found, gpa) != 0)
				return -ENOMEM;
			at++;
		}
	}
	return 0;
}

void vmfunc_bytes_finish(struct vmfunc_bytes *found)
{
	free(found->places);
	*found = (struct vmfunc_bytes){ 0 };
}

size_t vmfunc_bytes_from(const struct vmfunc_bytes *found, uint64_t gpa)
{
	size_t low = 0;
	size_t high = found->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (found->places[middle] < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool vmfunc_bytes_at(const struct vmfunc_bytes *found,
		     const struct view_map *map, uint64_t address)
{
	for (size_t i = 0; i < sizeof(vmfunc); i++) {
		const struct view_piece *piece = view_map_at(map, address + i);

		if (!piece || !(piece->rights & VIEW_EXECUTE) ||
		    byte_at(found->subject, piece->shown + address + i -
						    piece->start) != vmfunc[i])
			return false;
	}
	return true;
}
