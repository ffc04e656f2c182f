/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine `svm`: the guest is L2 under a vmcb12 that the VMM builds, installs with
 * KVM_SET_NESTED_STATE and keeps in guest memory, where each VMRUN of the relay reads it. Views are
 * NPT hierarchies; VMFUNC, which no AMD processor has, is carried out by the relay on the #UD.
 */
#ifndef VMM_ENGINE_ENGINE_SVM_H
#define VMM_ENGINE_ENGINE_SVM_H

#include "vmm/vm/engine_ops.h"

extern const struct engine_ops engine_svm;

#endif
