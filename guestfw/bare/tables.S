/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader's page tables: 4 GiB in pages of 2 MiB, and one more page directory, see load.c. */
	.section .bss
	.balign 4096
	.globl bare_pml4, bare_pdpt, bare_window
bare_pml4:
	.skip 0x1000
bare_pdpt:
	.skip 0x5000
bare_window:
	.skip 0x1000
	.section .note.GNU-stack, "", @progbits
