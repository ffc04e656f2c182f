/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/bare/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 65536
#define BORDER 16

static int make_room(struct blob *blob, size_t size)
{
	size_t room = blob->room ? blob->room : ROOM_MIN;
	uint8_t *data;

	if (blob->size + size <= blob->room)
		return 0;
	while (room < blob->size + size)
		room *= 2;
	data = realloc(blob->data, room);
	if (!data)
		return -ENOMEM;
	blob->data = data;
	blob->room = room;
	return 0;
}

static void append(struct blob *blob, const void *data, size_t size)
{
	if (blob->error == 0)
		blob->error = make_room(blob, size);
	if (blob->error != 0 || size == 0)
		return;
	if (data)
		memcpy(blob->data + blob->size, data, size);
	else
		memset(blob->data + blob->size, 0, size);
	blob->size += size;
}

void blob_align(struct blob *blob, size_t border)
{
	append(blob, NULL, (border - blob->size % border) % border);
}

uint64_t blob_append(struct blob *blob, const void *data, size_t size)
{
	uint64_t at;

	blob_align(blob, BORDER);
	at = blob->size;
	append(blob, data, size);
	return at;
}

void blob_finish(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){0};
}
