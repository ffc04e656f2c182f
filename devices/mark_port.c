/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/mark_port.h"

#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define TOO_LONG "a name of more than " TEXT(SS_MARK_NAME_MAX) " characters"
#define UNPRINTABLE "a name with a blank or what is not printable"
#define TOO_MANY "a name that would be one more than " TEXT(SS_MAX_OPERATIONS)
#define UNKNOWN "a number that no name has"

void mark_port_init(struct mark_port *port, const struct mark_owner *owner)
{
	memset(port, 0, sizeof(*port));
	port->owner = *owner;
}

static struct mark_line *line_of(struct mark_port *port)
{
	return &port->lines[port->owner.writer(port->owner.opaque)];
}

static uint64_t mark_read(void *device, uint64_t offset, unsigned size)
{
	return offset == 0 && size == 4 ? line_of(device)->last : UINT64_MAX;
}

static void begin(struct mark_port *port, struct mark_line *line)
{
	port->owner.end(port->owner.opaque);
	*line = (struct mark_line){.last = line->last};
}

static void add(struct mark_line *line, uint8_t byte)
{
	if (line->fault)
		return;
	if (byte <= ' ' || byte > '~')
		line->fault = UNPRINTABLE;
	else if (line->length == SS_MARK_NAME_MAX)
		line->fault = TOO_LONG;
	else
		line->text[line->length++] = (char)byte;
}

static void complete(struct mark_port *port, struct mark_line *line)
{
	const struct mark_owner *owner = &port->owner;

	line->begun = false;
	if (!line->fault && line->length == 0)
		return;
	line->last = line->fault ? 0 : owner->name(owner->opaque, line->text);
	if (line->last == 0)
		owner->refuse(owner->opaque, line->fault ? line->fault : TOO_MANY);
}

static void write_byte(struct mark_port *port, uint8_t byte)
{
	struct mark_line *line = line_of(port);

	if (!line->begun)
		begin(port, line);
	line->begun = true;
	if (byte == '\0' || byte == '\n')
		complete(port, line);
	else
		add(line, byte);
}

static void write_number(struct mark_port *port, uint32_t number)
{
	const struct mark_owner *owner = &port->owner;
	struct mark_line *line = line_of(port);

	begin(port, line);
	if (number == 0)
		return;
	line->last = owner->number(owner->opaque, number) ? number : 0;
	if (line->last == 0)
		owner->refuse(owner->opaque, UNKNOWN);
}

static void mark_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset == 0 && size == 1)
		write_byte(device, (uint8_t)value);
	else if (offset == 0 && size == 4)
		write_number(device, (uint32_t)value);
}

const struct bus_ops mark_port_ops = {mark_read, mark_write};
