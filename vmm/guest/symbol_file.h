/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for addresses of a kernel whose image has none: from its ELF file, its System.map, or a copy of /proc/kallsyms
 * of a guest that runs it. A kernel may lie elsewhere than the file says, by the same distance for all of its text
 * (Linux, CONFIG_RANDOMIZE_BASE); where a guest's interrupt descriptor table and its entry for system calls are tells by
 * how much. Several files of one guest: symbol_set.h.
 */
#ifndef VMM_GUEST_SYMBOL_FILE_H
#define VMM_GUEST_SYMBOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/error.h"
#include "vmm/guest/image.h"

#define SYMBOL_FILE_MAX (UINT64_C(1) << 30)
#define SYMBOL_ANCHORS_MAX 4
#define SYMBOL_MODULE_MAX 64 /* bytes of a module's name; what has a longer one counts as of none */

struct symbol_file {
	/* Functions, and what else an ELF file has names for, ascending; of several with one name each has its address
	 * behind it, "name@ffffffff81070ae0". Of a module, "name [module]". */
	struct image_symbol *symbols;
	size_t count;
	/* What a processor's registers point to, by the file: tables of interrupt descriptors, the entry for SYSCALL. */
	uint64_t anchors[SYMBOL_ANCHORS_MAX];
	unsigned anchor_count; /* 0: a kernel that lies where the file says */
	bool has_code;	       /* the next one is known */
	uint64_t code;	       /* where its code begins: .text, of lines _text */
	uint64_t code_end;     /* the first address behind it; 0: not known */
	bool relocatable;      /* an object, such as a module of Linux, of which .text alone counts, as if it lay at 0 */
	bool ranges;	       /* modules, "[module]", with their sizes, and no functions */
	char *names;	     /* what the symbols' names point into, beside the file */
	char *text;	     /* the same, of a file of lines */
	const uint8_t *data; /* the file */
	size_t size;
};

/* Reads a file of any of these kinds, told by its contents. Returns 0 or a negative errno with the reason in `error`;
 * symbol_file_close() is due in both cases. */
int symbol_file_open(struct symbol_file *file, const char *path, struct error *error);

/* The same of a copy of /proc/modules. */
int symbol_file_open_modules(struct symbol_file *file, const char *path, struct error *error);
void symbol_file_close(struct symbol_file *file);

/* How much higher a kernel lies than the file says, by an address in IDTR or IA32_LSTAR. Returns whether it is one that
 * the file knows. */
bool symbol_file_offset(const struct symbol_file *file, uint64_t address, uint64_t *ret_offset);

/* The function, or the module, that an address of the file is in, or NULL. */
const struct image_symbol *symbol_file_at(const struct symbol_file *file, uint64_t address);

#endif
