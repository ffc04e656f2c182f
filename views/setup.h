/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM changes for one operation: the processor's VMFUNC controls and the view list. */
#ifndef VIEWS_SETUP_H
#define VIEWS_SETUP_H

#include "guestfw/abi.h"
#include "views/vmfunc.h"

/*
 * Applies an operation's setup (enum ss_setup) to what the processor goes by. The entry of the
 * operation's index is changed in `list`, which state->list points to, if it has one. A list without
 * memory behind it makes state->list point to one whose entries are all invalid, which is how an L0
 * treats it (arch/x86/kvm/vmx/nested.c, nested_vmx_eptp_switching).
 */
void setup_apply(const struct ss_operation *op, struct vmfunc_state *state,
		 uint64_t list[EPTP_LIST_ENTRIES]);

#endif
