/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine.h"

#include <stdio.h>
#include <string.h>

#include "engine_flat.h"
#include "engine_vmx.h"

static bool probe_svm(const struct host *host, char *reason, size_t size)
{
	if (host_has_nested(host, false, reason, size))
		snprintf(reason, size, "the host has nested SVM; this version cannot use it yet");
	return false;
}

static const struct engine engine_svm = {.id = ENGINE_SVM, .probe = probe_svm};

const struct engine *const engines[] = {&engine_flat, &engine_svm, &engine_vmx};
const size_t engine_count = sizeof(engines) / sizeof(engines[0]);

const struct engine *engine_by_key(const char *key)
{
	for (size_t i = 0; i < engine_count; i++)
		if (strcmp(engine_keys[engines[i]->id], key) == 0)
			return engines[i];
	return NULL;
}
