/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM has by which its guest asks for services: the control port, the port for markers, and the disk. */
#ifndef VMM_SERVICE_ATTACH_H
#define VMM_SERVICE_ATTACH_H

#include "vmm/vm/vm.h"

/* Gives the VM the ports of its platform and the disk that the plan provides for, if any. Returns 0 or a negative errno
 * with the reason in `error`; services_detach() is due in both cases. */
int services_attach(struct vm *vm, struct error *error);
void services_detach(struct vm *vm);

#endif
