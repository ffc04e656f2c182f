/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses to the ports and registers of all devices, in any order, size and alignment. */
#include "devices/bus.h"
#include "devices/ports.h"
#include "devices/serial.h"
#include "fuzz.h"
#include "guestfw/abi.h"

static unsigned requests;

static void count_request(void *opaque, uint32_t address)
{
	(void)opaque;
	(void)address;
	requests++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t bases[] = {SS_PORT_SERIAL, SS_PORT_DEBUG, SS_PORT_EXIT, SS_PORT_CONTROL};
	struct control_port control = {.request = count_request};
	struct fuzz_input input = {data, size};
	struct scratch_register scratch = {0};
	struct exit_port exit_port = {0};
	struct console console;
	struct bus bus = {0};
	struct serial serial;

	console_init(&console, -1, 1000);
	serial_init(&serial, &console);
	MUST(bus_claim(&bus, SS_PORT_SERIAL, 8, &serial_bus_ops, &serial) == 0);
	MUST(bus_claim(&bus, SS_PORT_DEBUG, 1, &debug_console_ops, &console) == 0);
	MUST(bus_claim(&bus, SS_PORT_EXIT, 1, &exit_port_ops, &exit_port) == 0);
	MUST(bus_claim(&bus, SS_PORT_CONTROL, 4, &control_port_ops, &control) == 0);
	MUST(bus_claim(&bus, SS_MMIO_GPA, 8, &scratch_register_ops, &scratch) == 0);
	while (input.size >= 4) {
		uint8_t how = (uint8_t)fuzz_take(&input, 1);
		unsigned width = 1u << (how & 3);
		uint64_t value = 0xa5a5a5a5a5a5a5a5;
		uint64_t address = how & 0x80 ? SS_MMIO_GPA : bases[how >> 5 & 3];

		address += fuzz_take(&input, 1) % 12 - 2;
		if (how & 4) {
			value = fuzz_take(&input, width);
			bus_write(&bus, address, &value, width);
		} else if (!bus_read(&bus, address, &value, width)) {
			MUST(width == 8 || (value & ((UINT64_C(1) << 8 * width) - 1)) ==
						   (UINT64_C(1) << 8 * width) - 1);
		}
	}
	MUST(console.written <= 1000);
	console_finish(&console);
	return 0;
}
