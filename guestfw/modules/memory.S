/* SPDX-License-Identifier: MIT */
/* What each module has of memory beside its own data: a stack, and where it starts; for a driver, tables. */
#include "modules.h"

.macro STACK name
	.section .\name\().data, "aw", @progbits
	.p2align 4
	.fill STACK_SIZE, 1, 0
	.globl \name\()_stack_end, \name\()_saved
\name\()_stack_end:
\name\()_saved:
	.quad \name\()_stack_end
.endm

	.irp name, kernel, driver_a, driver_b
	STACK \name
	.endr

	.irp name, driver_a, driver_b
	.section .\name\().tables, "aw", @nobits
	.globl \name\()_tables
\name\()_tables:
	.fill TABLES_SIZE, 1, 0
	.endr

	.section .note.GNU-stack, "", @progbits
