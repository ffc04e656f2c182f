/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "devices/fw_cfg.h"
#include "devices/pc_map.h"

static struct fw_cfg cfg;
static struct bus bus;

static int setup(void **state)
{
	(void)state;
	bus = (struct bus){0};
	fw_cfg_init(&cfg, 0x0123456789abcdef, 0x1234);
	return bus_claim(&bus, PC_FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_bus_ops, &cfg);
}

static void select_item(uint16_t key)
{
	assert_int_equal(bus_write(&bus, PC_FW_CFG_PORT, &key, 2), 1);
}

static uint8_t next(void)
{
	uint8_t byte;

	assert_int_equal(bus_read(&bus, PC_FW_CFG_PORT + 1, &byte, 1), 1);
	return byte;
}

/* Every key, well beyond the end of its item. */
static void items(void **state)
{
	static const struct {
		uint16_t key;
		uint8_t bytes[8];
	} rows[] = {
		{0x00, "QEMU"},
		{0x01, {1}},
		{0x03, {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01}},
		{0x05, {0x34, 0x12}},
		{0x0f, {0x34, 0x12}},
	};

	(void)state;
	for (unsigned key = 0; key < 0x10000; key++) {
		uint8_t wanted[8] = {0};

		/* Bit 14 asks for a channel that there is not, bit 15 for items of an architecture. */
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].key == (key & ~0x4000u))
				memcpy(wanted, rows[i].bytes, 8);
		select_item((uint16_t)key);
		for (unsigned i = 0; i < (key < 0x20 ? 300 : 12); i++)
			if (next() != (i < 8 ? wanted[i] : 0))
				fail_msg("byte %u of item 0x%x", i, key);
	}
}

/* It starts with the signature, and a selection starts anew. */
static void selection(void **state)
{
	(void)state;
	assert_int_equal(next(), 'Q');
	assert_int_equal(next(), 'E');
	select_item(0);
	assert_int_equal(next(), 'Q');
}

/* The selector is a word, the data a byte; nothing else is an access. */
static void sizes(void **state)
{
	uint8_t byte = 5;
	uint16_t word;

	(void)state;
	select_item(3);
	assert_int_equal(bus_write(&bus, PC_FW_CFG_PORT, &byte, 1), 1);
	assert_int_equal(bus_write(&bus, PC_FW_CFG_PORT + 1, &byte, 1), 1);
	assert_int_equal(bus_read(&bus, PC_FW_CFG_PORT, &word, 2), 1);
	assert_int_equal(word, 0xffff);
	assert_int_equal(bus_read(&bus, PC_FW_CFG_PORT, &byte, 1), 1);
	assert_int_equal(byte, 0xff);
	assert_int_equal(bus_read(&bus, PC_FW_CFG_PORT + 1, &word, 2), 0);
	assert_int_equal(next(), 0xef);
	assert_int_equal(next(), 0xcd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(items, setup),
		cmocka_unit_test_setup(selection, setup),
		cmocka_unit_test_setup(sizes, setup),
	};

	return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
