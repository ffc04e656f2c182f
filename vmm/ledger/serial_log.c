/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/serial_log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/progress.h"
#include "vmm/ledger/frame.h"
#include "vmm/ledger/record.h"

enum line { LINE_SOUND, LINE_DAMAGED, LINE_CUT };

/* No frame has the prefix in it, as `s` is none of its characters: a frame may begin behind anything. Returns what is
 * behind the prefix, or NULL. */
static const char *find_frame(const char *text, const char *end)
{
	const char *found = memmem(text, (size_t)(end - text), FRAME_PREFIX, FRAME_PREFIX_SIZE);

	return found ? found + FRAME_PREFIX_SIZE : NULL;
}

bool serial_log_is(const void *data, size_t size)
{
	const char *end = (const char *)data + size, *text = data;
	uint8_t bytes[3];

	/* The prefix alone is also in the program that writes such lines. */
	while ((text = find_frame(text, end)) != NULL)
		if (end - text >= 4 && frame_decode(text, bytes))
			return true;
	return false;
}

/* Whether the log ends here, or in the middle of a group. */
static bool is_open(const char *text, size_t size)
{
	char group[4] = {FRAME_FIRST, FRAME_FIRST, FRAME_FIRST, FRAME_FIRST};
	uint8_t bytes[3];

	if (size >= sizeof(group))
		return false;
	memcpy(group, text, size);
	return frame_decode(group, bytes);
}

/* Whether `length` bytes are what a frame has, and unharmed. `open`: more may have followed. */
static enum line check_frame(const uint8_t *bytes, size_t length, bool open)
{
	const struct record *record = (const void *)(bytes + FRAME_SEQUENCE_SIZE);
	size_t checked, whole;
	uint32_t check;

	if (length < FRAME_SEQUENCE_SIZE + sizeof(*record))
		return open ? LINE_CUT : LINE_DAMAGED;
	if (record->size < sizeof(*record) || record->size % 8 != 0)
		return LINE_DAMAGED;
	checked = FRAME_SEQUENCE_SIZE + record->size;
	whole = (checked + FRAME_CHECK_SIZE + 2) / 3 * 3;
	if (length < whole)
		return open ? LINE_CUT : LINE_DAMAGED;
	memcpy(&check, bytes + checked, sizeof(check));
	if (length > whole || check != frame_check(0, bytes, (uint32_t)checked))
		return LINE_DAMAGED;
	for (size_t i = checked + FRAME_CHECK_SIZE; i < whole; i++)
		if (bytes[i])
			return LINE_DAMAGED;
	return LINE_SOUND;
}

/* The largest record, and what is around it. */
#define FRAME_SIZE_MAX ((FRAME_SEQUENCE_SIZE + UINT16_MAX + FRAME_CHECK_SIZE + 2) / 3 * 3)

/* Decodes what is behind a prefix. */
static enum line decode_line(const char *text, size_t size, uint8_t bytes[FRAME_SIZE_MAX])
{
	size_t length = 0;
	bool open;

	while (size >= 4 && length + 3 <= FRAME_SIZE_MAX && frame_decode(text, bytes + length)) {
		text += 4;
		size -= 4;
		length += 3;
	}
	open = is_open(text, size);
	if (!open && *text != '\n' && *text != '\r')
		return LINE_DAMAGED;
	/* What is left is a part of a group: no frame has as many bytes, it is longer or shorter. */
	if (open && size > 0)
		length++;
	return check_frame(bytes, length, open);
}

/* A run that is being decoded. */
struct decoder {
	struct serial_log log;
	size_t room;
	uint64_t next; /* the sequence number that is due */
	struct record_exit known[FRAME_KNOWN];
	unsigned known_count; /* ever, since they were forgotten */
	bool lost;            /* lines are missing: what is known is not what the sender knows */
	uint64_t time;        /* of the last exit */
	union {
		uint64_t border;
		uint8_t bytes[FRAME_SIZE_MAX];
	} frame;
};

static int append(struct decoder *decoder, const struct record *record)
{
	struct serial_log *log = &decoder->log;
	const size_t size = record->size;

	if (log->size + size > decoder->room) {
		const size_t room = 2 * decoder->room + size;
		uint8_t *data = realloc(log->data, room);

		if (!data)
			return -ENOMEM;
		log->data = data;
		decoder->room = room;
	}
	memcpy(log->data + log->size, record, size);
	log->size += size;
	return 0;
}

