/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of the guest's source, by the DWARF in its image. The tables are read in the jail, when somebody asks: they are the
 * guest's to write. Before that they are only found and copied, so that libdw sees nothing else of the image.
 */
#ifndef VMM_GUEST_SOURCE_LINES_H
#define VMM_GUEST_SOURCE_LINES_H

#include "vmm/guest/image.h"

#define SOURCE_LINE_SIZE 64

struct source_line {
	uint64_t address;	     /* that the guest's code uses */
	char text[SOURCE_LINE_SIZE]; /* printable: "file:line", without folders; the file's name is cut if it is long */
};

struct source_lines;

/* Before the process is sealed, since libdw asks for the path of the file, although there is none. Copies the tables. Returns
 * NULL if the image has none, if they are compressed or more than 4 MiB, or if memory is short. */
struct source_lines *source_lines_open(const struct image *image);
void source_lines_close(struct source_lines *source); /* NULL is allowed */

/* Fills in the texts of addresses that are in the tables, and makes the others empty; NULL: all of them. Takes memory, and
 * time by the size of the tables. */
void source_lines_find(struct source_lines *source, struct source_line *lines, size_t count);

#endif
