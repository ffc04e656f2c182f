/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM does with the exits that the relay passes on. */
#ifndef VMM_ENGINE_RELAY_EXIT_H
#define VMM_ENGINE_RELAY_EXIT_H

#include "vmm/vm/vm.h"

/* Claims the port by which the relay passes exits on. Returns 0 or a negative errno with the reason in `error`. */
int relay_exit_attach(struct vm *vm, struct error *error);

#endif
