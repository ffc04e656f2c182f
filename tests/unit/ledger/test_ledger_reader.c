/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are read: ledgers that were cut, changed or written by another version, and what is none. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/patience.h"
#include "tests/unit/ledger/ledger_fixture.h"
#include "vmm/base/written.h"

/* Blocks of any file system and large pages, from the start of one to the start of another. */
#define SPARSE_STRIDE (UINT64_C(1) << 23)

/* A small ledger with one record of each type, as bytes. */
static uint8_t *small(size_t *ret_size, unsigned *ret_records)
{
	struct record_operation operation = {
		.record = {.type = RECORD_OPERATION, .size = sizeof(operation)},
		.number = 1, .name = "op"};
	struct record_exit exit = exit_record(1);
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}};
	struct record_violation violation = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(violation)}};
	struct record_end end = {.record = {.type = RECORD_END, .size = sizeof(end)}};
	const struct record *records[] = {&operation.record, &exit.record, &batch.record,
					  &violation.record, &end.record};
	struct ledger ledger;
	struct stat status;
	uint8_t *data;
	int fd;

	create(&ledger);
	ledger_append_meta(&ledger, "engine", "flat");
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		ledger_append(&ledger, records[i]);
	ledger_close(&ledger);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	data = malloc((size_t)status.st_size);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)status.st_size), status.st_size);
	close(fd);
	*ret_size = (size_t)status.st_size;
	*ret_records = 1 + (unsigned)ARRAY_SIZE(records);
	return data;
}

/* Reads from a copy of exactly that size; returns how many records there were, or -1. */
static int count_records(const uint8_t *data, size_t size, bool *ret_flagged)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct ledger_reader reader;
	struct error error = {0};
	int count = 0;

	assert_non_null(copy);
	memcpy(copy, data, size);
	*ret_flagged = false;
	if (ledger_open_memory(&reader, copy, size, "the-ledger", &error) != 0) {
		assert_int_equal(error.status, STATUS_USAGE);
		assert_ptr_equal(strstr(error.text, "the-ledger: "), error.text);
		free(copy);
		return -1;
	}
	for (const struct record *record; (record = ledger_next(&reader)) != NULL; count++) {
		volatile uint8_t sink = 0;

		assert_true(record->size >= sizeof(*record));
		assert_true((const uint8_t *)record + record->size <= reader.data + size);
		for (size_t i = 0; i < record->size; i++)
			sink = (uint8_t)(sink + ((const uint8_t *)record)[i]);
	}
	*ret_flagged = reader.damaged || reader.truncated || reader.version || reader.unknown;
	ledger_reader_close(&reader);
	free(copy);
	return count;
}

/* Cut anywhere: the complete records before the cut are there, and the cut is noticed. */
static void truncated(void **state)
{
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);
	int last = 0;

	(void)state;
	for (size_t cut = 0; cut <= size; cut++) {
		bool flagged;
		int count = count_records(data, cut, &flagged);

		if (cut < sizeof(struct ledger_header)) {
			assert_int_equal(count, -1);
			continue;
		}
		assert_true(count >= last);
		last = count;
		assert_int_equal(flagged, cut < size);
	}
	assert_int_equal(last, records);
	free(data);
}

/* Every bit of the file flipped: no crash, no endless reading, no byte read from outside. */
static void bit_flips(void **state)
{
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);

	(void)state;
	for (size_t at = 0; at < size; at++) {
		if (at >= sizeof(struct ledger_header) && at < LEDGER_HEADER_SIZE)
			continue;
		for (unsigned bit = 0; bit < 8; bit++) {
			bool flagged;

			data[at] ^= (uint8_t)(1u << bit);
			assert_true(count_records(data, size, &flagged) <= 64);
			data[at] ^= (uint8_t)(1u << bit);
		}
	}
	free(data);
}

/* What is left after the last record, but too little for one. */
static void odd_end(void **state)
{
	struct ledger_header header;
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);
	uint8_t *more = calloc(1, size + 8);
	bool flagged;

	(void)state;
	assert_non_null(more);
	memcpy(more, data, size);
	memcpy(&header, more, sizeof(header));
	header.used += 4;
	memcpy(more, &header, sizeof(header));
	assert_int_equal(count_records(more, size + 8, &flagged), records);
	assert_true(flagged);
	free(more);
	free(data);
}

static void random_contents(void **state)
{
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);

	(void)state;
	srand(1);
	for (int run = 0; run < 5000; run++) {
		bool flagged;

		for (int i = 0; i < 8; i++) {
			size_t at = LEDGER_HEADER_SIZE +
				    (size_t)rand() % (size - LEDGER_HEADER_SIZE);

			data[at] = (uint8_t)(rand() % 4 ? rand() % 9 : rand());
		}
		assert_true(count_records(data, size, &flagged) >= 0);
	}
	free(data);
}

