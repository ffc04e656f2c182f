/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/eptp.h"

#include <stddef.h>

#define EPTP_MEMTYPE_MASK UINT64_C(7)
#define EPTP_MEMTYPE_UC UINT64_C(0)
#define EPTP_MEMTYPE_WB UINT64_C(6)
#define EPTP_WALK_MASK (UINT64_C(7) << 3)
#define EPTP_WALK_4 (UINT64_C(3) << 3)
#define EPTP_WALK_5 (UINT64_C(4) << 3)
#define EPTP_AD (UINT64_C(1) << 6)
#define EPTP_RESERVED_MASK (UINT64_C(0x1f) << 7)

struct row {
	const char *key;
	const char *text;
};

static const struct row rows[EPTP_RULE_COUNT] = {
#define EPTP_RULE_ROW(name, key, text) [EPTP_##name] = { key, text },
	EPTP_RULE_TABLE(EPTP_RULE_ROW)
#undef EPTP_RULE_ROW
};

uint64_t ept_pointer(gpa_t root, const struct paging_caps *caps)
{
	return root.v | EPTP_MEMTYPE_WB | EPTP_WALK_4 |
	       (caps->ad_bits ? EPTP_AD : 0);
}

enum eptp_rule eptp_check(uint64_t eptp, const struct paging_caps *caps)
{
	const uint64_t type = eptp & EPTP_MEMTYPE_MASK;
	const uint64_t walk = eptp & EPTP_WALK_MASK;

	if (type != EPTP_MEMTYPE_WB &&
	    !(type == EPTP_MEMTYPE_UC && caps->memtype_uc))
		return EPTP_MEMORY_TYPE;
	if (walk != EPTP_WALK_4 && !(walk == EPTP_WALK_5 && caps->walk_5))
		return EPTP_WALK_LENGTH;
	if (eptp & EPTP_AD && !caps->ad_bits)
		return EPTP_ACCESSED_DIRTY;
	if (eptp & EPTP_RESERVED_MASK)
		return EPTP_RESERVED;
	if (eptp >> caps->maxphyaddr != 0)
		return EPTP_ADDRESS;
	return EPTP_VALID;
}

const char *eptp_rule_key(enum eptp_rule rule)
{
	return (unsigned)rule < EPTP_RULE_COUNT ? rows[rule].key : NULL;
}

const char *eptp_rule_text(enum eptp_rule rule)
{
	return (unsigned)rule < EPTP_RULE_COUNT ? rows[rule].text : NULL;
}
