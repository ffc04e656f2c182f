/* SPDX-License-Identifier: GPL-2.0-only */
/* What the processors call the reasons of exits. */
#ifndef VMM_LEDGER_HW_REASON_H
#define VMM_LEDGER_HW_REASON_H

#include <stdint.h>

/* Whose reasons: the numbers are those of the field `isa` of kvm's tracepoints. */
enum hw_isa { ISA_INTERPRETED, ISA_VMX, ISA_SVM };

enum vmx_reason {
#define VMX_REASON(id, number, name) VMX_REASON_##id = (number),
#include "vmm/ledger/vmx_reason.def"
#undef VMX_REASON
};

/* Name of a basic exit reason or #VMEXIT code, "?" if it has none. */
const char *hw_reason_name(unsigned isa, uint64_t reason);

#endif
