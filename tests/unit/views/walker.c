/* SPDX-License-Identifier: GPL-2.0-only */
#include "walker.h"

#include <string.h>

static uint64_t bit(unsigned n)
{
	return UINT64_C(1) << n;
}

/* Bits high..low of a value, in place; none if the range is empty. */
static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
	return high < low ? 0 : value & (bit(high) | (bit(high) - bit(low)));
}

static bool read_entry(const struct walk_memory *memory, uint64_t address,
		       uint64_t *ret_entry)
{
	if (address < memory->base || address + 8 > memory->base + memory->size)
		return false;
	memcpy(ret_entry, memory->host + (address - memory->base), 8);
	return true;
}

static struct walk bad(const char *why)
{
	return (struct walk){ .status = WALK_BAD, .why = why };
}

/* Lowest address bit that selects an entry: 39, 30, 21, 12. */
static unsigned shift_of(unsigned level)
{
	switch (level) {
	case 4:
		return 39;
	case 3:
		return 30;
	case 2:
		return 21;
	default:
		return 12;
	}
}

/* Address of the entry, given bits 51:12 of what refers to the table. */
static uint64_t entry_address(uint64_t table, uint64_t address, unsigned level)
{
	return bits(table, 51, 12) +
	       bits(address, shift_of(level) + 8, shift_of(level)) /
		       bit(shift_of(level)) * 8;
}

/* Where the walk ends because nothing is there: the entry says no more than where violations go. */
static struct walk not_present(uint64_t entry, unsigned level, bool ve)
{
	if (entry & ~bit(63))
		return bad("not present, but not 0");
	if (entry && !ve)
		return bad("not present, and bit 63, which means nothing");
	return (struct walk){ .status = WALK_NOT_PRESENT,
			      .page_size = bit(shift_of(level)),
			      .suppressed = entry };
}

/* Intel SDM volume 3C, 29.3.3.1, and the reserved bits of tables 29-1 to 29-6. */
static const char *ept_misconfiguration(uint64_t entry, unsigned level,
					bool leaf, const struct walk_caps *caps)
{
	const uint64_t type = bits(entry, 5, 3) / bit(3);

	if (!(entry & bit(0)) && (entry & bit(1)))
		return "write without read";
	if (!(entry & bit(0)) && (entry & bit(2)) && !caps->exec_only)
		return "execute-only is not supported";
	if (bits(entry, 51, caps->maxphyaddr) && caps->maxphyaddr < 52)
		return "address beyond MAXPHYADDR";
	if (level == 4 && bits(entry, 7, 3))
		return "reserved bits 7:3 of a PML4E";
	if (level == 3 && leaf && !caps->page_1g)
		return "1-GByte page is not supported";
	if (level == 2 && leaf && !caps->page_2m)
		return "2-MByte page is not supported";
	if (level == 3 && leaf && bits(entry, 29, 12))
		return "reserved bits 29:12 of a PDPTE that maps a page";
	if (level == 2 && leaf && bits(entry, 20, 12))
		return "reserved bits 20:12 of a PDE that maps a page";
	if (!leaf && bits(entry, 6, 3))
		return "reserved bits 6:3 of an entry that refers to a table";
	if (leaf && (type == 2 || type == 3 || type == 7))
		return "reserved memory type";
	return NULL;
}

static struct walk walk_ept_from(const struct walk_memory *memory,
				 const struct walk_caps *caps, uint64_t table,
				 uint64_t address)
{
	struct walk walk = { .read = true,
			     .write = true,
			     .execute = true,
			     .flags_set = true,
			     .flags_clear = true };

	for (unsigned level = 4; level >= 1; level--) {
		const char *why;
		uint64_t entry;
		bool leaf;

		if (!read_entry(memory, entry_address(table, address, level),
				&entry))
			return bad("table outside the arena");
		if (bits(entry, 2, 0) == 0)
			return not_present(entry, level, caps->ve);
		leaf = level == 1 || (level < 4 && (entry & bit(7)));
		why = ept_misconfiguration(entry, level, leaf, caps);
		if (why)
			return bad(why);
		walk.read = walk.read && (entry & bit(0));
		walk.write = walk.write && (entry & bit(1));
		walk.execute = walk.execute && (entry & bit(2));
		walk.flags_set = walk.flags_set && (entry & bit(8)) &&
				 (!leaf || (entry & bit(9)));
		walk.flags_clear = walk.flags_clear && !bits(entry, 9, 8);
		if (!leaf && (entry & bit(63)))
			return bad("bit 63 of an entry that refers to a table");
		if (!leaf) {
			table = entry;
			continue;
		}
		if (bits(entry, 5, 3) / bit(3) != 6)
			return bad("leaf is not write-back");
		if (entry & bit(6))
			return bad("leaf ignores the PAT");
		if (bits(entry, 11, 10) || bits(entry, caps->ve ? 62 : 63, 52))
			return bad("ignored bits are not 0");
		walk.suppressed = entry & bit(63);
		walk.page_size = bit(shift_of(level));
		walk.address = bits(entry, 51, shift_of(level)) +
			       bits(address, shift_of(level) - 1, 0);
		return walk;
	}
	return bad("unreachable");
}

