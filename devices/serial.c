/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/serial.h"

#include <string.h>

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
#define MCR_RTS 0x02
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define LSR_DATA_READY 0x01
#define LSR_TX_EMPTY 0x60
#define IIR_MODEM 0x00
#define IIR_NONE 0x01
#define IIR_THR_EMPTY 0x02
#define IIR_DATA 0x04
#define IIR_FIFO_ENABLED 0xc0
#define IER_DATA 0x01
#define IER_THR_EMPTY 0x02
#define IER_MODEM 0x08
#define FCR_ENABLE 0x01
#define FCR_CLEAR_RECEIVER 0x02
#define MSR_CTS_DSR_DCD 0xb0
#define MSR_RI 0x40

void serial_init(struct serial *serial, struct console *console)
{
	*serial = (struct serial){.console = console, .divisor = 12, .lcr = 3};
}

void serial_connect(struct serial *serial, void (*raise)(void *opaque), void (*hungry)(void *opaque), void *opaque)
{
	serial->raise = raise;
	serial->hungry = hungry;
	serial->opaque = opaque;
}

static unsigned fifo_size(const struct serial *serial)
{
	return serial->fcr & FCR_ENABLE ? SERIAL_FIFO : 1;
}

static bool data_ready(const struct serial *serial)
{
	return serial->looped_count + serial->in_fifo != 0;
}

/* Of the causes that are enabled, the one of highest priority (table 4 of the data sheet). */
static uint8_t cause(const struct serial *serial)
{
	if (serial->ier & IER_DATA && data_ready(serial))
		return IIR_DATA;
	if (serial->ier & IER_THR_EMPTY && serial->thr_empty)
		return IIR_THR_EMPTY;
	if (serial->ier & IER_MODEM && serial->modem_changes)
		return IIR_MODEM;
	return IIR_NONE;
}

static void drive_line(struct serial *serial)
{
	bool active = (serial->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && cause(serial) != IIR_NONE;
	bool rises = active && !serial->active;

	serial->active = active;
	if (rises && serial->raise)
		serial->raise(serial->opaque);
}

/* A cause that has come anew is told also while another holds the line. */
static void renew(struct serial *serial, uint8_t enabled)
{
	if (serial->ier & enabled)
		serial->active = false;
	drive_line(serial);
}

static bool other_side_sends(const struct serial *serial)
{
	return !(serial->mcr & MCR_LOOP) && (serial->mcr & MCR_RTS || !serial->modem_lines);
}

/* Brings FIFO and interrupt line up to date. Bytes come into an empty FIFO. */
static void settle(struct serial *serial)
{
	drive_line(serial);
	if (data_ready(serial) || serial->queued == 0 || !other_side_sends(serial))
		return;
	serial->in_fifo = serial->queued < fifo_size(serial) ? (unsigned)serial->queued : fifo_size(serial);
	renew(serial, IER_DATA);
}

size_t serial_receive(struct serial *serial, const uint8_t *bytes, size_t count)
{
	size_t room = SERIAL_QUEUE - serial->queued, taken = count < room ? count : room;

	for (size_t i = 0; i < taken; i++)
		serial->queue[(serial->first + serial->queued + i) % SERIAL_QUEUE] = bytes[i];
	serial->queued += taken;
	serial->refused = serial->refused || taken < count;
	settle(serial);
	return taken;
}

static void ask_for_more(struct serial *serial)
{
	if (!serial->refused || serial->queued > SERIAL_QUEUE / 2)
		return;
	serial->refused = false;
	if (serial->hungry)
		serial->hungry(serial->opaque);
}

static uint8_t take_data(struct serial *serial)
{
	uint8_t byte;

	if (serial->looped_count) {
		byte = serial->looped[0];
		serial->looped_count--;
		memmove(serial->looped, serial->looped + 1, serial->looped_count);
		return byte;
	}
	if (serial->in_fifo == 0)
		return 0;
	byte = serial->queue[serial->first];
	serial->first = (serial->first + 1) % SERIAL_QUEUE;
	serial->queued--;
	serial->in_fifo--;
	return byte;
}

static void clear_fifo(struct serial *serial)
{
	serial->looped_count = 0;
	serial->in_fifo = 0;
}

/* In loopback the modem outputs feed the modem inputs: DTR, RTS, OUT1, OUT2 to DSR, CTS, RI, DCD. */
static uint8_t modem_inputs(const struct serial *serial)
{
	uint8_t mcr = serial->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_CTS_DSR_DCD;
	return (uint8_t)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4);
}