/* Opens the bytes and reads to the end; the reader keeps what it found out. */
static unsigned read_all(struct ledger_reader *reader, const uint8_t *data, size_t size)
{
	struct error error = {0};
	unsigned count = 0;

	assert_int_equal(ledger_open_memory(reader, data, size, "x", &error), 0);
	while (ledger_next(reader))
		count++;
	return count;
}

/* Wherever a record of the middle is hit, those behind it are read, and the loss is told. */
static void behind_damage(void **state)
{
	struct ledger_reader reader;
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);

	(void)state;
	/* Of the head of a record only type and size decide whether it is one. */
	for (size_t at = LEDGER_HEADER_SIZE; at < size;) {
		struct record *record = (void *)(data + at);
		struct record kept = *record;
		bool flexible = kept.type == RECORD_META;

		record->type = RECORD_INVALID;
		assert_int_equal(read_all(&reader, data, size), records - 1);
		assert_true(reader.damaged);
		ledger_reader_close(&reader);
		*record = kept;
		record->size = (uint16_t)(kept.size + 8);
		assert_true(read_all(&reader, data, size) + (flexible ? 2 : 1) >= records);
		assert_true(reader.damaged);
		ledger_reader_close(&reader);
		*record = kept;
		record->size = 0;
		assert_int_equal(read_all(&reader, data, size), records - 1);
		assert_true(reader.damaged);
		ledger_reader_close(&reader);
		*record = kept;
		at += kept.size;
	}
	free(data);
}

/* A hole that has grown into the middle of a ledger, before each of the records: none behind it is lost. */
static void behind_a_hole(void **state)
{
	static const size_t sizes[] = {8, 4088, 4096, 4104, 3 * 4096 + 16};
	struct ledger_reader reader;
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);

	(void)state;
	for (size_t at = LEDGER_HEADER_SIZE; at < size; at += ((struct record *)(data + at))->size) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint8_t *holed = calloc(1, size + sizes[i]);

			assert_non_null(holed);
			memcpy(holed, data, at);
			memcpy(holed + at + sizes[i], data + at, size - at);
			((struct ledger_header *)holed)->used += sizes[i];
			assert_int_equal(read_all(&reader, holed, size + sizes[i]), records);
			assert_true(reader.damaged);
			ledger_reader_close(&reader);
			free(holed);
		}
	}
	free(data);
}

/* How many bytes of a mapping are in memory. */
static size_t resident(const uint8_t *data, size_t size)
{
	const size_t pages = (size + WRITTEN_PAGE - 1) / WRITTEN_PAGE;
	unsigned char *flags = calloc(1, pages);
	size_t count = 0;

	assert_non_null(flags);
	assert_int_equal(mincore((void *)(uintptr_t)data, size, flags), 0);
	for (size_t i = 0; i < pages; i++)
		count += flags[i] & 1;
	free(flags);
	return count * WRITTEN_PAGE;
}

/* Holes in a sparse file: the records between them are all there, and the holes take no memory. */
static void in_a_sparse_file(void **state)
{
	const struct record_exit exit = exit_record(5);
	const size_t groups = 12;
	struct ledger_header header = {.magic = LEDGER_MAGIC, .version = LEDGER_VERSION,
				       .header_size = LEDGER_HEADER_SIZE};
	struct ledger_reader reader;
	struct error error = {0};
	off_t at = SPARSE_STRIDE;
	size_t found = 0;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < groups; i++, at += (off_t)SPARSE_STRIDE)
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(pwrite(fd, &exit, sizeof(exit), at + (off_t)(j * sizeof(exit))), sizeof(exit));
	assert_int_equal(ftruncate(fd, at), 0);
	header.used = (uint64_t)at - LEDGER_HEADER_SIZE;
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	close(fd);
	assert_int_equal(ledger_open(&reader, path, &error), 0);
	while (ledger_next(&reader))
		found++;
	assert_int_equal(found, 3 * groups);
	assert_true(reader.damaged);
	assert_true(resident(reader.data, reader.size) < reader.size / 2);
	ledger_reader_close(&reader);
}

