/* SPDX-License-Identifier: MIT */
/* What the C and the assembly part share. */
#ifndef SIDESTEP_TRAMPOLINE_LAYOUT_H
#define SIDESTEP_TRAMPOLINE_LAYOUT_H

#include "guest.h"

/* In the order of examples/trampoline.views. */
#define VIEW_KERNEL 0
#define VIEW_SERVICE 1

#define SERVICE_STACK_SIZE 4096
#define TRANSIT_STACK_SIZE 1024

/* What the kernel asks the service to do. */
#define COMMAND_ADD 0  /* add a number to its sum, and return that */
#define COMMAND_STEAL 1 /* write at an address that is not its own */

#define EXIT_REFUSED 3 /* a gate was entered as it should not be */

#ifndef __ASSEMBLER__
/* Through the gate: service_main() in the service's view. */
uint64_t call_service(uint64_t command, uint64_t argument);
uint64_t service_main(uint64_t command, uint64_t argument);
extern const uint8_t on_undefined[];

#define SERVICE_SECRET 0x5ec2e7
extern volatile uint64_t service_secret;
#endif

#endif
