/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/paging.h"

#include "views/eptp.h"

/*
 * EPT entries, Intel SDM volume 3C, tables 29-1 to 29-6. Bit 6 (ignore PAT) of
 * leaves stays 0, so that the guest's PAT can weaken the write-back type.
 */
#define EPT_READ (UINT64_C(1) << 0)
#define EPT_WRITE (UINT64_C(1) << 1)
#define EPT_EXECUTE (UINT64_C(1) << 2)
#define EPT_MEMTYPE_WB (UINT64_C(6) << 3)
#define EPT_ACCESSED (UINT64_C(1) << 8)
#define EPT_DIRTY (UINT64_C(1) << 9)
#define EPT_SUPPRESS_VE (UINT64_C(1) << 63)

/*
 * NPT entries are those of long-mode paging, AMD64 APM volume 2, 5.3. Nested
 * walks count as user accesses (15.25.5), hence NPT_USER everywhere. PWT, PCD
 * and PAT stay 0 and select entry 0 of the host PAT, which is write-back.
 */
#define NPT_PRESENT (UINT64_C(1) << 0)
#define NPT_WRITE (UINT64_C(1) << 1)
#define NPT_USER (UINT64_C(1) << 2)
#define NPT_ACCESSED (UINT64_C(1) << 5)
#define NPT_DIRTY (UINT64_C(1) << 6)
#define NPT_NO_EXECUTE (UINT64_C(1) << 63)

#define EPT_CAP_EXEC_ONLY (UINT64_C(1) << 0)
#define EPT_CAP_WALK_4 (UINT64_C(1) << 6)
#define EPT_CAP_WALK_5 (UINT64_C(1) << 7)
#define EPT_CAP_UC (UINT64_C(1) << 8)
#define EPT_CAP_WB (UINT64_C(1) << 14)
#define EPT_CAP_2M (UINT64_C(1) << 16)
#define EPT_CAP_1G (UINT64_C(1) << 17)
#define EPT_CAP_AD (UINT64_C(1) << 21)

static enum policy_error_kind check_rights(unsigned rights, bool exec_only)
{
	if (rights & ~VIEW_RIGHTS_ALL)
		return POLICY_ERROR_RIGHTS_UNKNOWN;
	if (rights & VIEW_READ || rights == 0)
		return POLICY_ERROR_INVALID;
	if (rights & VIEW_WRITE)
		return POLICY_ERROR_WRITE_WITHOUT_READ;
	return exec_only ? POLICY_ERROR_INVALID : POLICY_ERROR_EXECUTE_ONLY;
}

static enum policy_error_kind ept_check_rights(unsigned rights,
					       const struct paging_caps *caps)
{
	return check_rights(rights, caps->exec_only);
}

/*
 * Accessed and dirty flags. With the capability the EPTP enables them and the
 * processor sets them, so they start clear and tell what was used. Without it
 * bits 8 and 9 are ignored; they are set, so that the tables read "used" under
 * either setting and an L0 that emulates the flags has nothing to write.
 */
static uint64_t ept_encode_leaf(gpa_t target, unsigned level, unsigned rights,
				const struct paging_caps *caps)
{
	uint64_t entry = target.v | EPT_MEMTYPE_WB;

	if (rights & VIEW_READ)
		entry |= EPT_READ;
	if (rights & VIEW_WRITE)
		entry |= EPT_WRITE;
	if (rights & VIEW_EXECUTE)
		entry |= EPT_EXECUTE;
	if (level > 1)
		entry |= PAGING_LARGE;
	if (!caps->ad_bits)
		entry |= EPT_ACCESSED | EPT_DIRTY;
	return entry;
}

static uint64_t ept_encode_table(gpa_t table, const struct paging_caps *caps)
{
	return table.v | EPT_READ | EPT_WRITE | EPT_EXECUTE |
	       (caps->ad_bits ? 0 : EPT_ACCESSED);
}

