/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ledger where the file system has room for n bytes of it, for every n from 1 until there is enough: whatever it
 * could not have, it can be read, with the end of the run, and says how much is missing. Built with blocks of a
 * page, so that its life is short.
 */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/ledger/ledger.h"

#define EXITS 300
#define ENDS 3
#define LAST (ENDS * sizeof(struct record_end) + sizeof(struct record_pin))

static char directory[64], path[80], link_path[80];

/* The file system: how long files may get, what is said then, how much is taken at once, and how many calls are
 * interrupted first. */
static uint64_t room, at_once;
static int no_room;
static unsigned interrupted;
static bool cannot_cut, ended;

ssize_t __real_pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at);
int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __real_madvise(void *data, size_t size, int advice);
int __wrap_madvise(void *data, size_t size, int advice);

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at)
{
	assert_false(ended);
	if (interrupted > 0) {
		interrupted--;
		errno = EINTR;
		return -1;
	}
	if ((uint64_t)at >= room) {
		errno = no_room;
		return -1;
	}
	if (size > room - (uint64_t)at)
		size = room - (uint64_t)at;
	return __real_pwrite64(fd, data, size > at_once ? at_once : size, at);
}

int __wrap_ftruncate64(int fd, off_t size)
{
	errno = EIO;
	return cannot_cut ? -1 : __real_ftruncate64(fd, size);
}

int __wrap_madvise(void *data, size_t size, int advice)
{
	assert_false(ended);
	return __real_madvise(data, size, advice);
}

static int make_directory(void **state)
{
	(void)state;
	/* In memory, if there is such a place: tens of thousands of files come and go. */
	strcpy(directory, "/dev/shm/sidestep-ledger-XXXXXX");
	if (!mkdtemp(directory)) {
		strcpy(directory, "/tmp/sidestep-ledger-XXXXXX");
		if (!mkdtemp(directory))
			return -1;
	}
	snprintf(path, sizeof(path), "%s/ledger", directory);
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	unlink(link_path);
	return rmdir(directory);
}

static int all_well(void **state)
{
	(void)state;
	room = at_once = UINT64_MAX;
	no_room = ENOSPC;
	interrupted = 0;
	cannot_cut = ended = false;
	unlink(path);
	unlink(link_path);
	return 0;
}

static void append_exits(struct ledger *ledger)
{
	for (uint64_t i = 0; i < EXITS; i++) {
		const struct record_exit exit = {
			.record = {.type = RECORD_EXIT, .size = sizeof(exit)}, .time = i, .rip = ~i};

		ledger_append(ledger, &exit.record);
	}
}

/* The records that have to be there, whatever there is room for. */
static void append_last(struct ledger *ledger)
{
	const struct record_pin pin = {.record = {.type = RECORD_PIN, .size = sizeof(pin)}};

	ledger_end(ledger);
	ended = true;
	ledger_append(ledger, &pin.record);
	for (int32_t i = 0; i < ENDS; i++) {
		const struct record_end end = {
			.record = {.type = RECORD_END, .size = sizeof(end), .vm = (uint8_t)i}, .status = i};

		ledger_append(ledger, &end.record);
	}
}

/* Exits without a gap, then what is last. Returns how many exits there are. */
static uint64_t read_back(bool complete, uint64_t lost)
{
	const struct record *record;
	struct ledger_reader reader;
	struct error error = {0};
	uint64_t exits = 0;
	int32_t ends = 0;
	bool pin = false;

	assert_int_equal(ledger_open(&reader, path, &error), 0);
	assert_int_equal(reader.header.lost, lost);
	for (; (record = ledger_next(&reader)) != NULL && record->type == RECORD_EXIT; exits++)
		assert_int_equal(((const struct record_exit *)record)->time, exits);
	for (; record; record = ledger_next(&reader)) {
		if (record->type == RECORD_END)
			assert_int_equal(((const struct record_end *)record)->status, ends++);
		else
			assert_false(pin || record->type != RECORD_PIN);
		pin = true;
	}
	assert_int_equal(ends, complete ? ENDS : 0);
	assert_int_equal(pin, complete);
	assert_false(reader.truncated || reader.damaged || reader.version || reader.unknown);
	ledger_reader_close(&reader);
	return exits;
}

static void is_refused(const struct ledger *ledger, const struct error *error)
{
	assert_int_equal(ledger->fd, -1);
	assert_int_equal(error->status, STATUS_INTERNAL);
	assert_ptr_equal(strstr(error->text, path), error->text);
	assert_non_null(strstr(error->text, strerror(no_room)));
	assert_null(strchr(error->text, '\n'));
}

/* Returns how many exits were recorded, -1 if there is no ledger. */
static int64_t live(void)
{
	struct error error = {0};
	struct ledger ledger;
	uint64_t exits, lost;

	ended = false;
	if (ledger_create(&ledger, path, 1, &error) != 0) {
		is_refused(&ledger, &error);
		return -1;
	}
	ledger_reserve(&ledger, LAST);
	if (ledger.error != 0) {
		assert_int_equal(ledger_refuse(&ledger, &error), -no_room);
		is_refused(&ledger, &error);
		return -1;
	}
	append_exits(&ledger);
	lost = ledger.lost;
	/* As it were if the process were killed here. */
	exits = read_back(false, lost);
	assert_int_equal(exits + lost, EXITS);
	assert_int_equal(ledger.error, lost > 0 ? -no_room : 0);
	append_last(&ledger);
	assert_int_equal(ledger.lost, lost);
	ledger_close(&ledger);
	assert_int_equal(read_back(true, lost), exits);
	return (int64_t)exits;
}

