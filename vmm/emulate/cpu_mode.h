/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a vCPU reads code and addresses at one moment: the sizes that CS and SS give, the bases and limits
 * of its segments, its page tables (Intel SDM vol. 1, 3.3 and 3.6; AMD APM vol. 2, 4.8). All zero is 64-bit
 * mode with four levels of tables.
 */
#ifndef VMM_EMULATE_CPU_MODE_H
#define VMM_EMULATE_CPU_MODE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "views/guest_paging.h"

/* In the processor's numbering. */
enum cpu_segment {
	SEGMENT_ES,
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_COUNT,
};

enum cpu_width { WIDTH_64, WIDTH_32, WIDTH_16, WIDTH_COUNT };

struct cpu_mode {
	enum cpu_width code;  /* operands and addresses without a prefix: CS.L, CS.D */
	enum cpu_width stack; /* of the stack pointer: SS.B */
	bool legacy;          /* EFER.LMA is clear */
	bool real;            /* so is CR0.PE */
	enum guest_paging paging;
	bool no_execute;      /* EFER.NXE and CR4.PAE: page tables can forbid fetches */
	bool smep;            /* CR4.SMEP: code outside CPL 3 fetches no page that CPL 3 may use */
	struct kvm_segment segment[SEGMENT_COUNT];
};

/* Bits of a page-fault error code (Intel SDM vol. 3A, 4.7). */
#define PAGE_FAULT_PRESENT 1u
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_USER 4u
#define PAGE_FAULT_FETCH 16u

/* The mode of a vCPU with these registers. */
struct cpu_mode cpu_mode_of(const struct kvm_sregs *sregs);

/* Linear address of an offset in a segment. Nothing is checked. */
uint64_t cpu_mode_linear(const struct cpu_mode *mode, enum cpu_segment segment, uint64_t offset);

/* What the processor raises for an access of `size` bytes, at least one, before it looks at a page table:
 * 0; 12 for SS; 13. The error code is 0 (Intel SDM vol. 3A, 5.3 and 5.5; vol. 1, 3.3.7.1). */
unsigned cpu_mode_fault(const struct cpu_mode *mode, enum cpu_segment segment, uint64_t offset,
			unsigned size, bool write);

#endif
