/* SPDX-License-Identifier: MIT */
#ifndef SIDESTEP_GUESTFW_CATALOGUE_H
#define SIDESTEP_GUESTFW_CATALOGUE_H

#include "frame.h"

extern const struct ss_operation catalogue[];
extern const uint32_t catalogue_size;

/* Not an operation: the two time stamps of a sample with nothing between them. */
routine_fn op_overhead;
/* Also how the firmware itself changes views between operations. */
routine_fn op_enlightened_read, op_enlightened_write, op_vmfunc;

#endif
