/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for addresses of one guest from several files: of its kernel, of modules, of firmware, or whatever else it runs.
 * Each lies where the file says, or where the command line says it does. The kernel of one file alone may also be
 * looked for (symbol_file.h).
 */
#ifndef VMM_GUEST_SYMBOL_SET_H
#define VMM_GUEST_SYMBOL_SET_H

#include "vmm/guest/symbol_file.h"

#define SYMBOL_FILES_MAX 64

enum symbol_kind {
	SYMBOL_FUNCTIONS, /* what symbol_file_open() takes */
	SYMBOL_MODULES,	  /* a copy of /proc/modules */
};

struct symbol_request {
	const char *file; /* "FILE", or "FILE@0xADDRESS": its code begins there in the guest */
	enum symbol_kind kind;
};

struct symbol_set_file {
	struct symbol_file file;
	char *path;
	uint64_t shift; /* how much higher it lies than it says */
};

struct symbol_set {
	struct symbol_set_file *files; /* lists of modules last */
	size_t count;
	const struct symbol_set_file *kernel; /* the one that registers say the place of; NULL: none */
};

struct symbol_place {
	const char *name;   /* to be shown: "function", "function [module]", or "[module]" */
	const char *module; /* NULL: the kernel's, or not known */
	uint64_t start;	    /* the address in the guest where it begins */
	uint64_t offset;    /* from there, bytes */
};

/* The file that a request names, without an address behind it, to be freed; NULL: no memory. */
char *symbol_request_path(const char *file);

/* Reads all files. Returns 0 or a negative errno with the reason in `error`; symbol_set_close() is due in both cases. */
int symbol_set_open(struct symbol_set *set, const struct symbol_request *requests, size_t count, struct error *error);
void symbol_set_close(struct symbol_set *set);

/* What is at an address of the guest, if all of it lies where the files and the requests say. Allocates nothing; what
 * *ret_place points to lasts as long as the set. Returns whether anything is known to be there. */
bool symbol_set_find(const struct symbol_set *set, uint64_t address, struct symbol_place *ret_place);

/* The same of a guest whose kernel lies `*moved` bytes higher than its file says; NULL: nobody knows yet, and nothing of
 * the kernel has a name. The addresses of modules, which are other ones each time that a guest starts, count only if the
 * kernel has not been moved. Returns NULL, or what lasts as long as the set and is another one for each name. */
const struct image_symbol *symbol_set_at(const struct symbol_set *set, uint64_t address, const uint64_t *moved,
					 uint64_t *ret_offset);

#endif
