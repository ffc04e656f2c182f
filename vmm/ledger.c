/* SPDX-License-Identifier: GPL-2.0-only */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_TEXT_MAX 1000
#define MAPPING_SIZE (LEDGER_HEADER_SIZE + LEDGER_LIMIT)

static size_t round8(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* Takes room from the file system by writing zeros: a store into a hole of a full file system would raise
 * SIGBUS, and not every file system has fallocate(). */
static int take_room(int fd, off_t at, size_t size)
{
	static const uint8_t zeros[LEDGER_BLOCK];
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, zeros + done, size - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int take_block(struct ledger *ledger, uint64_t start)
{
	int rc = take_room(ledger->fd, (off_t)(LEDGER_HEADER_SIZE + start), LEDGER_BLOCK);

	if (rc == 0)
		ledger->block_start = start;
	return rc;
}

/* What was recorded stays in the file; the process does not grow with it. */
static void forget_block(struct ledger *ledger)
{
	madvise(ledger->records + ledger->block_start, LEDGER_BLOCK, MADV_DONTNEED);
}

static int open_file(const char *path, struct error *error)
{
	struct stat status;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a file that can be written",
				 path, strerror(errno));
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ftruncate(fd, 0) == 0)
		return fd;
	close(fd);
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "%s: not a regular file; a ledger is written through a mapping", path);
}

/* Of the largest file there may be; what lies behind the end of the file is not touched. A thread that
 * runs a guest then needs no system call that maps memory. */
static int map_all(struct ledger *ledger)
{
	void *data = mmap(NULL, MAPPING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ledger->fd, 0);

	if (data == MAP_FAILED)
		return -errno;
	ledger->header = data;
	ledger->records = (uint8_t *)data + LEDGER_HEADER_SIZE;
	return 0;
}

static int begin(struct ledger *ledger, uint64_t tsc_khz)
{
	int rc = take_room(ledger->fd, 0, LEDGER_HEADER_SIZE);

	if (rc == 0)
		rc = map_all(ledger);
	if (rc == 0)
		rc = take_block(ledger, 0);
	if (rc == 0)
		*ledger->header = (struct ledger_header){
			.magic = LEDGER_MAGIC,
			.version = LEDGER_VERSION,
			.header_size = LEDGER_HEADER_SIZE,
			.tsc_khz = tsc_khz,
		};
	return rc;
}

int ledger_create(struct ledger *ledger, const char *path, uint64_t tsc_khz, struct error *error)
{
	int fd = open_file(path, error), rc;

	if (fd < 0)
		return fd;
	*ledger = (struct ledger){.fd = fd, .limit = LEDGER_LIMIT, .lock = PTHREAD_MUTEX_INITIALIZER};
	rc = begin(ledger, tsc_khz);
	if (rc == 0)
		return 0;
	ledger_close(ledger);
	unlink(path);
	return error_set(error, rc, STATUS_INTERNAL, "%s: %s; a ledger needs room for %u KiB to start",
			 path, strerror(-rc), LEDGER_BLOCK >> 10);
}

/* Makes room for `size` bytes in the current block, or starts the next one. */
static bool reserve(struct ledger *ledger, size_t size)
{
	uint64_t used = ledger->header->used, inside = used - ledger->block_start;

	if (inside + size <= LEDGER_BLOCK)
		return true;
	if (used + LEDGER_BLOCK > ledger->limit || size > LEDGER_BLOCK)
		return false;
	/* A record never crosses blocks; padding takes what is left of this one. */
	if (inside < LEDGER_BLOCK) {
		struct record pad = {.type = RECORD_PAD, .size = (uint16_t)(LEDGER_BLOCK - inside)};

		memcpy(ledger->records + used, &pad, sizeof(pad));
	}
	forget_block(ledger);
	if (take_block(ledger, ledger->block_start + LEDGER_BLOCK) != 0)
		return false;
	__atomic_store_n(&ledger->header->used, ledger->block_start, __ATOMIC_RELEASE);
	return true;
}

void ledger_append(struct ledger *ledger, const struct record *record)
{
	pthread_mutex_lock(&ledger->lock);
	if (reserve(ledger, record->size)) {
		uint64_t used = ledger->header->used;

		memcpy(ledger->records + used, record, record->size);
		/* Published last: a reader never sees half a record. */
		__atomic_store_n(&ledger->header->used, used + record->size, __ATOMIC_RELEASE);
	} else {
		ledger->header->lost++;
	}
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_append_meta(struct ledger *ledger, const char *key, const char *value)
{
	union {
		struct record_meta meta;
		uint8_t bytes[sizeof(struct record_meta) + META_TEXT_MAX + 8];
	} buffer = {0};
	char *text = (char *)buffer.bytes + offsetof(struct record_meta, text);
	int length = snprintf(text, META_TEXT_MAX, "%s%c%s", key, '\0', value);
	size_t used = length < META_TEXT_MAX ? (size_t)length + 1 : META_TEXT_MAX;

	buffer.meta.record.type = RECORD_META;
	buffer.meta.record.size = (uint16_t)round8(sizeof(struct record_meta) + used);
	ledger_append(ledger, &buffer.meta.record);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger || ledger->fd < 0)
		return;
	if (ledger->header) {
		off_t size = (off_t)(LEDGER_HEADER_SIZE + ledger->header->used);

		/* If this fails the file only keeps unused room at its end. */
		(void)!ftruncate(ledger->fd, size);
		munmap(ledger->header, MAPPING_SIZE);
	}
	close(ledger->fd);
	pthread_mutex_destroy(&ledger->lock);
	*ledger = (struct ledger){.fd = -1};
}
