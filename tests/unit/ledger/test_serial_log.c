/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/ledger/frame.h"
#include "vmm/ledger/ledger.h"
#include "vmm/ledger/serial_log.h"

#define AROUND (FRAME_SEQUENCE_SIZE + FRAME_CHECK_SIZE)
#define RECORDS 6
#define LARGEST 65528

/* What goes over the line, and the records that shall come out. */
struct wire {
	char *text;
	size_t size;
	uint8_t *records;
	size_t used;
	uint32_t next;
	/* Of the last line: its prefix, what is behind that, and where it ends. */
	size_t line, frame, end;
};

static void add(struct wire *wire, const char *text)
{
	size_t size = strlen(text);

	wire->text = realloc(wire->text, wire->size + size);
	assert_non_null(wire->text);
	memcpy(wire->text + wire->size, text, size);
	wire->size += size;
}

/* A line of any bytes and no end; the check is right, and what fills the last group is given. */
static void add_frame(struct wire *wire, uint32_t sequence, const void *record, size_t size, uint8_t filler)
{
	size_t whole = (AROUND + size + 2) / 3 * 3;
	uint8_t *bytes = malloc(whole);
	char *text = calloc(1, whole / 3 * 4 + 1);
	uint32_t check;

	assert_non_null(bytes);
	assert_non_null(text);
	memset(bytes, filler, whole);
	memcpy(bytes, &sequence, sizeof(sequence));
	memcpy(bytes + FRAME_SEQUENCE_SIZE, record, size);
	check = frame_check(0, bytes, (uint32_t)(FRAME_SEQUENCE_SIZE + size));
	memcpy(bytes + FRAME_SEQUENCE_SIZE + size, &check, sizeof(check));
	wire->line = wire->size;
	add(wire, FRAME_PREFIX);
	wire->frame = wire->size;
	for (size_t i = 0; i < whole / 3; i++)
		frame_encode(bytes + 3 * i, text + 4 * i);
	add(wire, text);
	wire->end = wire->size;
	free(text);
	free(bytes);
}

/* Nothing is due of what came before. */
static void forget(struct wire *wire)
{
	wire->used = 0;
	wire->next = 0;
}

static void send(struct wire *wire, const struct record *record, const char *line_end)
{
	add_frame(wire, wire->next++, record, record->size, 0);
	add(wire, line_end);
	wire->records = realloc(wire->records, wire->used + record->size);
	assert_non_null(wire->records);
	memcpy(wire->records + wire->used, record, record->size);
	wire->used += record->size;
}

/* Records of sizes that leave one, two and no bytes to fill, one after another. */
static void send_number(struct wire *wire, unsigned number, const char *line_end)
{
	union {
		struct record record;
		struct record_interrupt interrupt;
		struct record_exit exit;
		struct record_pin pin;
		uint8_t bytes[64];
	} any;

	memset(&any, (int)(0x51 * number + 0x8f), sizeof(any));
	switch (number % 3) {
	case 0:
		any.record = (struct record){.type = RECORD_INTERRUPT, .size = sizeof(any.interrupt)};
		break;
	case 1:
		any.record = (struct record){.type = RECORD_EXIT, .size = sizeof(any.exit)};
		break;
	default:
		any.record = (struct record){.type = RECORD_PIN, .size = sizeof(any.pin)};
	}
	send(wire, &any.record, line_end);
}

static void send_run(struct wire *wire)
{
	forget(wire);
	for (unsigned i = 0; i < RECORDS; i++)
		send_number(wire, i, "\n");
}

static void finish(struct wire *wire)
{
	free(wire->text);
	free(wire->records);
	*wire = (struct wire){0};
}

/* From a copy of exactly that size, so that a sanitizer sees what is read beyond. */
static struct serial_log decode_bytes(const char *text, size_t size)
{
	static const uint8_t zeros[LEDGER_HEADER_SIZE - sizeof(struct ledger_header)];
	char *copy = malloc(size ? size : 1);
	struct ledger_header header;
	struct serial_log log;

