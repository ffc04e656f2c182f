/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pages of memory have been written, so that nobody has to read the others to find that they are zero: a page that
 * is read is made first, on a kernel without one page of zeros for all. */
#ifndef VMM_BASE_WRITTEN_H
#define VMM_BASE_WRITTEN_H

#include <stddef.h>

#define WRITTEN_PAGE 4096u

/* What the kernel tells of this process's pages (proc_pid_pagemap(5)). Returns a descriptor of the caller's; or a
 * negative errno, with which written_next() takes every page for written. */
int written_open(void);

/* The first page from offset `at` on, a multiple of WRITTEN_PAGE, of private anonymous memory of `size` bytes that may
 * have been written; `size` if there is none. What was only read may be among them. */
size_t written_next(int map, const void *memory, size_t at, size_t size);

#endif
