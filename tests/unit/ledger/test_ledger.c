/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/patience.h"
#include "vmm/ledger/ledger.h"

static char directory[] = "/tmp/sidestep-ledger-XXXXXX";
static char path[64], nowhere[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/ledger", directory);
	snprintf(nowhere, sizeof(nowhere), "%s/none/ledger", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static struct record_exit exit_record(uint64_t number)
{
	return (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(struct record_exit)},
		.time = number,
		.rip = ~number,
		.qualification = number * 3,
	};
}

static void create(struct ledger *ledger)
{
	struct error error = {0};

	assert_int_equal(ledger_create(ledger, path, 2400000, &error), 0);
	assert_string_equal(error.text, "");
}

static void open_ledger(struct ledger_reader *reader)
{
	struct error error = {0};

	assert_int_equal(ledger_open(reader, path, &error), 0);
}

/* Records of very different sizes, over several blocks; the reader gets each of them in order. */
static void across_blocks(void **state)
{
	enum { RECORDS = 20000 };
	struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)}};
	struct record_end end = {.record = {.type = RECORD_END, .size = sizeof(end)}};
	struct ledger_reader reader;
	const struct record *record;
	struct ledger ledger;

	(void)state;
	create(&ledger);
	for (unsigned i = 0; i < RECORDS; i++) {
		struct record_exit exit = exit_record(i);

		result.result.count = i;
		end.status = (int32_t)i;
		ledger_append(&ledger, i % 7 == 3   ? &result.record
				       : i % 5 == 1 ? &end.record
						    : &exit.record);
	}
	assert_int_equal(ledger.header->lost, 0);
	assert_true(ledger.header->used > 4 * LEDGER_BLOCK);
	ledger_close(&ledger);
	open_ledger(&reader);
	assert_int_equal(reader.header.tsc_khz, 2400000);
	for (unsigned i = 0; i < RECORDS; i++) {
		record = ledger_next(&reader);
		assert_non_null(record);
		if (i % 7 == 3) {
			assert_int_equal(record->type, RECORD_RESULT);
			assert_int_equal(((const struct record_result *)record)->result.count, i);
		} else if (i % 5 == 1) {
			assert_int_equal(record->type, RECORD_END);
			assert_int_equal(((const struct record_end *)record)->status, i);
		} else {
			struct record_exit wanted = exit_record(i);

			assert_int_equal(record->size, sizeof(wanted));
			assert_memory_equal(record, &wanted, sizeof(wanted));
		}
	}
	assert_null(ledger_next(&reader));
	assert_null(ledger_next(&reader));
	assert_false(reader.damaged);
	assert_false(reader.truncated);
	ledger_reader_close(&reader);
}

/* Blocks that a record fills to the last byte, and that lack 8, 16, ... bytes for it. */
static void block_ends(void **state)
{
	(void)state;
	for (unsigned slack = 0; slack <= sizeof(struct record_exit) + 8; slack += 8) {
		static union {
			struct record record;
			uint8_t bytes[UINT16_MAX];
		} large;
		struct record_exit exit = exit_record(7);
		struct ledger_reader reader;
		const struct record *record;
		struct ledger ledger;
		uint64_t room = LEDGER_BLOCK - slack;
		unsigned before = 0;

		create(&ledger);
		while (room > 0) {
			uint64_t size = room > 65528 ? 32768 : room;

			large.record = (struct record){.type = RECORD_META, .size = (uint16_t)size};
			ledger_append(&ledger, &large.record);
			room -= size;
			before++;
		}
		assert_int_equal(ledger.header->used, LEDGER_BLOCK - slack);
		ledger_append(&ledger, &exit.record);
		ledger_append(&ledger, &exit.record);
		ledger_close(&ledger);
		open_ledger(&reader);
		for (unsigned i = 0; i < before; i++) {
			record = ledger_next(&reader);
			assert_non_null(record);
			assert_int_equal(record->type, RECORD_META);
		}
		for (unsigned i = 0; i < 2; i++) {
			record = ledger_next(&reader);
			assert_non_null(record);
			assert_memory_equal(record, &exit, sizeof(exit));
		}
		assert_null(ledger_next(&reader));
		assert_false(reader.damaged);
		ledger_reader_close(&reader);
	}
}

