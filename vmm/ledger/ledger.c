/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
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

static uint64_t room_of(const struct ledger *ledger)
{
	return __atomic_load_n(&ledger->room, __ATOMIC_ACQUIRE);
}

/* Of a block that somebody else has taken meanwhile nothing must be overwritten: takes another one while there is less
 * room than this. */
static int take_until(struct ledger *ledger, uint64_t wanted)
{
	int rc = 0;

	pthread_mutex_lock(&ledger->room_lock);
	while (rc == 0 && wanted > ledger->room) {
		rc = ledger->room + LEDGER_BLOCK > ledger->limit ? -EFBIG : 0;
		if (rc == 0)
			rc = take_room(ledger->fd, (off_t)(LEDGER_HEADER_SIZE + ledger->room), LEDGER_BLOCK);
		if (rc == 0)
			__atomic_store_n(&ledger->room, ledger->room + LEDGER_BLOCK, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&ledger->room_lock);
	return rc;
}

/* What was recorded stays in the file; the process does not grow with it. */
static void forget_block(struct ledger *ledger, uint64_t start)
{
	madvise(ledger->records + start, LEDGER_BLOCK, MADV_DONTNEED);
}

/*
 * Room that was taken can be gone: somebody has cut the file, or the file system copies on write and is
 * full. An access raises SIGBUS then. The thread that makes one of ours goes on at its landing; made by anything
 * else, the access is made again, where a second signal ends the process.
 */
static _Thread_local sigjmp_buf *landing;

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (landing)
		siglongjmp(*landing, 1);
	(void)*(const volatile char *)info->si_addr;
}

static void catch_bus_errors(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
	sigset_t ours;

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
	/* A thread that has landed is still in the handler for the kernel. Others must land, too, at the same time. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGBUS);
	pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

typedef void store_fn(struct ledger *ledger, const void *data);

/* Nothing else touches the mapping, nobody stores but one thread at a time, and after a bus error nothing touches it
 * any more. Neither way makes a system call. Returns whether all went well. */
static bool try_store(struct ledger *ledger, store_fn *store, const void *data)
{
	sigjmp_buf here;

	if (atomic_load(&ledger->gone))
		return false;
	if (sigsetjmp(here, 0) == 0) {
		landing = &here;
		store(ledger, data);
	} else {
		atomic_store(&ledger->gone, true);
		__atomic_store_n(&ledger->error, -EIO, __ATOMIC_RELAXED);
	}
	landing = NULL;
	return !atomic_load(&ledger->gone);
}

/* What is replaced must not be in use: cutting it would pull the room from under another run. */
static int take_file(int fd, const char *path, struct error *error)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a regular file; a ledger is written through a mapping", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return error_set(error, -EBUSY, STATUS_USAGE,
				 "%s: in use as a ledger by another process; wait for it, or name another file",
				 path);
	return ftruncate(fd, 0) == 0
		       ? 0
		       : error_set(error, -errno, STATUS_USAGE, "%s: %s; name a file that can be written",
				   path, strerror(errno));
}

static int open_file(struct ledger *ledger, const char *path, struct error *error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc;

	ledger->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a file that can be written",
				 path, strerror(errno));
	rc = take_file(fd, path, error);
	if (rc == 0)
		ledger->fd = fd;
	else
		close(fd);
	return rc;
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

static void store_header(struct ledger *ledger, const void *header)
{
	memcpy(ledger->header, header, sizeof(*ledger->header));
}

static int begin(struct ledger *ledger, uint64_t tsc_khz)
{
	const struct ledger_header header = {
		.magic = LEDGER_MAGIC,
		.version = LEDGER_VERSION,
		.header_size = LEDGER_HEADER_SIZE,
		.tsc_khz = tsc_khz,
	};
	int rc = take_room(ledger->fd, 0, LEDGER_HEADER_SIZE);

	if (rc == 0)
		rc = map_all(ledger);
	if (rc == 0)
		rc = take_until(ledger, LEDGER_BLOCK);
	if (rc == 0 && !try_store(ledger, store_header, &header))
		rc = ledger->error;
	return rc;
}

static struct ledger new_ledger(int fd, const char *path)
{
	return (struct ledger){
		.fd = fd,
		.path = path,
		.limit = LEDGER_LIMIT,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.room_lock = PTHREAD_MUTEX_INITIALIZER,
		.wake_fd = -1,
	};
}

int ledger_create(struct ledger *ledger, const char *path, uint64_t tsc_khz, struct error *error)
{
	int rc;

	*ledger = new_ledger(-1, path);
	rc = open_file(ledger, path, error);
	if (rc != 0)
		return rc;
	catch_bus_errors();
	ledger->error = begin(ledger, tsc_khz);
	return ledger->error == 0 ? 0 : ledger_refuse(ledger, error);
}

int ledger_create_scratch(struct ledger *ledger, struct error *error)
{
	int fd = memfd_create("ledger", MFD_CLOEXEC), rc = fd < 0 ? -errno : 0;

	*ledger = new_ledger(fd, NULL);
	if (rc == 0)
		rc = begin(ledger, 0);
	return rc == 0 ? 0
		       : error_set(error, rc, STATUS_INTERNAL, "no memory for records: %s", strerror(-rc));
}

