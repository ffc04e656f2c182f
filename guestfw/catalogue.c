/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

/* Most operations are performed with nothing masked and nothing changed before, and compared with none. */
#define OP(routine, name, needs, kind, insn, cr0, arg, count, flags, meaning)                      \
	OP_SETUP(routine, name, needs, kind, insn, cr0, arg, count, flags, NONE, 0, 0, 0, meaning)
#define OP_SETUP(routine, name, needs, kind, insn, cr0, arg, count, flags, setup, masked, kept,    \
		 shadow, meaning)                                                                  \
	OP_COMPARED(NOTHING, routine, name, needs, kind, insn, cr0, arg, count, flags, setup,      \
		    masked, kept, shadow, meaning)

#define BASE(base)
#define OP_COMPARED(base, routine, name, needs, kind, insn, cr0, arg, count, flags, setup, masked, \
		    kept, shadow, meaning)                                                         \
	extern routine_fn op_##routine;                                                            \
	extern const uint8_t op_##routine##_end[];
#include "catalogue.def"
#undef OP_COMPARED
#undef BASE

/* The numbers of operations with a BASE, which takes the number of the operation behind it. */
#define LINE_OF(line) OPERATION_OF_LINE_##line
#define LINE(line) LINE_OF(line)
#define BASE(base) NUMBER_##base, BEFORE_##base = NUMBER_##base - 1,
#define OP_COMPARED(base, routine, name, needs, kind, insn, cr0, arg, count, flags, setup, masked, \
		    kept, shadow, meaning)                                                         \
	LINE(__LINE__),
enum {
	NUMBER_NOTHING,
#include "catalogue.def"
};
#undef OP_COMPARED
#undef BASE

/* Addresses are link-time constants; the section is read by the VMM from the file. */
#define BASE(base)
#define OP_COMPARED(base_, routine, name_, needs_, kind_, insn_, cr0_, arg_, count_, flags_,       \
		    setup_, masked_, kept_, shadow_, meaning_)                                     \
	{                                                                                          \
		.name = name_, .needs = needs_, .meaning = meaning_,                               \
		.entry = (uint64_t)op_##routine, .end = (uint64_t)op_##routine##_end,              \
		.arg = (arg_), .kind = SS_KIND_##kind_, .insn = SS_INSN_##insn_, .cr0 = (cr0_),    \
		.count = (count_), .flags = (flags_), .setup = SS_SETUP_##setup_,                  \
		.masked = (masked_), .kept = (kept_), .shadow = (shadow_),                         \
		.compared = NUMBER_##base_,                                                        \
	},

__attribute__((section(SS_OPERATION_SECTION), used)) const struct ss_operation catalogue[] = {
#include "catalogue.def"
};

const uint32_t catalogue_size = sizeof(catalogue) / sizeof(catalogue[0]);
_Static_assert(sizeof(catalogue) / sizeof(catalogue[0]) <= SS_MAX_OPERATIONS, "ABI");