/* More room never means fewer records. Returns the room that was enough. */
static uint64_t sweep(uint64_t step)
{
	int64_t best = -1, exits = -1;

	for (room = 1; exits < EXITS; room += step) {
		exits = live();
		assert_true(exits >= best);
		best = exits;
		if (exits < 0)
			assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(unlink(path), exits < 0 ? -1 : 0);
	}
	return room;
}

static void every_byte(void **state)
{
	(void)state;
	assert_in_range(sweep(1), LEDGER_HEADER_SIZE + EXITS * sizeof(struct record_exit) + LAST,
			LEDGER_HEADER_SIZE + EXITS * sizeof(struct record_exit) + LAST + 3 * LEDGER_BLOCK);
}

/* Whatever it is called, and however little is taken at once. */
static void every_errno(void **state)
{
	static const int numbers[] = {ENOSPC, EDQUOT, EFBIG, EIO, EROFS};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		all_well(state);
		no_room = numbers[i];
		at_once = 1000 + i;
		sweep(61);
	}
}

static void interruptions(void **state)
{
	(void)state;
	interrupted = 100;
	at_once = 777;
	assert_int_equal(live(), EXITS);
}

/* What cannot be cut is longer than it need be, no more. */
static void cut_fails(void **state)
{
	struct error error = {0};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_create(&ledger, path, 1, &error), 0);
	ledger_reserve(&ledger, LAST);
	append_exits(&ledger);
	append_last(&ledger);
	cannot_cut = true;
	ledger_close(&ledger);
	assert_int_equal(read_back(true, 0), EXITS);
}

/* The limit of a ledger keeps room for the end too. */
static void limit(void **state)
{
	struct error error = {0};
	struct ledger ledger;
	uint64_t lost;

	(void)state;
	assert_int_equal(ledger_create(&ledger, path, 1, &error), 0);
	ledger.limit = 2 * LEDGER_BLOCK;
	no_room = EFBIG;
	ledger_reserve(&ledger, LAST);
	append_exits(&ledger);
	assert_int_equal(ledger.error, -EFBIG);
	append_last(&ledger);
	assert_true(ledger.used <= ledger.limit);
	lost = ledger.lost;
	ledger_close(&ledger);
	assert_int_equal(read_back(true, lost) + lost, EXITS);
}

/* Fills a ledger whose file system has no more room, behind `first` bytes; so many pairs of a small and a large record
 * of the end fit then, whatever padding they need. */
static void fits_behind(uint16_t first, unsigned pairs)
{
	const struct record_exit small = {.record = {.type = RECORD_EXIT, .size = sizeof(small)}};
	const struct record_end end = {.record = {.type = RECORD_END, .size = sizeof(end)}};
	union {
		struct record record;
		uint8_t bytes[LEDGER_BLOCK];
	} filler = {.record = {.type = RECORD_META, .size = first}};
	struct error error = {0};
	struct ledger ledger;
	uint64_t lost;

	room = UINT64_MAX;
	ended = false;
	assert_int_equal(ledger_create(&ledger, path, 1, &error), 0);
	ledger_reserve(&ledger, pairs * (sizeof(small) + sizeof(end)));
	assert_int_equal(ledger.error, 0);
	room = 0;
	ledger_append(&ledger, &filler.record);
	append_exits(&ledger);
	lost = ledger.lost;
	ledger_end(&ledger);
	ended = true;
	for (unsigned i = 0; i < pairs; i++) {
		ledger_append(&ledger, &small.record);
		ledger_append(&ledger, &end.record);
	}
	assert_int_equal(ledger.lost, lost);
	assert_true(ledger.used <= ledger.room);
	ledger_close(&ledger);
}

/* Wherever the end begins in a block, up to all that may be reserved. */
static void reserved(void **state)
{
	(void)state;
	for (uint16_t first = 8; first < LEDGER_BLOCK; first += 40)
		for (unsigned pairs = 1; pairs <= LEDGER_RESERVE_MAX / 304; pairs++)
			fits_behind(first, pairs);
}

/* Neither a smaller record nor room that is there again comes behind a gap: only the end does. */
static void ends_once(void **state)
{
	const struct record small = {.type = RECORD_PAD, .size = sizeof(small)};
	struct error error = {0};
	struct ledger ledger;
	uint64_t lost, used;

	(void)state;
	assert_int_equal(ledger_create(&ledger, path, 1, &error), 0);
	ledger_reserve(&ledger, LAST);
	room = 0;
	append_exits(&ledger);
	lost = ledger.lost;
	used = ledger.used;
	assert_true(lost > 0);
	room = UINT64_MAX;
	ledger_append(&ledger, &small);
	append_exits(&ledger);
	assert_int_equal(ledger.lost, lost + 1 + EXITS);
	assert_int_equal(ledger.used, used);
	append_last(&ledger);
	ledger_close(&ledger);
	assert_int_equal(read_back(true, lost + 1 + EXITS) + lost, EXITS);
}

/* A name that was there stays: it may be a link that somebody has made. */
static void names_stay(void **state)
{
	struct error error = {0};
	struct ledger ledger;
	struct stat status;

	(void)state;
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(symlink(path, link_path), 0);
	room = LEDGER_HEADER_SIZE + 1;
	assert_true(ledger_create(&ledger, link_path, 1, &error) < 0);
	assert_int_equal(lstat(link_path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, all_well)
	const struct CMUnitTest tests[] = {
		TEST(every_byte), TEST(every_errno),   TEST(interruptions), TEST(cut_fails),
		TEST(limit),      TEST(reserved),      TEST(ends_once),     TEST(names_stay),
	};

	return cmocka_run_group_tests_name("ledger room", tests, make_directory, remove_directory);
}