	assert_non_null(copy);
	if (size)
		memcpy(copy, text, size);
	assert_int_equal(serial_log_decode(copy, size, &log), 0);
	free(copy);
	assert_true(log.size <= LEDGER_HEADER_SIZE + size);
	memcpy(&header, log.data, sizeof(header));
	assert_true(header.magic == LEDGER_MAGIC);
	assert_int_equal(header.version, LEDGER_VERSION);
	assert_int_equal(header.header_size, LEDGER_HEADER_SIZE);
	assert_int_equal(header.tsc_khz, 0);
	assert_int_equal(header.used, log.size - LEDGER_HEADER_SIZE);
	assert_int_equal(header.lost, 0);
	assert_memory_equal(log.data + sizeof(header), zeros, sizeof(zeros));
	return log;
}

static void expect_flags(const struct serial_log *log, uint64_t damaged, uint64_t missing, bool cut)
{
	assert_int_equal(log->damaged, damaged);
	assert_int_equal(log->missing, missing);
	assert_int_equal(log->cut, cut);
}

/* All records that are due, and what is wrong. */
static void expect(const struct wire *wire, uint64_t damaged, uint64_t missing, bool cut)
{
	struct serial_log log = decode_bytes(wire->text, wire->size);

	assert_int_equal(log.size - LEDGER_HEADER_SIZE, wire->used);
	if (wire->used)
		assert_memory_equal(log.data + LEDGER_HEADER_SIZE, wire->records, wire->used);
	expect_flags(&log, damaged, missing, cut);
	free(log.data);
}

static void text_around(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", "\r\r\n"};
	struct wire wire = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		add(&wire, "SeaBIOS (version 1.16)\r\n\r\nBooting: 0123ABCD\n@ @s @ss @SS:0000\n");
		for (unsigned n = 0; n < 3 * RECORDS; n++) {
			/* Text without an end, and with one. */
			if (n % 3 == 1)
				add(&wire, n % 2 ? "hello, @ss" : "12 > ");
			send_number(&wire, n, ends[i]);
			if (n % 4 == 2)
				add(&wire, "abc\n\n");
		}
		add(&wire, "the end\n");
		assert_true(serial_log_is(wire.text, wire.size));
		expect(&wire, 0, 0, false);
		finish(&wire);
	}
}

static void sizes(void **state)
{
	struct record head = {.type = RECORD_META, .size = sizeof(head)};
	static union {
		struct record record;
		uint8_t bytes[LARGEST];
	} largest;
	struct wire wire = {0};

	(void)state;
	memset(&largest, 0xa5, sizeof(largest));
	largest.record = (struct record){.type = RECORD_META, .size = LARGEST};
	send(&wire, &head, "\n");
	send(&wire, &largest.record, "\n");
	send(&wire, &head, "\n");
	expect(&wire, 0, 0, false);
	finish(&wire);
}

/* The last run counts, whatever became of those before. */
static void runs(void **state)
{
	struct wire wire = {0};

	(void)state;
	send_run(&wire);
	send_run(&wire);
	add(&wire, FRAME_PREFIX "000*\nreset\n");
	forget(&wire);
	send_number(&wire, 1, "\n");
	send_number(&wire, 2, "\n");
	expect(&wire, 0, 0, false);
	/* The same with a gap before. */
	wire.next = 9;
	send_number(&wire, 0, "\n");
	expect(&wire, 0, 7, false);
	send_run(&wire);
	expect(&wire, 0, 0, false);
	/* A run of which the first two lines are lost. */
	forget(&wire);
	wire.next = 2;
	send_number(&wire, 2, "\n");
	send_number(&wire, 1, "\n");
	expect(&wire, 0, 2, false);
	finish(&wire);
}