static void start_run(struct decoder *decoder)
{
	decoder->log.size = LEDGER_HEADER_SIZE;
	decoder->log.damaged = decoder->log.missing = decoder->next = 0;
	decoder->known_count = 0;
	decoder->lost = false;
}

/* Exits that came before, but for time and cost. What cannot be told is left out: lines are missing already. */
static int take_repeats(struct decoder *decoder, const struct record *record)
{
	const size_t count = (record->size - sizeof(*record)) / sizeof(struct frame_repeat);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct frame_repeat repeat;
		struct record_exit exit;
		unsigned which;

		memcpy(&repeat, (const uint8_t *)(record + 1) + i * sizeof(repeat), sizeof(repeat));
		which = repeat.known >> FRAME_COST_BITS;
		if (decoder->lost || which >= decoder->known_count) {
			decoder->log.damaged += !decoder->lost;
			return 0;
		}
		exit = decoder->known[which];
		decoder->time += (uint64_t)(int64_t)repeat.ticks;
		exit.time = decoder->time;
		exit.cost = repeat.known & ((1u << FRAME_COST_BITS) - 1);
		rc = append(decoder, &exit.record);
	}
	return rc;
}

/* What later lines refer to. */
static void learn(struct decoder *decoder, const struct record *record)
{
	if (record->type == RECORD_BATCH) {
		decoder->known_count = 0;
		decoder->lost = false;
	}
	if (record->type == RECORD_EXIT && record->size == sizeof(struct record_exit)) {
		memcpy(&decoder->known[decoder->known_count++ % FRAME_KNOWN], record, record->size);
		decoder->time = ((const struct record_exit *)record)->time;
	}
}

static int take_frame(struct decoder *decoder)
{
	/* The number makes way for the record, which begins on a border of its own. */
	const struct record *record = (const void *)decoder->frame.bytes;
	uint32_t sequence;
	uint16_t size;

	memcpy(&sequence, decoder->frame.bytes, sizeof(sequence));
	memcpy(&size, decoder->frame.bytes + sizeof(sequence) + offsetof(struct record, size), sizeof(size));
	memmove(decoder->frame.bytes, decoder->frame.bytes + sizeof(sequence), size);
	/* Line 0 of a run may be missing, but no number comes twice in one. */
	if (sequence == 0 || sequence < decoder->next)
		start_run(decoder);
	decoder->lost |= sequence != decoder->next;
	decoder->log.missing += sequence - decoder->next;
	decoder->next = (uint64_t)sequence + 1;
	if (record->type == FRAME_REPEATS)
		return take_repeats(decoder, record);
	learn(decoder, record);
	return append(decoder, record);
}

static int decode(struct decoder *decoder, const char *text, const char *end)
{
	const char *start = text, *told = text;
	int rc = 0;

	while (rc == 0 && (text = find_frame(text, end)) != NULL) {
		enum line line = decode_line(text, (size_t)(end - text), decoder->frame.bytes);

		if (line == LINE_SOUND)
			rc = take_frame(decoder);
		decoder->log.damaged += line == LINE_DAMAGED;
		decoder->log.cut |= line == LINE_CUT;
		if (text - told >= (ptrdiff_t)PROGRESS_BYTES) {
			progress_at((uint64_t)(text - start), (uint64_t)(end - start));
			told = text;
		}
	}
	return rc;
}

int serial_log_decode(const char *data, size_t size, struct serial_log *ret)
{
	const struct ledger_header header = {
		.magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .header_size = LEDGER_HEADER_SIZE};
	struct decoder *decoder = calloc(1, sizeof(*decoder));
	int rc = decoder ? 0 : -ENOMEM;

	if (decoder) {
		decoder->room = 2 * LEDGER_HEADER_SIZE;
		decoder->log.size = LEDGER_HEADER_SIZE;
		decoder->log.data = malloc(decoder->room);
		rc = decoder->log.data ? decode(decoder, data, data + size) : -ENOMEM;
	}
	if (rc == 0) {
		memset(decoder->log.data, 0, LEDGER_HEADER_SIZE);
		memcpy(decoder->log.data, &header, sizeof(header));
		((struct ledger_header *)decoder->log.data)->used = decoder->log.size - LEDGER_HEADER_SIZE;
		*ret = decoder->log;
	} else if (decoder) {
		free(decoder->log.data);
	}
	free(decoder);
	return rc;
}
