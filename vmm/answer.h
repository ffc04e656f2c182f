/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM does with the exits that the relay passes on. */
#ifndef VMM_ANSWER_H
#define VMM_ANSWER_H

#include "devices/bus.h"

/* The port that the relay writes; the device is the struct vm. */
extern const struct bus_ops relay_port_ops;

#endif
