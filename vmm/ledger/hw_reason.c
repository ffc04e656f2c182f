/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/hw_reason.h"

#include <stddef.h>

struct reason {
	uint32_t number;
	const char *name;
};

static const struct reason vmx[] = {
#define VMX_REASON(id, number, name) {number, name},
#include "vmm/ledger/vmx_reason.def"
#undef VMX_REASON
};

static const struct reason svm[] = {
#define SVM_REASON(number, name) {number, name},
#include "vmm/ledger/svm_reason.def"
#undef SVM_REASON
};

static const char *find(const struct reason *rows, size_t count, uint64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number)
			return rows[i].name;
	return "?";
}

const char *hw_reason_name(unsigned isa, uint64_t reason)
{
	switch (isa) {
	case ISA_INTERPRETED:
		return "interpreted instruction";
	case ISA_VMX:
		/* Bits above 15 are flags, such as that of a failed VM entry. */
		return find(vmx, sizeof(vmx) / sizeof(vmx[0]), reason & 0xffff);
	case ISA_SVM:
		return find(svm, sizeof(svm) / sizeof(svm[0]), reason);
	default:
		return "?";
	}
}
