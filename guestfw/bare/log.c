/* SPDX-License-Identifier: GPL-2.0-only */
/* Records: kept in memory while something is measured, then lines on the serial line (frame.h). */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "vmm/ledger/frame.h"

#define META_TEXT_MAX 64

static uint64_t used;
static uint32_t sequence;

/* Three bytes a time; `count` of them wait. */
struct encoder {
	uint8_t bytes[3];
	unsigned count;
	uint32_t check;
};

static void send(struct encoder *encoder, const void *data, uint64_t size)
{
	const uint8_t *byte = data;

	encoder->check = frame_check(encoder->check, data, (uint32_t)size);
	for (uint64_t i = 0; i < size; i++) {
		char text[4];

		encoder->bytes[encoder->count++] = byte[i];
		if (encoder->count < 3)
			continue;
		frame_encode(encoder->bytes, text);
		for (unsigned c = 0; c < 4; c++)
			console_serial(text[c]);
		encoder->count = 0;
	}
}

static void send_line(const struct record *record)
{
	static const uint8_t zeros[2];
	struct encoder encoder = {.count = 0};
	uint32_t check;

	/* What the guest writes behind this line begins one too: it must not pass for the rest of another. */
	guest_text_end();
	for (const char *c = FRAME_PREFIX; *c; c++)
		console_serial(*c);
	send(&encoder, &sequence, FRAME_SEQUENCE_SIZE);
	send(&encoder, record, record->size);
	check = encoder.check;
	send(&encoder, &check, FRAME_CHECK_SIZE);
	if (encoder.count)
		send(&encoder, zeros, 3 - encoder.count);
	console_serial('\n');
	sequence++;
}

/* Exits that are known but for time and cost, waiting for their line. */
static struct {
	struct record record;
	struct frame_repeat items[FRAME_REPEATS_MAX];
} repeats;
static unsigned repeat_count;
static struct record_exit known[FRAME_KNOWN]; /* without time and cost */
static unsigned known_next;
static uint64_t last_time;

static void send_repeats(void)
{
	if (repeat_count == 0)
		return;
	repeats.record.type = FRAME_REPEATS;
	repeats.record.size = (uint16_t)(sizeof(struct record) + repeat_count * sizeof(struct frame_repeat));
	repeat_count = 0;
	send_line(&repeats.record);
}

static int is_known(const struct record_exit *a, const struct record_exit *b)
{
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	for (unsigned i = 0; i < sizeof(*a) / sizeof(*x); i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

static void send_exit(const struct record_exit *exit)
{
	const int64_t ticks = (int64_t)(exit->time - last_time);
	struct record_exit bare_exit = *exit;
	unsigned i = 0;

	bare_exit.time = bare_exit.cost = 0;
	last_time = exit->time;
	while (i < FRAME_KNOWN && !is_known(&known[i], &bare_exit))
		i++;
	if (i < FRAME_KNOWN && ticks == (int32_t)ticks && exit->cost >> FRAME_COST_BITS == 0) {
		repeats.items[repeat_count++] =
			(struct frame_repeat){(int32_t)ticks, i << FRAME_COST_BITS | exit->cost};
		if (repeat_count == FRAME_REPEATS_MAX)
			send_repeats();
		return;
	}
	send_repeats();
	known[known_next++ % FRAME_KNOWN] = bare_exit;
	send_line(&exit->record);
}

static void send_record(const struct record *record)
{
	if (record->type == RECORD_EXIT) {
		send_exit((const struct record_exit *)record);
		return;
	}
	send_repeats();
	send_line(record);
	if (record->type == RECORD_BATCH) {
		memset(known, 0, sizeof(known));
		known_next = 0;
	}
}

static uint8_t *room(void)
{
	return (uint8_t *)(bare.base + bare.plan->log);
}

void log_flush(void)
{
	for (uint64_t at = 0; at < used; at += ((const struct record *)(room() + at))->size)
		send_record((const struct record *)(room() + at));
	send_repeats();
	used = 0;
}

void log_record(const struct relay_vcpu *vcpu, const void *record)
{
	const struct record *header = record;
	const uint16_t size = header->size;
	struct record *copy;

	/* Of random programs there are too many to send them all. */
	if (header->type == RECORD_EXIT && (bare_vcpu_of(vcpu)->exits[header->level]++, bare.plan->programs))
		return;
	if (used + size > BARE_LOG_SIZE)
		log_flush();
	copy = memcpy(room() + used, record, size);
	used += size;
	if (!vcpu)
		return;
	copy->vm = (uint8_t)bare_guest_number(vcpu);
	copy->vcpu = (uint8_t)bare_index(vcpu);
}

void log_begin(void)
{
	const uint8_t *records = bare_part(bare.plan, bare.plan->records);

	for (uint64_t at = 0; at < bare.plan->records_size; at += ((const struct record *)(records + at))->size)
		send_record((const struct record *)(records + at));
}

void log_meta(const char *key, const char *value)
{
	struct {
		struct record record;
		char text[META_TEXT_MAX];
	} meta = {.record = {.type = RECORD_META}};
	unsigned length = 0;

	for (const char *from[] = {key, value, NULL}, **text = from; *text; text++) {
		for (const char *c = *text; *c && length + 2 < META_TEXT_MAX; c++)
			meta.text[length++] = *c;
		meta.text[length++] = '\0';
	}
	meta.record.size = (uint16_t)((sizeof(meta.record) + length + 7) & ~7u);
	log_record(NULL, &meta);
}

void log_drain(struct relay_vcpu *vcpu, unsigned but)
{
	for (; vcpu->head - vcpu->tail > but; vcpu->tail++) {
		const struct relay_record *from =
			(const struct relay_record *)vcpu->ring + vcpu->tail % RELAY_RING_RECORDS;
		const struct record_exit record = {
			.record = {.type = RECORD_EXIT, .size = sizeof(record), .level = LEVEL_MONITOR},
			.time = from->time,
			.rip = from->rip,
			.qualification = from->qualification,
			.operation = from->operation <= bare.plan->operation_count ? from->operation : 0,
			.cost = from->cost,
			.reason = (uint16_t)from->reason,
			.view = from->view,
			.service = from->service,
		};

		log_record(vcpu, &record);
		/* Not by what the guest does: whoever counts its exits leaves this one out. */
		if (from->operation == RELAY_OPERATION_TAKEN)
			bare_vcpu_of(vcpu)->exits[LEVEL_MONITOR]--;
	}
}