/* A run that has one record, or none. */
static void empty_runs(void **state)
{
	struct record head = {.type = RECORD_PAD, .size = sizeof(head)};
	struct wire wire = {0};

	(void)state;
	expect(&wire, 0, 0, false);
	assert_false(serial_log_is("", 0));
	add(&wire, "booting\n" FRAME_PREFIX "0000");
	assert_true(serial_log_is(wire.text, wire.size));
	expect(&wire, 0, 0, true);
	add(&wire, "\n");
	expect(&wire, 1, 0, false);
	send(&wire, &head, "\n");
	expect(&wire, 0, 0, false);
	finish(&wire);
}

/* Every bit of a line wrong: its record is left out, and that is told. */
static void flips(void **state)
{
	(void)state;
	for (unsigned hit = 0; hit < RECORDS; hit++) {
		struct wire wire = {0};
		size_t line = 0, frame = 0, end = 0;

		for (unsigned i = 0; i < RECORDS; i++) {
			size_t used = wire.used;

			send_number(&wire, i, "\n");
			if (i != hit)
				continue;
			wire.used = used;
			line = wire.line;
			frame = wire.frame;
			end = wire.end;
		}
		for (size_t at = line; at <= end; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				wire.text[at] ^= (char)(1u << bit);
				expect(&wire, at >= frame, hit < RECORDS - 1, false);
				wire.text[at] ^= (char)(1u << bit);
			}
		}
		finish(&wire);
	}
}

/* Lines of which nothing came. */
static void lost_lines(void **state)
{
	struct wire wire = {0};

	(void)state;
	for (unsigned i = 0; i < RECORDS; i++) {
		send_number(&wire, i, "\n");
		wire.next += i;
	}
	expect(&wire, 0, 0 + 1 + 2 + 3 + 4, false);
	wire.next = UINT32_MAX;
	send_number(&wire, 0, "\n");
	expect(&wire, 0, UINT64_C(0x100000000) - (RECORDS + 1), false);
	/* No number follows that one. */
	forget(&wire);
	wire.next = 2;
	send_number(&wire, 1, "\n");
	expect(&wire, 0, 2, false);
	finish(&wire);
}

/* Two lines that lost what was between them: the second is one. */
static void run_together(void **state)
{
	struct wire wire = {0};

	(void)state;
	/* Whole groups, and some characters more that a frame may have. */
	for (unsigned more = 0; more < 4; more++) {
		send_number(&wire, 0, "\n");
		add_frame(&wire, wire.next++, wire.records, wire.used, 0);
		add(&wire, &"@@@@"[more]);
		send_number(&wire, 1, "\n");
		expect(&wire, 1, 1, false);
		finish(&wire);
	}
}

/* Frames whose check is right, and which are none all the same. */
static void wrong_frames(void **state)
{
	static const uint16_t wrong[] = {0, 4, 7, 9, 12, 16, 32, 65535};
	struct {
		struct record record;
		uint64_t more[2];
	} data = {.record = {.type = RECORD_META, .size = sizeof(data)}};
	struct wire wire = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		data.record.size = wrong[i];
		add_frame(&wire, 0, &data, sizeof(data), 0);
		add(&wire, "\n");
		expect(&wire, i + 1, 0, false);
	}
	/* The size is right for a record that would be too small, or odd. */
	for (uint16_t size = 4; size < 16; size++) {
		if (size == 8)
			continue;
		finish(&wire);
		data.record.size = size;
		add_frame(&wire, 0, &data, size, 0);
		add(&wire, "\n");
		expect(&wire, 1, 0, false);
	}
	finish(&wire);
	/* AROUND and this leave two bytes to fill. */
	data.record.size = sizeof(data.record);
	add_frame(&wire, 0, &data, sizeof(data.record), 1);
	add(&wire, "\n");
	expect(&wire, 1, 0, false);
	/* A group more than a record has, and one less. */
	finish(&wire);
	add_frame(&wire, 0, &data, sizeof(data.record), 0);
	add(&wire, "0000\n");
	expect(&wire, 1, 0, false);
	wire.size = wire.end - 4;
	add(&wire, "\n");
	expect(&wire, 1, 0, false);
	finish(&wire);
}

