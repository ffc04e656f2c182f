/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/libraries.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A page of its own, see libraries.S. */
#define SLOTS_SIZE 4096

static const char *const sonames[LIBRARY_COUNT] = {
#define LIBRARY(name) SONAME_##name,
#define FUNCTION(library, name)
#include "vmm/base/libraries.def"
#undef FUNCTION
#undef LIBRARY
};

static const struct {
	enum library library;
	const char *name;
} functions[] = {
#define LIBRARY(name)
#define FUNCTION(library, name) {LIBRARY_##library, #name},
#include "vmm/base/libraries.def"
#undef FUNCTION
#undef LIBRARY
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

_Static_assert(FUNCTIONS * sizeof(library_slots[0]) <= SLOTS_SIZE, "the slots are in one page");

static int load(enum library library, struct error *error)
{
	void *handle = dlopen(sonames[library], RTLD_NOW | RTLD_LOCAL);
	const void *found[FUNCTIONS] = {NULL};

	for (size_t i = 0; i < FUNCTIONS; i++) {
		if (functions[i].library != library)
			continue;
		found[i] = handle ? dlsym(handle, functions[i].name) : NULL;
		if (!found[i])
			return error_set(error, -ENOENT, STATUS_SKIPPED, "%s; install the package that has this library",
					 dlerror());
	}
	/* As tables of the linker, these are read-only while nothing is loaded: a guest's bytes must not end up there. */
	if (mprotect(library_slots, SLOTS_SIZE, PROT_READ | PROT_WRITE) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "%s: mprotect: %s", sonames[library], strerror(errno));
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (found[i])
			library_slots[i] = found[i];
	mprotect(library_slots, SLOTS_SIZE, PROT_READ);
	return 0;
}

int library_open(enum library library, struct error *error)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool loaded[LIBRARY_COUNT];
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!loaded[library])
		rc = load(library, error);
	loaded[library] = rc == 0;
	pthread_mutex_unlock(&lock);
	return rc;
}

void library_first_call(const void **slot)
{
	struct error error = {0};

	if (library_open(functions[slot - library_slots].library, &error) != 0)
		exit(error_report(&error));
}
