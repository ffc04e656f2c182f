/* SPDX-License-Identifier: MIT */
/* What the C and the assembly part share. */
#ifndef SIDESTEP_TRAMPOLINE_LAYOUT_H
#define SIDESTEP_TRAMPOLINE_LAYOUT_H

#include "abi.h"

/* In the order of examples/trampoline.views. */
#define VIEW_KERNEL 0
#define VIEW_SERVICE 1

#define SERVICE_STACK_SIZE 4096
#define TRANSIT_STACK_SIZE 1024

/* What the kernel asks the service to do. */
#define COMMAND_ADD 0  /* add a number to its sum, and return that */
#define COMMAND_STEAL 1 /* write what is not its own */

#define EXIT_REFUSED 3 /* a gate was entered as it should not be */

#endif
