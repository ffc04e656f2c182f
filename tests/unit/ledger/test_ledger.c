/* SPDX-License-Identifier: GPL-2.0-only */
/* A ledger as it is written, by one and by several, and by a run that is killed. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/patience.h"
#include "tests/unit/ledger/ledger_fixture.h"

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
		struct ledger ledger, other;
		struct error error = {0};
		struct stat status;
		pthread_t thread;

		create(&ledger);
		assert_int_equal(ledger_create_scratch(&other, &error), 0);
		for (unsigned n = 0; n < 1000; n++)
			append_one(&ledger);
		assert_int_equal(ledger.lost, 0);
		/* Two threads may find out at once: another one already has. */
		assert_int_equal(ftruncate(other.fd, sizes[i]), 0);
		assert_int_equal(pthread_create(&thread, NULL, append_one, &other), 0);
		pthread_join(thread, NULL);
		assert_int_equal(other.lost, sizes[i] <= LEDGER_HEADER_SIZE);
		ledger_close(&other);
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

static uint64_t append_up_to(struct ledger *ledger, uint64_t number, uint64_t used)
{
	while (ledger->used < used) {
		struct record_exit exit = exit_record(number++);

		ledger_append(ledger, &exit.record);
	}
	return number;
}

/* How many pages of a block can be stored to without a fault: bit 63 of what /proc/self/pagemap has of each. */
static unsigned present(const uint8_t *block)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned count = 0;
	uint64_t entry;

	assert_true(fd >= 0);
	for (const uint8_t *page = block; page < block + LEDGER_BLOCK; page += 4096) {
		assert_int_equal(pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / 4096 * 8)), 8);
		count += (unsigned)(entry >> 63);
	}
	close(fd);
	return count;
}

/* Each filled block is told of once, and has another one taken, whose pages are there before they are stored to. */
static void ahead(void **state)
{
	struct ledger ledger;
	eventfd_t told;
	uint64_t next;

	(void)state;
	create(&ledger);
	ledger.wake_fd = eventfd(0, EFD_NONBLOCK);
	next = append_up_to(&ledger, 0, LEDGER_BLOCK - 4096);
	ledger_ahead(&ledger);
	assert_int_equal(ledger.room, LEDGER_BLOCK);
	assert_int_not_equal(eventfd_read(ledger.wake_fd, &told), 0);
	append_up_to(&ledger, next, LEDGER_BLOCK + 4096);
	assert_int_equal(eventfd_read(ledger.wake_fd, &told), 0);
	assert_int_equal(told, 1);
	assert_int_equal(ledger.room, 2 * LEDGER_BLOCK);
	for (unsigned i = 0; i < 3; i++) {
		ledger_ahead(&ledger);
		assert_int_equal(ledger.room, 3 * LEDGER_BLOCK);
	}
	if (madvise(ledger.header, 4096, MADV_POPULATE_WRITE) == 0)
		assert_int_equal(present(ledger.records + 2 * LEDGER_BLOCK), LEDGER_BLOCK / 4096);
	close(ledger.wake_fd);
	ledger_close(&ledger);
}

static atomic_bool written;

static void *stay_ahead(void *argument)
{
	struct ledger *ledger = argument;

	while (!written)
		ledger_ahead(ledger);
	return NULL;
}

/* Whoever takes room first, the other one sees it. */
static void ahead_of_a_writer(void **state)
{
	enum { RECORDS = 60000 };
	struct ledger_reader reader;
	const struct record *record;
	struct ledger ledger;
	pthread_t thread;

	(void)state;
	create(&ledger);
	ledger.wake_fd = eventfd(0, EFD_NONBLOCK);
	written = false;
	assert_int_equal(pthread_create(&thread, NULL, stay_ahead, &ledger), 0);
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct record_exit exit = exit_record(i);

		ledger_append(&ledger, &exit.record);
	}
	written = true;
	pthread_join(thread, NULL);
	close(ledger.wake_fd);
	ledger_close(&ledger);
	open_ledger(&reader);
	for (uint64_t i = 0; i < RECORDS; i++) {
		record = ledger_next(&reader);
		assert_non_null(record);
		assert_int_equal(((const struct record_exit *)record)->time, i);
	}
	assert_null(ledger_next(&reader));
	assert_false(reader.damaged);
	ledger_reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(across_blocks), cmocka_unit_test(block_ends),
		cmocka_unit_test(properties),    cmocka_unit_test(limit),
		cmocka_unit_test(no_place),      cmocka_unit_test(cut_by_others),
		cmocka_unit_test(in_use),        cmocka_unit_test(other_bus_errors),
		cmocka_unit_test(killed),
		cmocka_unit_test(threads),       cmocka_unit_test(published),
		cmocka_unit_test(ahead),         cmocka_unit_test(ahead_of_a_writer),
	};

	return cmocka_run_group_tests_name("ledger", tests, make_directory, remove_directory);
}
