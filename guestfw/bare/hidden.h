/* SPDX-License-Identifier: GPL-2.0-only */
/* Included by the build in front of everything: what is declared is in the same image, so nobody needs a table of its
 * addresses, which an image that is no ELF file does not have. */
#if !defined(SIDESTEP_BARE_HIDDEN_H) && !defined(__ASSEMBLER__)
#define SIDESTEP_BARE_HIDDEN_H
#pragma GCC visibility push(hidden)
#endif
