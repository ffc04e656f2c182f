/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/serial.h"

enum {
	REG_DATA,
	REG_IER,
	REG_IIR_FCR,
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCR,
};

#define LCR_DLAB 0x80
#define MCR_LOOP 0x10
#define LSR_DATA_READY 0x01
#define LSR_TX_EMPTY 0x60
#define IIR_NONE 0x01
#define IIR_THR_EMPTY 0x02
#define IIR_FIFO_ENABLED 0xc0
#define IER_THR_EMPTY 0x02
#define FCR_ENABLE 0x01
#define MSR_CTS_DSR_DCD 0xb0

void serial_init(struct serial *serial, struct console *console)
{
	*serial = (struct serial){.console = console, .divisor = 12, .lcr = 3};
}

/* In loopback the modem outputs feed the modem inputs: DTR, RTS, OUT1, OUT2 to DSR, CTS, RI, DCD. */
static uint8_t modem_status(const struct serial *serial)
{
	uint8_t mcr = serial->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_CTS_DSR_DCD;
	return (uint8_t)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4);
}

static uint8_t read_register(struct serial *serial, uint64_t reg)
{
	switch (reg) {
	case REG_DATA:
		if (serial->lcr & LCR_DLAB)
			return (uint8_t)serial->divisor;
		serial->loopback_ready = false;
		return serial->loopback;
	case REG_IER:
		return serial->lcr & LCR_DLAB ? (uint8_t)(serial->divisor >> 8) : serial->ier;
	case REG_IIR_FCR:
		return (uint8_t)((serial->fcr & FCR_ENABLE ? IIR_FIFO_ENABLED : 0) |
				 (serial->ier & IER_THR_EMPTY ? IIR_THR_EMPTY : IIR_NONE));
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return (uint8_t)(LSR_TX_EMPTY | (serial->loopback_ready ? LSR_DATA_READY : 0));
	case REG_MSR:
		return modem_status(serial);
	case REG_SCR:
		return serial->scr;
	}
	return 0xff;
}

static void transmit(struct serial *serial, uint8_t value)
{
	char byte = (char)value;

	if (serial->mcr & MCR_LOOP) {
		serial->loopback = value;
		serial->loopback_ready = true;
	} else {
		console_write(serial->console, &byte, 1);
	}
}

static void write_register(struct serial *serial, uint64_t reg, uint8_t value)
{
	switch (reg) {
	case REG_DATA:
		if (serial->lcr & LCR_DLAB)
			serial->divisor = (uint16_t)((serial->divisor & 0xff00) | value);
		else
			transmit(serial, value);
		break;
	case REG_IER:
		if (serial->lcr & LCR_DLAB)
			serial->divisor = (uint16_t)((serial->divisor & 0xff) | value << 8);
		else
			serial->ier = value & 0x0f;
		break;
	case REG_IIR_FCR:
		serial->fcr = value;
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		serial->mcr = value & 0x1f;
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	}
}

/* A wide access touches consecutive registers, lowest first, as on a byte-wide ISA bus. */
static uint64_t serial_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_register(device, offset + i) << 8 * i;
	return value;
}

static void serial_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		write_register(device, offset + i, (uint8_t)(value >> 8 * i));
}

const struct bus_ops serial_bus_ops = {serial_read, serial_write};
