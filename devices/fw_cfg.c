/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/fw_cfg.h"

enum {
	KEY_SIGNATURE = 0x00,
	KEY_ID = 0x01,
	KEY_RAM_SIZE = 0x03,
	KEY_NB_CPUS = 0x05,
	KEY_MAX_CPUS = 0x0f,
	/* Those below are 0, as is what does not exist. */
	KEY_MAX_RAM = 0x11,  /* of kvm-unit-tests: a limit on memory, 8 bytes; 0 is none */
	KEY_FILE_DIR = 0x19, /* starts with the number of files, 4 bytes, big endian */
};

#define KEY_WRITE 0x4000 /* asks for a write channel, which no item has */
#define SIGNATURE UINT64_C(0x554d4551) /* "QEMU" */
#define ID_TRADITIONAL 1

void fw_cfg_init(struct fw_cfg *cfg, uint64_t memory_size, uint16_t cpus)
{
	*cfg = (struct fw_cfg){.memory_size = memory_size, .cpus = cpus};
}

/* No item has more than 8 bytes that are not 0, and zeros follow the end of each. */
static uint64_t item(const struct fw_cfg *cfg)
{
	switch (cfg->key) {
	case KEY_SIGNATURE:
		return SIGNATURE;
	case KEY_ID:
		return ID_TRADITIONAL;
	case KEY_RAM_SIZE:
		return cfg->memory_size;
	case KEY_NB_CPUS:
	case KEY_MAX_CPUS:
		return cfg->cpus;
	case KEY_MAX_RAM:
	case KEY_FILE_DIR:
	default:
		return 0;
	}
}

static uint64_t fw_cfg_read(void *device, uint64_t offset, unsigned size)
{
	struct fw_cfg *cfg = device;

	if (offset != 1 || size != 1)
		return UINT64_MAX;
	return (uint8_t)bus_part(item(cfg), cfg->offset++);
}

static void fw_cfg_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct fw_cfg *cfg = device;

	if (offset != 0 || size != 2)
		return;
	cfg->key = value & (uint16_t)~KEY_WRITE;
	cfg->offset = 0;
}

const struct bus_ops fw_cfg_bus_ops = {fw_cfg_read, fw_cfg_write};
