/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Libraries that not every run needs are not loaded at the start. libraries.S defines the functions of libraries.def:
 * whoever calls one calls the library, which is loaded by the first call. A thread in the jail cannot load any: what
 * will be called there is opened before.
 */
#ifndef VMM_BASE_LIBRARIES_H
#define VMM_BASE_LIBRARIES_H

#include "vmm/base/error.h"

enum library {
#define LIBRARY(name) LIBRARY_##name,
#define FUNCTION(library, name)
#include "vmm/base/libraries.def"
#undef FUNCTION
#undef LIBRARY
	LIBRARY_COUNT
};

/* Loads it, unless it is there. Any thread may. Returns 0 or a negative errno, with the reason in `error`; a first call
 * without it prints that, and ends the program. */
int library_open(enum library library, struct error *error);

/* For libraries.S only: where each function is, and what finds that out for the one of this slot. */
extern const void *library_slots[] __attribute__((visibility("hidden")));
__attribute__((visibility("hidden"))) void library_first_call(const void **slot);

#endif