static void properties(void **state)
{
	char long_text[3000];
	const struct record_meta *meta;
	struct ledger_reader reader;
	struct ledger ledger;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	create(&ledger);
	ledger_append_meta(&ledger, "engine", "flat");
	ledger_append_meta(&ledger, "empty", "");
	for (size_t length = 0; length < 32; length++)
		ledger_append_meta(&ledger, "key", long_text + sizeof(long_text) - 1 - length);
	ledger_append_meta(&ledger, "long", long_text);
	ledger_close(&ledger);
	open_ledger(&reader);
	meta = (const void *)ledger_next(&reader);
	assert_non_null(meta);
	assert_string_equal(meta->text, "engine");
	assert_string_equal(meta->text + sizeof("engine"), "flat");
	meta = (const void *)ledger_next(&reader);
	assert_non_null(meta);
	assert_string_equal(meta->text + sizeof("empty"), "");
	for (size_t length = 0; length < 32; length++) {
		meta = (const void *)ledger_next(&reader);
		assert_non_null(meta);
		assert_int_equal(meta->record.size % 8, 0);
		assert_int_equal(strlen(meta->text + sizeof("key")), length);
	}
	meta = (const void *)ledger_next(&reader);
	assert_non_null(meta);
	assert_true(strnlen(meta->text + sizeof("long"), 1000) < 1000);
	assert_memory_equal(meta->text + sizeof("long"), long_text, 990);
	assert_null(ledger_next(&reader));
	ledger_reader_close(&reader);
}

/* Once the limit is reached records are counted as lost, and what is there stays readable. */
static void limit(void **state)
{
	enum { RECORDS = 30000 };
	struct ledger_reader reader;
	struct ledger ledger;
	uint64_t lost, kept = 0;

	(void)state;
	create(&ledger);
	ledger.limit = 3 * LEDGER_BLOCK;
	for (unsigned i = 0; i < RECORDS; i++) {
		struct record_exit exit = exit_record(i);

		ledger_append(&ledger, &exit.record);
	}
	lost = ledger.header->lost;
	assert_true(lost > 0);
	assert_true(ledger.header->used <= ledger.limit);
	ledger_close(&ledger);
	open_ledger(&reader);
	assert_int_equal(reader.header.lost, lost);
	for (const struct record *record; (record = ledger_next(&reader)) != NULL; kept++)
		assert_int_equal(((const struct record_exit *)record)->time, kept);
	assert_int_equal(kept + lost, RECORDS);
	assert_false(reader.damaged);
	ledger_reader_close(&reader);
}

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

static void no_place(void **state)
{
	struct error error = {0};
	struct ledger ledger = {.fd = -1};

	(void)state;
	assert_true(ledger_create(&ledger, nowhere, 0, &error) < 0);
	assert_int_equal(error.status, STATUS_USAGE);
	error = (struct error){0};
	assert_true(ledger_create(&ledger, "/dev/full", 0, &error) < 0);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_non_null(strstr(error.text, "/dev/full: not a regular file"));
	error = (struct error){0};
	assert_true(ledger_create(&ledger, directory, 0, &error) < 0);
	ledger_close(NULL);
	ledger = (struct ledger){.fd = -1};
	ledger_close(&ledger);
}

/* Killed while it appends as fast as it can: every record that was published is whole. */
static void killed(void **state)
{
	(void)state;
	for (int run = 0; run < 10; run++) {
		struct timespec pause = {0, 3000000 + run * 4000000};
		volatile uint64_t *progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		struct ledger_reader reader;
		uint64_t count = 0;
		pid_t child;
		int status;

		assert_ptr_not_equal(progress, MAP_FAILED);
		unlink(path);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			struct ledger ledger;

			if (ledger_create(&ledger, path, 1, NULL) != 0)
				_exit(1);
			for (uint64_t i = 0;; i++) {
				struct record_exit exit = exit_record(i);

				ledger_append(&ledger, &exit.record);
				*progress = i + 1;
			}
		}
		while (*progress == 0 && waitpid(child, &status, WNOHANG) == 0)
			nanosleep(&(struct timespec){0, 100000}, NULL);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		open_ledger(&reader);
		for (const struct record *record; (record = ledger_next(&reader)) != NULL; count++) {
			struct record_exit wanted = exit_record(count);

			assert_memory_equal(record, &wanted, sizeof(wanted));
		}
		assert_false(reader.damaged);
		assert_false(reader.truncated);
		/* What the child knew to be appended is there. */
		assert_true(count + reader.header.lost >= *progress);
		assert_true(count + reader.header.lost <= *progress + 1);
		ledger_reader_close(&reader);
		munmap((void *)(uintptr_t)progress, 4096);
	}
}

/* Somebody cuts the file, to nothing or behind its first records: what is recorded from then on is lost and
 * counted, by other threads too, and nothing else happens. */
static void *append_one(void *ledger)
{
	struct record_exit exit = exit_record(1);

	ledger_append(ledger, &exit.record);
	return NULL;
}

