/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine `vmx`: the guest is L2 under a vmcs12 that the VMM builds and installs with
 * KVM_SET_NESTED_STATE, so that the first KVM_RUN is already in L2. Views are EPT hierarchies in an
 * EPTP list; exits that KVM reflects arrive at the relay.
 */
#ifndef VMM_ENGINE_ENGINE_VMX_H
#define VMM_ENGINE_ENGINE_VMX_H

#include "vmm/vm/engine_ops.h"

extern const struct engine_ops engine_vmx;

#endif