struct walk walk_ept(const struct walk_memory *memory,
		     const struct walk_caps *caps, uint64_t eptp,
		     uint64_t address)
{
	if (bits(eptp, 2, 0) != 6)
		return bad("memory type of the EPTP");
	if (bits(eptp, 5, 3) / bit(3) != 3)
		return bad("walk length of the EPTP");
	if (!(eptp & bit(6)) != !caps->ad)
		return bad("accessed and dirty flags of the EPTP");
	if (bits(eptp, 11, 7) || bits(eptp, 63, caps->maxphyaddr))
		return bad("reserved bits of the EPTP");
	return walk_ept_from(memory, caps, eptp, address);
}

/* AMD64 APM volume 2, 5.3 and 15.25: what a nested walk would not accept. */
static const char *npt_fault(uint64_t entry, unsigned level, bool leaf,
			     const struct walk_caps *caps)
{
	if (bits(entry, 51, caps->maxphyaddr) && caps->maxphyaddr < 52)
		return "address beyond the physical-address width";
	if (!(entry & bit(2)))
		return "supervisor entry: nested walks are user accesses";
	if (level == 4 && bits(entry, 8, 7))
		return "must-be-zero bits of a PML4E";
	if (level == 3 && leaf && !caps->page_1g)
		return "1-GByte page is not supported";
	if (level == 2 && leaf && !caps->page_2m)
		return "2-MByte page is not supported";
	if (level == 3 && leaf && bits(entry, 29, 13))
		return "must-be-zero bits 29:13 of a PDPE";
	if (level == 2 && leaf && bits(entry, 20, 13))
		return "must-be-zero bits 20:13 of a PDE";
	if (entry & (bit(3) | bit(4)))
		return "PWT or PCD is set";
	if (leaf && (entry & (level == 1 ? bit(7) : bit(12))))
		return "PAT is set";
	return NULL;
}

struct walk walk_npt(const struct walk_memory *memory,
		     const struct walk_caps *caps, uint64_t nested_cr3,
		     uint64_t address)
{
	uint64_t table = nested_cr3;
	struct walk walk = { .read = true,
			     .write = true,
			     .execute = true,
			     .flags_set = true,
			     .flags_clear = true };

	if (bits(nested_cr3, 11, 0) || bits(nested_cr3, 63, caps->maxphyaddr))
		return bad("reserved bits of the nested CR3");
	for (unsigned level = 4; level >= 1; level--) {
		const char *why;
		uint64_t entry;
		bool leaf;

		if (!read_entry(memory, entry_address(table, address, level),
				&entry))
			return bad("table outside the arena");
		if (!(entry & bit(0)))
			return not_present(entry, level, false);
		leaf = level == 1 || (level < 4 && (entry & bit(7)));
		why = npt_fault(entry, level, leaf, caps);
		if (why)
			return bad(why);
		walk.write = walk.write && (entry & bit(1));
		walk.execute = walk.execute && !(entry & bit(63));
		walk.flags_set = walk.flags_set && (entry & bit(5)) &&
				 (!leaf || (entry & bit(6)));
		walk.flags_clear = walk.flags_clear && !bits(entry, 6, 5);
		if (!leaf) {
			table = entry;
			continue;
		}
		walk.page_size = bit(shift_of(level));
		walk.address = bits(entry, 51, shift_of(level)) +
			       bits(address, shift_of(level) - 1, 0);
		return walk;
	}
	return bad("unreachable");
}

static uint64_t count_below(const struct walk_memory *memory, uint64_t table,
			    unsigned level)
{
	uint64_t count = 1;

	for (unsigned i = 0; i < 512; i++) {
		uint64_t entry;

		if (!read_entry(memory, bits(table, 51, 12) + i * 8, &entry) ||
		    bits(entry, 2, 0) == 0 || level == 1 || (level < 4 && (entry & bit(7))))
			continue;
		count += count_below(memory, entry, level - 1);
	}
	return count;
}

uint64_t walk_count_tables(const struct walk_memory *memory, uint64_t root)
{
	return count_below(memory, root, 4);
}
