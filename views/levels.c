/* SPDX-License-Identifier: GPL-2.0-only */
#include "levels.h"

const char *const engine_keys[ENGINE_COUNT] = {
	"invalid",
#define X(name, key, meaning) key,
	ENGINES(X)
#undef X
};

const char *const engine_meanings[ENGINE_COUNT] = {
	"",
#define X(name, key, meaning) meaning,
	ENGINES(X)
#undef X
};

const char *const host_backend_keys[HOST_BACKEND_COUNT] = {
#define X(name, key, module) key,
	HOST_BACKENDS(X)
#undef X
};

const char *const host_backend_modules[HOST_BACKEND_COUNT] = {
#define X(name, key, module) module,
	HOST_BACKENDS(X)
#undef X
};

const char *const processor_trait_keys[TRAIT_COUNT] = {
#define X(name, key, meaning) key,
	PROCESSOR_TRAITS(X)
#undef X
};

const char *const processor_trait_meanings[TRAIT_COUNT] = {
#define X(name, key, meaning) meaning,
	PROCESSOR_TRAITS(X)
#undef X
};

const char *const level_keys[LEVEL_COUNT] = {
#define X(name, key, meaning) key,
	LEVELS(X)
#undef X
};

const char *const level_meanings[LEVEL_COUNT] = {
#define X(name, key, meaning) meaning,
	LEVELS(X)
#undef X
};

const char *const placement_keys[] = {
#define X(name, key) key,
	PLACEMENTS(X)
#undef X
};
