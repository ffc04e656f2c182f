/* SPDX-License-Identifier: MIT */
/* What operations on interrupts, pinned buffers and the disk need before and after. */
#ifndef SIDESTEP_GUESTFW_IO_H
#define SIDESTEP_GUESTFW_IO_H

#include "cpu.h"

/* Puts vCPU, disk and frame into the state that such an operation starts from; nothing for others. May be
 * repeated. */
void io_prepare(struct cpu *cpu, const struct ss_operation *op, struct frame *frame);

/* Undoes that, and says what the operation has yielded. `result->value` holds what the routine gave. */
void io_conclude(struct cpu *cpu, const struct ss_operation *op, struct ss_result *result);

#endif