/* What a later program adds is stepped over and counted, many of them in a row too. */
static void unknown_types(void **state)
{
	struct ledger_reader reader;
	struct record_exit exit = exit_record(5);
	struct record later = {.type = RECORD_TYPE_COUNT + 3, .size = sizeof(later)};
	struct ledger ledger;
	struct error error = {0};

	(void)state;
	create(&ledger);
	ledger_append(&ledger, &exit.record);
	for (int i = 0; i < 100; i++)
		ledger_append(&ledger, &later);
	ledger_append(&ledger, &exit.record);
	ledger_append(&ledger, &later);
	ledger_close(&ledger);
	assert_int_equal(ledger_open(&reader, path, &error), 0);
	for (int run = 0; run < 2; run++) {
		assert_non_null(ledger_next(&reader));
		assert_non_null(ledger_next(&reader));
		assert_null(ledger_next(&reader));
		assert_int_equal(reader.unknown, 101);
		assert_false(reader.damaged);
		ledger_rewind(&reader);
	}
	ledger_reader_close(&reader);
}

/* Another version may have larger records and a larger header; this one's have one size. */
static void other_versions(void **state)
{
	struct {
		struct ledger_header header;
		uint64_t more;
		struct record_exit exit;
		uint64_t added;
	} later = {
		.header = {.magic = LEDGER_MAGIC, .version = LEDGER_VERSION + 1,
			   .header_size = sizeof(later.header) + 8,
			   .used = sizeof(later.exit) + 8},
		.exit = exit_record(9),
	};
	struct ledger_reader reader;

	(void)state;
	later.exit.record.size = sizeof(later.exit) + 8;
	assert_int_equal(read_all(&reader, (const void *)&later, sizeof(later)), 1);
	assert_true(reader.version);
	assert_false(reader.damaged);
	ledger_reader_close(&reader);
	later.header.version = LEDGER_VERSION;
	assert_int_equal(read_all(&reader, (const void *)&later, sizeof(later)), 0);
	assert_true(reader.damaged);
	ledger_reader_close(&reader);
}

/* One wrong bit in the header, wherever it is, costs no record but those that `used` leaves out. */
static void header_flips(void **state)
{
	struct ledger_reader reader;
	unsigned records;
	size_t size;
	uint8_t *data = small(&size, &records);

	(void)state;
	for (size_t bit = 0; bit < 8 * offsetof(struct ledger_header, tsc_khz); bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(read_all(&reader, data, size), records);
		assert_true(reader.damaged || reader.version);
		ledger_reader_close(&reader);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(data);
}

static void refused(uint8_t *data, size_t size, const char *fragment)
{
	struct ledger_reader reader;
	struct error error = {0};

	assert_int_equal(ledger_open_memory(&reader, data, size, "x", &error), -EINVAL);
	assert_int_equal(error.status, STATUS_USAGE);
	if (!strstr(error.text, fragment))
		fail_msg("'%s' does not say '%s'", error.text, fragment);
	assert_null(reader.data);
	ledger_reader_close(&reader);
}

static void foreign(void **state)
{
	struct ledger_header header = {.magic = LEDGER_MAGIC, .version = LEDGER_VERSION,
				       .header_size = LEDGER_HEADER_SIZE};
	static uint8_t zeros[2 * LEDGER_HEADER_SIZE], data[2 * LEDGER_HEADER_SIZE];
	struct ledger_reader reader;
	struct error error = {0};

	(void)state;
	refused(zeros, 0, "too short");
	refused(zeros, sizeof(header) - 1, "too short");
	refused(zeros, sizeof(zeros), "not a ledger");
	memset(data, '\n', sizeof(data));
	refused(data, sizeof(data), "not a ledger");
	/* Three wrong bits are too many for a damaged one. */
	memset(data, 0, sizeof(data));
	header.magic ^= 0x8000400002;
	memcpy(data, &header, sizeof(header));
	refused(data, sizeof(data), "not a ledger");
	assert_int_equal(ledger_open(&reader, nowhere, &error), -ENOENT);
	error = (struct error){0};
	assert_int_equal(ledger_open(&reader, directory, &error), -EINVAL);
	error = (struct error){0};
	assert_int_equal(ledger_open(&reader, "/dev/zero", &error), -EINVAL);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(patient(5));
	error = (struct error){0};
	assert_int_equal(ledger_open(&reader, path, &error), -EINVAL);
	alarm(0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated),       cmocka_unit_test(bit_flips),
		cmocka_unit_test(odd_end),         cmocka_unit_test(random_contents),
		cmocka_unit_test(behind_damage),   cmocka_unit_test(behind_a_hole),
		cmocka_unit_test(in_a_sparse_file),
		cmocka_unit_test(unknown_types),   cmocka_unit_test(other_versions),
		cmocka_unit_test(header_flips),    cmocka_unit_test(foreign),
	};

	return cmocka_run_group_tests_name("ledger_reader", tests, make_directory, remove_directory);
}
