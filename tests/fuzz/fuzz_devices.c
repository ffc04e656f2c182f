/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses to the ports and registers of all devices, in any order, size and alignment; input of the serial line and
 * the passing of time between them. */
#include <string.h>

#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos.h"
#include "devices/fw_cfg.h"
#include "devices/mark_port.h"
#include "devices/pc_map.h"
#include "devices/ports.h"
#include "devices/power.h"
#include "devices/serial.h"
#include "devices/test_device.h"
#include "fuzz.h"
#include "guestfw/abi.h"

static unsigned requests;

static void count_request(void *opaque, uint32_t address)
{
	(void)opaque;
	(void)address;
	requests++;
}

/* Of platform `pc`. The serial line is the other platform's too, so that input of any kind reaches it. */
static struct pc {
	struct bus ports, mmio;
	struct serial serial;
	struct cmos cmos;
	struct acpi_pm pm;
	struct fw_cfg fw_cfg;
	struct test_device test;
	struct mark_port mark;
	unsigned writer;   /* of marks */
	uint32_t marks;	   /* numbers given */
	bool marked[SS_MAX_VCPUS];
	struct power power;
	struct exit_port exit_port;
	uint64_t now;
	bool refused; /* bytes of the serial line, so that it may ask for more */
} pc;

static uint64_t read_now(void *opaque)
{
	return *(const uint64_t *)opaque;
}

static const struct clock pc_clock = {read_now, &pc.now};

static void take_interrupt(void *opaque)
{
	MUST(opaque == &pc && pc.serial.active);
}

static void receive(const uint8_t *bytes, size_t count)
{
	size_t room = SERIAL_QUEUE - pc.serial.queued, taken = serial_receive(&pc.serial, bytes, count);

	MUST(taken == (count < room ? count : room));
	pc.refused |= taken < count;
}

static void give_more(void *opaque)
{
	static const uint8_t bytes[SERIAL_QUEUE];

	MUST(opaque == &pc && pc.refused && pc.serial.queued <= SERIAL_QUEUE / 2);
	pc.refused = false;
	receive(bytes, pc.serial.queued % 3 * 1024);
}

static void take_flush(void *opaque, uint32_t gpa)
{
	count_request(opaque, gpa);
}

static void take_line(void *opaque, unsigned gsi, bool level)
{
	(void)level;
	MUST(opaque == &pc && gsi < PC_TEST_IRQ_COUNT);
}

static unsigned mark_writer(void *opaque)
{
	MUST(opaque == &pc);
	return pc.writer;
}

static void mark_end(void *opaque)
{
	MUST(opaque == &pc);
	pc.marked[pc.writer] = false;
}

/* Not before what was marked has ended. */
static uint32_t mark_name(void *opaque, const char *name)
{
	const size_t length = strnlen(name, SS_MARK_NAME_MAX + 1);

	MUST(opaque == &pc && !pc.marked[pc.writer] && length > 0 && length <= SS_MARK_NAME_MAX);
	for (size_t i = 0; i < length; i++)
		MUST(name[i] > ' ' && name[i] <= '~');
	if (pc.marks == SS_MAX_OPERATIONS)
		return 0;
	pc.marked[pc.writer] = true;
	return ++pc.marks;
}

static bool mark_number(void *opaque, uint32_t number)
{
	MUST(opaque == &pc && number != 0 && !pc.marked[pc.writer]);
	pc.marked[pc.writer] = number <= pc.marks;
	return pc.marked[pc.writer];
}

static void mark_refuse(void *opaque, const char *what)
{
	MUST(opaque == &pc && !pc.marked[pc.writer] && what[0] == 'a');
}