int ledger_refuse(struct ledger *ledger, struct error *error)
{
	uint64_t needed = LEDGER_HEADER_SIZE + ledger->room + LEDGER_BLOCK;
	const char *path = ledger->path;
	int rc = ledger->error;

	ledger_discard(ledger);
	return error_set(error, rc, STATUS_INTERNAL, "%s: %s; a ledger needs room for %llu KiB to start",
			 path, strerror(-rc), (unsigned long long)needed >> 10);
}

void ledger_reserve(struct ledger *ledger, size_t size)
{
	ledger->reserve = size + LEDGER_LAST_RECORD_MAX * (1 + size / LEDGER_BLOCK);
	if (ledger->error == 0)
		ledger->error = take_until(ledger, ledger->used + ledger->reserve);
}

/* The vCPU threads may ask for more room, and what they leave is enough for the end. */
static bool find_room(struct ledger *ledger, uint64_t size)
{
	if (ledger->ending)
		return size <= room_of(ledger);
	if (ledger->error == 0 && size + ledger->reserve > room_of(ledger))
		ledger->error = take_until(ledger, size + ledger->reserve);
	return ledger->error == 0;
}

/* Makes records published: a reader never sees half a one. */
static void publish(struct ledger *ledger, uint64_t used)
{
	__atomic_store_n(&ledger->header->used, used, __ATOMIC_RELEASE);
	atomic_signal_fence(memory_order_seq_cst);
	ledger->used = used;
}

/* A record never crosses blocks; padding takes what is left of this one. */
static void finish_block(struct ledger *ledger, uint64_t end)
{
	const struct record pad = {.type = RECORD_PAD, .size = (uint16_t)(end - ledger->used)};

	if (pad.size != 0)
		memcpy(ledger->records + ledger->used, &pad, sizeof(pad));
	publish(ledger, end);
	if (ledger->ending)
		return;
	forget_block(ledger, end - LEDGER_BLOCK);
	if (ledger->wake_fd >= 0) {
		atomic_store(&ledger->wake, true);
		eventfd_write(ledger->wake_fd, 1);
	}
}

/* Counted after the store, which may not come back. */
static void lose(struct ledger *ledger)
{
	__atomic_store_n(&ledger->header->lost, ledger->lost + 1, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
	ledger->lost++;
}

static void store_record(struct ledger *ledger, const void *data)
{
	const struct record *record = data;
	uint64_t inside = ledger->used % LEDGER_BLOCK, start = ledger->used;

	if (inside + record->size > LEDGER_BLOCK)
		start += LEDGER_BLOCK - inside;
	if (!find_room(ledger, start + record->size)) {
		lose(ledger);
		return;
	}
	if (start % LEDGER_BLOCK == 0 && start > 0)
		finish_block(ledger, start);
	memcpy(ledger->records + start, record, record->size);
	publish(ledger, start + record->size);
}

/* Presence is in the kernel's tables. Those that a hypervisor below keeps of them follow with an access. */
static void touch_block(struct ledger *ledger, const void *block)
{
	(void)ledger;
	for (size_t at = 0; at < LEDGER_BLOCK; at += 4096)
		(void)((const volatile uint8_t *)block)[at];
}

/* If there is no room, who needs it will find out. A kernel that cannot make pages present does so one by one, as each
 * is stored to for the first time. */
void ledger_ahead(struct ledger *ledger)
{
	uint64_t room;

	if (!atomic_exchange(&ledger->wake, false))
		return;
	room = room_of(ledger);
	if (take_until(ledger, room + LEDGER_BLOCK) == 0 &&
	    madvise(ledger->records + room, LEDGER_BLOCK, MADV_POPULATE_WRITE) == 0)
		try_store(ledger, touch_block, ledger->records + room);
}

void ledger_append(struct ledger *ledger, const struct record *record)
{
	pthread_mutex_lock(&ledger->lock);
	if (!try_store(ledger, store_record, record))
		ledger->lost++;
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_end(struct ledger *ledger)
{
	ledger->ending = true;
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

/* Its name too, if nothing had it before; a name that leads to an older file is the user's. */
void ledger_discard(struct ledger *ledger)
{
	if (ledger->created)
		unlink(ledger->path);
	else
		(void)!ftruncate(ledger->fd, 0);
	ledger->gone = true;
	ledger_close(ledger);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger || ledger->fd < 0)
		return;
	if (ledger->header) {
		off_t size = (off_t)(LEDGER_HEADER_SIZE + ledger->used);

		/* If this fails the file only keeps unused room at its end. */
		if (!ledger->gone)
			(void)!ftruncate(ledger->fd, size);
		munmap(ledger->header, MAPPING_SIZE);
	}
	close(ledger->fd);
	pthread_mutex_destroy(&ledger->lock);
	pthread_mutex_destroy(&ledger->room_lock);
	*ledger = (struct ledger){.fd = -1};
}
