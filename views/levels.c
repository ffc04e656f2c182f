/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/levels.h"

#include "views/list.h"

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

const char *const host_backend_keys[HOST_BACKEND_COUNT] = {HOST_BACKENDS(LIST_KEY)};

const char *const host_backend_modules[HOST_BACKEND_COUNT] = {HOST_BACKENDS(LIST_MEANING)};

const char *const processor_trait_keys[TRAIT_COUNT] = {PROCESSOR_TRAITS(LIST_KEY)};

const char *const processor_trait_meanings[TRAIT_COUNT] = {PROCESSOR_TRAITS(LIST_MEANING)};

const char *const level_keys[LEVEL_COUNT] = {LEVELS(LIST_KEY)};

const char *const level_meanings[LEVEL_COUNT] = {LEVELS(LIST_MEANING)};

const char *const placement_keys[] = {PLACEMENTS(LIST_KEY)};