/* Cut at every byte: what came whole is there, and nothing is called damaged. */
static void cut(void **state)
{
	struct wire wire = {0};

	(void)state;
	add(&wire, "boot\n");
	for (unsigned i = 0; i < 4; i++) {
		size_t used = wire.used, all = wire.size, whole;

		send_number(&wire, i, "\r\n");
		whole = wire.used;
		for (size_t size = wire.size; size > all; size--) {
			struct wire part = wire;

			part.size = size;
			part.used = size >= wire.end ? whole : used;
			expect(&part, 0, 0, size >= wire.frame && size < wire.end);
		}
	}
	/* The end of the log is no excuse for too much. */
	wire.size = wire.end;
	for (unsigned i = 0; i < 5; i++) {
		add(&wire, "0");
		wire.used -= i ? 0 : sizeof(struct record_interrupt);
		expect(&wire, 1, 0, false);
	}
	finish(&wire);
}

/* Whatever is in a log, what comes out are records, from first to last. */
static void expect_records(const char *text, size_t size)
{
	struct serial_log log = decode_bytes(text, size);
	size_t at = LEDGER_HEADER_SIZE;

	while (at != log.size) {
		const struct record *record = (const void *)(log.data + at);

		assert_true(log.size - at >= sizeof(*record));
		assert_true(record->size >= sizeof(*record) && record->size % 8 == 0);
		assert_true(record->size <= log.size - at);
		at += record->size;
	}
	free(log.data);
}

static void garbage(void **state)
{
	enum { MANY = 1 << 18 };
	struct wire wire = {0};
	char *text = malloc(FRAME_PREFIX_SIZE * MANY);
	struct serial_log log;

	(void)state;
	assert_non_null(text);
	srand(1);
	for (unsigned i = 0; i < FRAME_PREFIX_SIZE * MANY; i++)
		text[i] = (char)rand();
	expect_records(text, FRAME_PREFIX_SIZE * MANY);
	/* A log that is one line: the time that this takes must not be that of a square. */
	for (unsigned i = 0; i < MANY; i++)
		memcpy(text + FRAME_PREFIX_SIZE * i, FRAME_PREFIX, FRAME_PREFIX_SIZE);
	assert_false(serial_log_is(text, FRAME_PREFIX_SIZE * MANY));
	log = decode_bytes(text, FRAME_PREFIX_SIZE * MANY);
	assert_int_equal(log.size, LEDGER_HEADER_SIZE);
	expect_flags(&log, MANY - 1, 0, true);
	free(log.data);
	free(text);
	for (unsigned i = 0; i < 4; i++)
		send_run(&wire);
	for (unsigned i = 0; i < 3000; i++) {
		size_t size = wire.size - (unsigned)rand() % 200;

		for (unsigned n = 0; n < 3; n++)
			wire.text[(size_t)rand() % wire.size] = (char)(rand() % 3 ? rand() % 64 + FRAME_FIRST : rand());
		expect_records(wire.text, size);
	}
	finish(&wire);
}

/* The prefix alone makes no log: it is in programs and in their sources. */
static void no_log(void **state)
{
	static const char elf[] = "\177ELF\0" FRAME_PREFIX "\0" FRAME_PREFIX "01",
			  source[] = "#define FRAME_PREFIX \"" FRAME_PREFIX "\"\n";
	static const char *const others[] = {"x", FRAME_PREFIX, FRAME_PREFIX "000", FRAME_PREFIX "000\n"};
	struct ledger_reader reader;
	struct error error = {0};
	struct wire wire = {0};

	(void)state;
	assert_false(serial_log_is(elf, sizeof(elf)));
	assert_false(serial_log_is(source, sizeof(source)));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(serial_log_is(others[i], strlen(others[i])));
	assert_int_equal(ledger_open_memory(&reader, source, 10, "x", &error), -EINVAL);
	assert_non_null(strstr(error.text, "x: too short for a ledger"));
	error = (struct error){0};
	assert_int_equal(ledger_open_memory(&reader, (const char[4096]){FRAME_PREFIX}, 4096, "x", &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "x: not a ledger"));
	/* Behind such a text there may be a log. */
	add(&wire, source);
	send_number(&wire, 0, "\n");
	assert_true(serial_log_is(wire.text, wire.size));
	expect(&wire, 0, 0, false);
	finish(&wire);
}