static void write_mcr(struct serial *serial, uint8_t value)
{
	uint8_t before = modem_inputs(serial), changes;

	if (value & ~serial->mcr & MCR_LOOP)
		serial->in_fifo = 0; /* the wire is cut; what is on it comes afterwards */
	serial->mcr = value & 0x1f;
	serial->modem_lines = true;
	changes = before ^ modem_inputs(serial);
	if (!(before & MSR_RI))
		changes &= (uint8_t)~MSR_RI; /* of the ring indicator, only its end counts */
	serial->modem_changes |= changes >> 4;
}

static uint8_t read_iir(struct serial *serial)
{
	uint8_t iir = cause(serial);

	if (iir == IIR_THR_EMPTY)
		serial->thr_empty = false;
	return (uint8_t)(iir | (serial->fcr & FCR_ENABLE ? IIR_FIFO_ENABLED : 0));
}

static uint8_t read_msr(struct serial *serial)
{
	uint8_t msr = modem_inputs(serial) | serial->modem_changes;

	serial->modem_changes = 0;
	return msr;
}

static uint8_t read_register(struct serial *serial, uint64_t reg)
{
	switch (reg) {
	case REG_DATA:
		return serial->lcr & LCR_DLAB ? (uint8_t)serial->divisor : take_data(serial);
	case REG_IER:
		return serial->lcr & LCR_DLAB ? (uint8_t)(serial->divisor >> 8) : serial->ier;
	case REG_IIR_FCR:
		return read_iir(serial);
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return LSR_TX_EMPTY | (data_ready(serial) ? LSR_DATA_READY : 0);
	case REG_MSR:
		return read_msr(serial);
	case REG_SCR:
		return serial->scr;
	}
	return 0xff;
}

/* A byte that is looped back into a full FIFO is lost; without FIFO it takes the place of the one before. */
static void loop_back(struct serial *serial, uint8_t byte)
{
	if (fifo_size(serial) == 1)
		serial->looped_count = 0;
	if (serial->looped_count < fifo_size(serial))
		serial->looped[serial->looped_count++] = byte;
}

static void transmit(struct serial *serial, uint8_t value)
{
	char byte = (char)value;

	if (serial->mcr & MCR_LOOP)
		loop_back(serial, value);
	else
		console_write(serial->console, &byte, 1);
	if (serial->sent && !(serial->mcr & MCR_LOOP))
		serial->sent(serial->opaque, value);
	serial->thr_empty = true;
	renew(serial, IER_THR_EMPTY);
}

/* That the transmitter is empty is an interrupt again for a guest that enables it: drivers start to send by that. */
static void write_ier(struct serial *serial, uint8_t value)
{
	if (value & ~serial->ier & IER_THR_EMPTY)
		serial->thr_empty = true;
	serial->ier = value & 0x0f;
}

/* The other bits count only together with the first. */
static void write_fcr(struct serial *serial, uint8_t value)
{
	if ((value ^ serial->fcr) & FCR_ENABLE || (value & FCR_ENABLE && value & FCR_CLEAR_RECEIVER))
		clear_fifo(serial);
	serial->fcr = value & FCR_ENABLE;
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
			write_ier(serial, value);
		break;
	case REG_IIR_FCR:
		write_fcr(serial, value);
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		write_mcr(serial, value);
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	}
}

/* A wide access touches consecutive registers, lowest first, as on a byte-wide ISA bus. */
static uint64_t serial_read(void *device, uint64_t offset, unsigned size)
{
	struct serial *serial = device;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)read_register(serial, offset + i) << 8 * i;
		settle(serial);
	}
	ask_for_more(serial);
	return value;
}

static void serial_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct serial *serial = device;

	for (unsigned i = 0; i < size; i++) {
		write_register(serial, offset + i, (uint8_t)(value >> 8 * i));
		settle(serial);
	}
}

const struct bus_ops serial_bus_ops = {serial_read, serial_write};