static void start_pc(struct console *console)
{
	static const struct test_device_owner owner = {take_flush, take_line, &pc};
	static const struct mark_owner mark_owner = {mark_writer, mark_end, mark_name, mark_number, mark_refuse, &pc};
	const struct {
		struct bus *bus;
		uint64_t base, length;
		const struct bus_ops *ops;
		void *device;
	} rows[] = {
		{&pc.ports, PC_SERIAL_PORT, SERIAL_PORTS, &serial_bus_ops, &pc.serial},
		{&pc.ports, PC_CMOS_PORT, CMOS_PORTS, &cmos_bus_ops, &pc.cmos},
		{&pc.ports, PC_KEYBOARD_DATA, 1, &keyboard_data_ops, &pc.power},
		{&pc.ports, PC_KEYBOARD_COMMAND, 1, &keyboard_command_ops, &pc.power},
		{&pc.ports, PC_PORT_92, 1, &port_92_ops, &pc.power},
		{&pc.ports, PC_RESET_CONTROL, 1, &reset_control_ops, &pc.power},
		{&pc.ports, PC_PANIC_PORT, 1, &panic_ops, &pc.power},
		{&pc.ports, PC_PM1_EVENT, PC_PM1_EVENT_SIZE, &acpi_pm_event_ops, &pc.pm},
		{&pc.ports, PC_PM1_CONTROL, PC_PM1_CONTROL_SIZE, &acpi_pm_control_ops, &pc.pm},
		{&pc.ports, PC_PM_TIMER, PC_PM_TIMER_SIZE, &acpi_pm_timer_ops, &pc.pm},
		{&pc.ports, PC_ACPI_RESET, 1, &acpi_reset_ops, &pc.pm},
		{&pc.ports, PC_FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_bus_ops, &pc.fw_cfg},
		{&pc.ports, SS_PORT_MARK, SS_MARK_PORTS, &mark_port_ops, &pc.mark},
		{&pc.ports, PC_TEST_LATCH, PC_TEST_LATCH_SIZE, &test_latch_ops, &pc.test},
		{&pc.ports, PC_TEST_FLUSH, 4, &test_flush_ops, &pc.test},
		{&pc.ports, PC_TEST_EXIT, 4, &debug_exit_ops, &pc.exit_port},
		{&pc.ports, PC_TEST_IRQ, PC_TEST_IRQ_COUNT, &test_irq_ops, &pc.test},
		{&pc.mmio, PC_TEST_MEMORY, PC_TEST_MEMORY_SIZE, &test_memory_ops, &pc.test},
	};

	pc.ports = pc.mmio = (struct bus){0};
	pc.exit_port = (struct exit_port){0};
	pc.now = 0;
	pc.refused = false;
	serial_init(&pc.serial, console);
	serial_connect(&pc.serial, take_interrupt, give_more, &pc);
	power_init(&pc.power);
	cmos_init(&pc.cmos, &pc_clock, UINT64_C(128) << 20);
	acpi_pm_init(&pc.pm, &pc_clock, &pc.power);
	fw_cfg_init(&pc.fw_cfg, UINT64_C(128) << 20, 2);
	test_device_init(&pc.test, &owner);
	mark_port_init(&pc.mark, &mark_owner);
	pc.writer = pc.marks = 0;
	memset(pc.marked, 0, sizeof(pc.marked));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		MUST(bus_claim(rows[i].bus, rows[i].base, rows[i].length, rows[i].ops, rows[i].device) == 0);
}

/* What holds after any access. */
static void check_pc(enum power_event before)
{
	MUST(pc.power.event < POWER_EVENT_COUNT);
	MUST(before == POWER_NONE || pc.power.event == before);
	MUST(!pc.exit_port.written || pc.exit_port.status == 0 || pc.exit_port.status & 1);
	MUST(pc.serial.in_fifo <= SERIAL_FIFO && pc.serial.in_fifo <= pc.serial.queued);
	MUST(pc.serial.queued <= SERIAL_QUEUE && pc.serial.looped_count <= SERIAL_FIFO);
}

