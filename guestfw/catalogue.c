/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

/* Most operations are performed with nothing masked and nothing changed before. */
#define OP(routine, name, needs, kind, insn, cr0, arg, count, flags, meaning)                      \
	OP_SETUP(routine, name, needs, kind, insn, cr0, arg, count, flags, NONE, 0, 0, 0, meaning)

#define OP_SETUP(routine, name, needs, kind, insn, cr0, arg, count, flags, setup, masked, kept,    \
		 shadow, meaning)                                                                  \
	extern routine_fn op_##routine;                                                            \
	extern const uint8_t op_##routine##_end[];
#include "catalogue.def"
#undef OP_SETUP

/* Addresses are link-time constants; the section is read by the VMM from the file. */
#define OP_SETUP(routine, name_, needs_, kind_, insn_, cr0_, arg_, count_, flags_, setup_,         \
		 masked_, kept_, shadow_, meaning_)                                                \
	{                                                                                          \
		.name = name_, .needs = needs_, .meaning = meaning_,                               \
		.entry = (uint64_t)op_##routine, .end = (uint64_t)op_##routine##_end,              \
		.arg = (arg_), .kind = SS_KIND_##kind_, .insn = SS_INSN_##insn_, .cr0 = (cr0_),    \
		.count = (count_), .flags = (flags_), .setup = SS_SETUP_##setup_,                  \
		.masked = (masked_), .kept = (kept_), .shadow = (shadow_),                         \
	},

__attribute__((section(SS_OPERATION_SECTION), used)) const struct ss_operation catalogue[] = {
#include "catalogue.def"
};
#undef OP_SETUP

const uint32_t catalogue_size = sizeof(catalogue) / sizeof(catalogue[0]);
_Static_assert(sizeof(catalogue) / sizeof(catalogue[0]) <= SS_MAX_OPERATIONS, "ABI");
