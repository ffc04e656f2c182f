/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engines.h"

#include "vmm/engine/engine_flat.h"
#include "vmm/engine/engine_svm.h"
#include "vmm/engine/engine_vmx.h"

const struct engine_ops *engine_ops(enum engine_id id)
{
	static const struct engine_ops *const rows[] = {
		[ENGINE_FLAT] = &engine_flat,
		[ENGINE_SVM] = &engine_svm,
		[ENGINE_VMX] = &engine_vmx,
	};

	return rows[id];
}
