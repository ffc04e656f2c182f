/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the regions lie that a policy names after something: parts of the guest's ELF file, and
 * what the VMM itself puts into guest memory. */
#ifndef VMM_POLICY_POLICY_SOURCE_H
#define VMM_POLICY_POLICY_SOURCE_H

#include "vmm/guest/image.h"

struct builtin_region {
	const char *name;
	struct gpa_range range;
	unsigned needed; /* rights of view.h that a guest needs there unless it does without on
			    purpose */
	const char *meaning;
};

extern const struct builtin_region builtin_regions[];
extern const size_t builtin_region_count;

/* NULL: a guest of this kind has none of that name. Kernels that others wrote have none at all. */
const struct builtin_region *builtin_region_by_name(const struct image *image, const char *name);

/* A guest's file, to find much in. */
struct source {
	const struct image *image;
	const struct image_symbol **by_name; /* ascending; NULL: nobody has looked for one yet */
};

void source_finish(struct source *source);

/*
 * The pages of a section, of a symbol's object, or from one symbol to another, whose address is the
 * first that does not belong. They start on a page boundary, and nothing else has a part of the
 * last page. Return 0, -EINVAL with the reason in words in `why`, or -ENOMEM.
 */
int source_section(const struct source *source, const char *name, struct gpa_range *ret_range,
		   char *why, size_t size);
int source_symbol(struct source *source, const char *name, struct gpa_range *ret_range, char *why,
		  size_t size);
int source_between(struct source *source, const char *from, const char *to,
		   struct gpa_range *ret_range, char *why, size_t size);

#endif
