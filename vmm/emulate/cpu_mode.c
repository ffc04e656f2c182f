/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/cpu_mode.h"

#define CR0_PE 1u
#define CR4_PAE 0x20u
#define CR4_SMEP 0x100000u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u
#define VECTOR_SS 12
#define VECTOR_GP 13

/* Type of a segment (Intel SDM vol. 3A, table 3-1). */
#define TYPE_CODE 8u
#define TYPE_EXPAND_DOWN 4u
#define TYPE_WRITABLE 2u
#define TYPE_READABLE 2u

struct cpu_mode cpu_mode_of(const struct kvm_sregs *sregs)
{
	struct cpu_mode mode = {
		.legacy = !(sregs->efer & EFER_LMA),
		.real = !(sregs->cr0 & CR0_PE),
		.paging = guest_paging_of(sregs->cr0, sregs->cr4, sregs->efer),
		.no_execute = sregs->efer & EFER_NXE && sregs->cr4 & CR4_PAE,
		.smep = sregs->cr4 & CR4_SMEP,
		.segment = {sregs->es, sregs->cs, sregs->ss, sregs->ds, sregs->fs, sregs->gs},
	};

	if (!mode.legacy && sregs->cs.l)
		return mode;
	mode.code = sregs->cs.db ? WIDTH_32 : WIDTH_16;
	mode.stack = sregs->ss.db ? WIDTH_32 : WIDTH_16;
	return mode;
}

uint64_t cpu_mode_linear(const struct cpu_mode *mode, enum cpu_segment segment, uint64_t offset)
{
	uint64_t base = mode->segment[segment].base;

	if (mode->code != WIDTH_64)
		return (uint32_t)(base + offset);
	/* There only FS and GS have one. */
	return segment == SEGMENT_FS || segment == SEGMENT_GS ? base + offset : offset;
}

static bool is_canonical(const struct cpu_mode *mode, uint64_t address)
{
	unsigned unused = mode->paging == GUEST_PAGING_5_LEVELS ? 7 : 16;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

/* The first and the last byte of an access; `last` may have wrapped. */
static bool inside(const struct kvm_segment *segment, uint64_t first, uint64_t last)
{
	uint32_t end = segment->db ? UINT32_MAX : UINT16_MAX;

	if (last < first || last > UINT32_MAX)
		return false;
	if ((segment->type & (TYPE_CODE | TYPE_EXPAND_DOWN)) == TYPE_EXPAND_DOWN)
		return first > segment->limit && last <= end;
	return last <= segment->limit;
}

static bool permits(const struct kvm_segment *segment, bool write)
{
	if (segment->type & TYPE_CODE)
		return !write && segment->type & TYPE_READABLE;
	return !write || segment->type & TYPE_WRITABLE;
}

unsigned cpu_mode_fault(const struct cpu_mode *mode, enum cpu_segment segment, uint64_t offset,
			unsigned size, bool write)
{
	const struct kvm_segment *used = &mode->segment[segment];
	uint64_t linear = cpu_mode_linear(mode, segment, offset);
	bool fine;

	if (mode->code == WIDTH_64)
		fine = is_canonical(mode, linear) && is_canonical(mode, linear + size - 1);
	else
		fine = !used->unusable && inside(used, offset, offset + size - 1) &&
		       (mode->real || permits(used, write));
	if (fine)
		return 0;
	return segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP;
}
