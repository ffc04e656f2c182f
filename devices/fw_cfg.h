/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's firmware configuration device (docs/specs/fw_cfg.rst there), read-only and without DMA: the size of memory and
 * the number of processors, for guests that have no other firmware to ask.
 */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include <stdint.h>

#include "devices/bus.h"

#define FW_CFG_PORTS 2

struct fw_cfg {
	uint64_t memory_size;
	uint16_t cpus;
	uint16_t key;    /* selected item */
	uint64_t offset; /* next byte of it */
};

/* Memory in bytes; so many processors, from the start and at most. */
void fw_cfg_init(struct fw_cfg *cfg, uint64_t memory_size, uint16_t cpus);

/* For a range of FW_CFG_PORTS ports: the selector, a word, and data, a byte at the second. */
extern const struct bus_ops fw_cfg_bus_ops;

#endif
