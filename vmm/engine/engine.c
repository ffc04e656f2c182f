/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine.h"

#include <string.h>

#include "vmm/engine/engine_flat.h"
#include "vmm/engine/engine_svm.h"
#include "vmm/engine/engine_vmx.h"

const struct engine *const engines[] = {&engine_flat, &engine_svm, &engine_vmx};
const size_t engine_count = sizeof(engines) / sizeof(engines[0]);

const struct engine *engine_by_key(const char *key)
{
	for (size_t i = 0; i < engine_count; i++)
		if (strcmp(engine_keys[engines[i]->id], key) == 0)
			return engines[i];
	return NULL;
}
