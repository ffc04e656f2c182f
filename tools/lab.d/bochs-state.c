// SPDX-License-Identifier: GPL-2.0-only
// Saves and restores the state of Bochs: loaded into it before the C library. Bochs saves for a click in its window alone;
// with this `writemem "save-state" 0 1` of its debugger does, and Bochs ends. Debian's Bochs exports its symbols, for
// plugins; what is called is SIM->save_state(PATH) of its gui/siminterface.cc. What it restores it first copies, memory
// that was never used included, which takes longer than everything else: restore_bochs_param() there reads FILE, and writes a
// file without a name, from which memory/misc_mem.cc reads what was used. Here FILE is empty, and the other is FILE.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// There in Bochs. In what starts it, such as env, there is none.
extern void *SIM __attribute__((weak));
bool save_state(void *sim, const char *path) __asm__("_ZN13bx_real_sim_c10save_stateEPKc") __attribute__((weak));

static char memory[4096];

static FILE *open_next(const char *path, const char *mode)
{
	static FILE *(*next)(const char *path, const char *mode);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "fopen64");
	return next ? next(path, mode) : NULL;
}

FILE *fopen64(const char *path, const char *mode)
{
	static const char name[] = "/memory.ram";
	size_t length = strlen(path);

	if (!strcmp(path, "save-state"))
		_Exit(save_state && save_state(SIM, "state") && !fflush(NULL) ? EXIT_SUCCESS : EXIT_FAILURE);
	if (mode[0] == 'r' && length < sizeof(memory) && length >= sizeof(name) &&
	    !strcmp(path + length - strlen(name), name)) {
		strcpy(memory, path);
		path = "/dev/null";
	}
	return open_next(path, mode);
}

FILE *tmpfile64(void)
{
	return memory[0] ? open_next(memory, "rb") : tmpfile();
}