static void expect_read(struct ledger_reader *reader, const struct wire *wire, bool damaged, bool truncated)
{
	size_t used = 0;

	for (const struct record *record; (record = ledger_next(reader)) != NULL;) {
		assert_true(record->size <= wire->used - used);
		assert_memory_equal(record, wire->records + used, record->size);
		used += record->size;
	}
	assert_int_equal(used, wire->used);
	assert_int_equal(reader->damaged, damaged);
	assert_int_equal(reader->truncated, truncated);
	assert_false(reader->version);
	assert_int_equal(reader->unknown, 0);
	ledger_reader_close(reader);
	assert_null(reader->data);
}

static void expect_read_memory(const struct wire *wire, bool damaged, bool truncated)
{
	struct ledger_reader reader;
	struct error error = {0};

	assert_int_equal(ledger_open_memory(&reader, wire->text, wire->size, "x", &error), 0);
	expect_read(&reader, wire, damaged, truncated);
}

/* The reader takes a log for what is in it. */
static void reader(void **state)
{
	struct record head = {.type = RECORD_META, .size = sizeof(head)};
	char path[] = "/tmp/sidestep-serial-log-XXXXXX";
	int fd = mkstemp(path);
	struct ledger_reader from_file;
	struct error error = {0};
	struct wire wire = {0};

	(void)state;
	assert_true(fd >= 0);
	/* Shorter than the header of a ledger. */
	send(&wire, &head, "\n");
	assert_true(wire.size < sizeof(struct ledger_header));
	expect_read_memory(&wire, false, false);
	send_run(&wire);
	expect_read_memory(&wire, false, false);
	assert_int_equal(write(fd, wire.text, wire.size), wire.size);
	close(fd);
	assert_int_equal(ledger_open(&from_file, path, &error), 0);
	unlink(path);
	expect_read(&from_file, &wire, false, false);
	add(&wire, FRAME_PREFIX "0000");
	expect_read_memory(&wire, false, true);
	add(&wire, "*");
	expect_read_memory(&wire, true, false);
	send_run(&wire);
	wire.next++;
	send_number(&wire, 0, "\n");
	expect_read_memory(&wire, true, false);
	finish(&wire);
}

/* A ledger stays one, with a line in its text and a bit of its magic number wrong. */
static void line_in_ledger(void **state)
{
	union {
		struct ledger_header header;
		uint8_t bytes[LEDGER_HEADER_SIZE + 64];
	} file = {.header = {.magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .header_size = LEDGER_HEADER_SIZE,
			     .used = 64}};
	struct record_meta *meta = (void *)(file.bytes + LEDGER_HEADER_SIZE);
	struct wire wire = {0};

	(void)state;
	meta->record = (struct record){.type = RECORD_META, .size = 64};
	send_number(&wire, 0, "\n");
	memcpy(meta->text, wire.text, 48);
	finish(&wire);
	wire = (struct wire){.text = (char *)file.bytes, .size = sizeof(file), .records = (uint8_t *)meta, .used = 64};
	assert_true(serial_log_is(wire.text, wire.size));
	expect_read_memory(&wire, false, false);
	file.header.magic ^= 0x400;
	expect_read_memory(&wire, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_around),  cmocka_unit_test(sizes),        cmocka_unit_test(runs),
		cmocka_unit_test(empty_runs),   cmocka_unit_test(flips),        cmocka_unit_test(lost_lines),
		cmocka_unit_test(run_together), cmocka_unit_test(wrong_frames), cmocka_unit_test(cut),
		cmocka_unit_test(garbage),      cmocka_unit_test(no_log),       cmocka_unit_test(reader),
		cmocka_unit_test(line_in_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