static enum policy_error_kind npt_check_rights(unsigned rights,
					       const struct paging_caps *caps)
{
	(void)caps;
	return check_rights(rights, false);
}

/*
 * The accessed and dirty flags of NPT cannot be switched off. Tables are shared
 * between views, so the flags could not be told apart by view; they are set,
 * which spares the processor the locked writes.
 */
static uint64_t npt_encode_leaf(gpa_t target, unsigned level, unsigned rights,
				const struct paging_caps *caps)
{
	uint64_t entry = target.v | NPT_PRESENT | NPT_USER | NPT_ACCESSED |
			 NPT_DIRTY;

	(void)caps;
	if (rights & VIEW_WRITE)
		entry |= NPT_WRITE;
	if (!(rights & VIEW_EXECUTE))
		entry |= NPT_NO_EXECUTE;
	if (level > 1)
		entry |= PAGING_LARGE;
	return entry;
}

static uint64_t npt_encode_table(gpa_t table, const struct paging_caps *caps)
{
	(void)caps;
	return table.v | NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED;
}

static uint64_t npt_encode_root(gpa_t root, const struct paging_caps *caps)
{
	(void)caps;
	return root.v;
}

const struct paging_format paging_formats[PAGING_FORMAT_COUNT] = {
	[PAGING_EPT] = {
		.name = "ept",
		.check_rights = ept_check_rights,
		.encode_leaf = ept_encode_leaf,
		.encode_table = ept_encode_table,
		.used = EPT_ACCESSED | EPT_DIRTY,
		.suppress_ve = EPT_SUPPRESS_VE,
		.encode_root = ept_pointer,
	},
	[PAGING_NPT] = {
		.name = "npt",
		.check_rights = npt_check_rights,
		.encode_leaf = npt_encode_leaf,
		.encode_table = npt_encode_table,
		.used = NPT_ACCESSED | NPT_DIRTY,
		.encode_root = npt_encode_root,
	},
};

static enum policy_error_kind slots_check_rights(unsigned rights,
						 const struct paging_caps *caps)
{
	const enum policy_error_kind kind = npt_check_rights(rights, caps);

	if (kind != POLICY_ERROR_INVALID || rights == 0 ||
	    rights & VIEW_EXECUTE)
		return kind;
	return POLICY_ERROR_EXECUTE_WITHHELD;
}

const struct paging_format paging_slots = {
	.name = "memory slots",
	.check_rights = slots_check_rights,
};

bool paging_leaf_at(unsigned level, const struct paging_caps *caps)
{
	switch (level) {
	case 1:
		return true;
	case 2:
		return caps->has_2m;
	case 3:
		return caps->has_1g;
	default:
		return false;
	}
}

unsigned paging_address_bits(const struct paging_caps *caps)
{
	return caps->maxphyaddr < PAGING_ADDRESS_BITS ? caps->maxphyaddr :
							PAGING_ADDRESS_BITS;
}

int paging_caps_from_ept_msr(uint64_t ept_vpid_cap, unsigned maxphyaddr,
			     struct paging_caps *ret_caps)
{
	const uint64_t needed = EPT_CAP_WALK_4 | EPT_CAP_WB;

	if ((ept_vpid_cap & needed) != needed)
		return -EOPNOTSUPP;
	*ret_caps = (struct paging_caps){
		.has_2m = ept_vpid_cap & EPT_CAP_2M,
		.has_1g = ept_vpid_cap & EPT_CAP_1G,
		.exec_only = ept_vpid_cap & EPT_CAP_EXEC_ONLY,
		.ad_bits = ept_vpid_cap & EPT_CAP_AD,
		.memtype_uc = ept_vpid_cap & EPT_CAP_UC,
		.walk_5 = ept_vpid_cap & EPT_CAP_WALK_5,
		.maxphyaddr = (uint8_t)maxphyaddr,
	};
	return 0;
}