static void cut_by_others(void **state)
{
	static const off_t sizes[] = {0, LEDGER_HEADER_SIZE, LEDGER_HEADER_SIZE + 5 * 4096};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct ledger ledger;
		struct stat status;
		pthread_t thread;

		create(&ledger);
		for (unsigned n = 0; n < 1000; n++)
			append_one(&ledger);
		assert_int_equal(ledger.lost, 0);
		assert_int_equal(truncate(path, sizes[i]), 0);
		append_one(&ledger);
		assert_int_equal(ledger.error, -EIO);
		append_one(&ledger);
		assert_int_equal(pthread_create(&thread, NULL, append_one, &ledger), 0);
		pthread_join(thread, NULL);
		ledger_end(&ledger);
		append_one(&ledger);
		assert_int_equal(ledger.lost, 4);
		ledger_close(&ledger);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_size, sizes[i]);
	}
}

/* A bus error of anything else still ends the process. */
static void other_bus_errors(void **state)
{
	struct ledger ledger;
	int status;
	pid_t child;

	(void)state;
	create(&ledger);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd = memfd_create("empty", 0);
		volatile char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		alarm(10);
		*data = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	ledger_close(&ledger);
}

/* A second run would cut the file of the first one. */
static void in_use(void **state)
{
	struct ledger first, second;
	struct error error = {0};

	(void)state;
	create(&first);
	append_one(&first);
	assert_int_equal(ledger_create(&second, path, 1, &error), -EBUSY);
	assert_int_equal(second.fd, -1);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_non_null(strstr(error.text, "in use as a ledger by another process"));
	append_one(&first);
	assert_int_equal(first.lost, 0);
	ledger_close(&first);
	create(&second);
	ledger_close(&second);
}

/* Somebody reads while it is written: what is published is whole. */
static void *append_until_told(void *argument)
{
	struct ledger *ledger = argument;

	for (uint64_t i = 0; i < 400000; i++) {
		struct record_exit exit = exit_record(i + 1);

		ledger_append(ledger, &exit.record);
	}
	return NULL;
}

static void published(void **state)
{
	struct ledger ledger;
	pthread_t writer;
	uint64_t seen = 0;
	int fd;

	(void)state;
	create(&ledger);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pthread_create(&writer, NULL, append_until_told, &ledger), 0);
	while (seen < 400000) {
		uint64_t used = __atomic_load_n(&ledger.header->used, __ATOMIC_ACQUIRE);
		struct record_exit record, wanted;

		/* Padding at the end of a block is published with the next record. */
		if (used < sizeof(record) || used % LEDGER_BLOCK == 0)
			continue;
		assert_int_equal(pread(fd, &record, sizeof(record),
				       (off_t)(LEDGER_HEADER_SIZE + used - sizeof(record))),
				 sizeof(record));
		wanted = exit_record(record.time);
		assert_memory_equal(&record, &wanted, sizeof(record));
		assert_true(record.time >= seen && record.time != 0);
		seen = record.time;
	}
	pthread_join(writer, NULL);
	close(fd);
	ledger_close(&ledger);
}

/* Several vCPU threads append to one ledger. */
static void *append_many(void *argument)
{
	struct ledger *ledger = argument;
	static _Atomic unsigned next_vcpu;
	uint8_t vcpu = (uint8_t)next_vcpu++;

	for (uint64_t i = 0; i < 20000; i++) {
		struct record_exit exit = exit_record(i);

		exit.record.vcpu = vcpu;
		ledger_append(ledger, &exit.record);
	}
	return NULL;
}

static void threads(void **state)
{
	uint64_t next[4] = {0};
	struct ledger_reader reader;
	struct ledger ledger;
	pthread_t ids[4];

	(void)state;
	create(&ledger);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(pthread_create(&ids[i], NULL, append_many, &ledger), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		pthread_join(ids[i], NULL);
	ledger_close(&ledger);
	open_ledger(&reader);
	for (const struct record *record; (record = ledger_next(&reader)) != NULL;) {
		assert_true(record->vcpu < ARRAY_SIZE(next));
		assert_int_equal(((const struct record_exit *)record)->time, next[record->vcpu]++);
	}
	for (size_t i = 0; i < ARRAY_SIZE(next); i++)
		assert_int_equal(next[i], 20000);
	ledger_reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(across_blocks), cmocka_unit_test(block_ends),
		cmocka_unit_test(properties),    cmocka_unit_test(limit),
		cmocka_unit_test(truncated),     cmocka_unit_test(bit_flips),
		cmocka_unit_test(random_contents), cmocka_unit_test(foreign),
		cmocka_unit_test(no_place),      cmocka_unit_test(cut_by_others),
		cmocka_unit_test(in_use),        cmocka_unit_test(other_bus_errors),
		cmocka_unit_test(killed),
		cmocka_unit_test(threads),       cmocka_unit_test(published),
		cmocka_unit_test(odd_end),       cmocka_unit_test(behind_damage),
		cmocka_unit_test(behind_a_hole),
		cmocka_unit_test(unknown_types), cmocka_unit_test(other_versions),
		cmocka_unit_test(header_flips),
	};

	return cmocka_run_group_tests_name("ledger", tests, make_directory, remove_directory);
}
