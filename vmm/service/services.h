/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept for the guest of one VM that asks for services. */
#ifndef VMM_SERVICE_SERVICES_H
#define VMM_SERVICE_SERVICES_H

#include "devices/disk.h"
#include "devices/mark_port.h"
#include "devices/ports.h"
#include "views/pins.h"
#include "vmm/plan/storage.h"

struct services {
	struct control_port control_port;
	struct mark_port mark_port; /* of a guest without a catalogue */
	struct pins pins;
	uint64_t pin_limit; /* of the host, in bytes; UINT64_MAX: anything */
	struct disk disk;   /* without sectors if there is none */
	struct storage scratch; /* the disk's own, if it is in memory */
};

#endif