/* The time registers are two digits of what there is. */
static void check_time(void)
{
	static const uint8_t most[10] = {
		0x59, 0xff, 0x59, 0xff, 0x23, 0xff, 0x07, 0x31, 0x12, 0x99,
	};
	uint8_t selected = pc.cmos.index;

	for (uint8_t reg = 0; reg < sizeof(most); reg++) {
		uint8_t value = 0;

		bus_write(&pc.ports, PC_CMOS_PORT, &reg, 1);
		bus_read(&pc.ports, PC_CMOS_PORT + 1, &value, 1);
		MUST(most[reg] == 0xff || ((value & 15) <= 9 && value <= most[reg]));
	}
	bus_write(&pc.ports, PC_CMOS_PORT, &selected, 1);
}

static void access_bus(struct fuzz_input *input, const struct bus *bus, uint64_t address, uint8_t how)
{
	unsigned width = 1u << (how & 3);
	uint64_t value = 0xa5a5a5a5a5a5a5a5;
	enum power_event before = pc.power.event;

	if (how & 4) {
		value = fuzz_take(input, width);
		bus_write(bus, address, &value, width);
	} else if (!bus_read(bus, address, &value, width)) {
		MUST(width == 8 || (value & ((UINT64_C(1) << 8 * width) - 1)) ==
					   (UINT64_C(1) << 8 * width) - 1);
	}
	check_pc(before);
}

/* The first byte of a step: bits 0 and 1 are the width of an access, bit 2 that it is a write; bit 3 asks for the devices
 * of `pc`, with bit 4 for what happens outside of the guest; bits 5 to 7 without bit 4 for the port of marks. The others, and the next byte, are where. */
static void step_pc(struct fuzz_input *input, uint8_t how, uint8_t where)
{
	static const uint16_t bases[] = {
		PC_SERIAL_PORT, PC_CMOS_PORT, PC_KEYBOARD_DATA, PC_KEYBOARD_COMMAND,
		PC_PORT_92, PC_RESET_CONTROL, PC_PANIC_PORT, PC_PM1_EVENT,
		PC_PM1_CONTROL, PC_PM_TIMER, PC_ACPI_RESET, PC_FW_CFG_PORT,
		PC_TEST_LATCH, PC_TEST_FLUSH, PC_TEST_EXIT, PC_TEST_IRQ,
	};
	static const uint8_t bytes[2 * SERIAL_QUEUE] = "input";

	if ((how & 0xf0) == 0xe0) {
		pc.writer = where >> 2;
		access_bus(input, &pc.ports, SS_PORT_MARK + (where & 3), how);
	} else if (!(how & 0x10)) {
		access_bus(input, &pc.ports, bases[where & 15] + (uint64_t)(where >> 4) - 1, how);
	} else if (how & 0x20) {
		receive(bytes, (size_t)where << (how & 7) & (sizeof(bytes) - 1));
	} else if (how & 0x40) {
		pc.now += fuzz_take(input, 8);
		check_time();
	} else {
		uint64_t offset = fuzz_take(input, 2);

		access_bus(input, &pc.mmio, PC_TEST_MEMORY + offset + where - 8, how);
	}
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

	console_init(&console, -1, 1000);
	start_pc(&console);
	MUST(bus_claim(&bus, SS_PORT_SERIAL, 8, &serial_bus_ops, &pc.serial) == 0);
	MUST(bus_claim(&bus, SS_PORT_DEBUG, 1, &debug_console_ops, &console) == 0);
	MUST(bus_claim(&bus, SS_PORT_EXIT, 1, &exit_port_ops, &exit_port) == 0);
	MUST(bus_claim(&bus, SS_PORT_CONTROL, 4, &control_port_ops, &control) == 0);
	MUST(bus_claim(&bus, SS_MMIO_GPA, 8, &scratch_register_ops, &scratch) == 0);
	while (input.size >= 2) {
		uint8_t how = (uint8_t)fuzz_take(&input, 1), where = (uint8_t)fuzz_take(&input, 1);

		if (how & 8)
			step_pc(&input, how, where);
		else
			access_bus(&input, &bus, (how & 0x80 ? SS_MMIO_GPA : bases[how >> 5 & 3]) + where % 12 - 2, how);
	}
	MUST(console.written <= 1000);
	console_finish(&console);
	return 0;
}
