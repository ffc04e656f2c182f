/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/input_file.h"
#include "vmm/base/progress.h"
#include "vmm/base/written.h"
#include "vmm/ledger/ledger.h"
#include "vmm/ledger/serial_log.h"

static const size_t minimum_size[RECORD_TYPE_COUNT] = {
#define X(name, type, text) [RECORD_##name] = sizeof(struct type),
	RECORD_TYPES(X)
#undef X
};

/* Bits of the magic number that may be wrong in a file that still counts as a ledger, a damaged one. */
#define MAGIC_FAULTS_MAX 2
/* Records that must follow one another for reading to go on behind damage. */
#define CHAIN_MIN 3
/* Types are numbered below this. */
#define TYPE_LIMIT 256
/* In bytes of zeros: where the kernel is asked how far they go. */
#define ASK_EVERY (64 * WRITTEN_PAGE)

static bool is_ledger(const struct ledger_reader *reader)
{
	uint64_t magic;

	if (reader->size < sizeof(magic))
		return false;
	memcpy(&magic, reader->data, sizeof(magic));
	return __builtin_popcountll(magic ^ LEDGER_MAGIC) <= MAGIC_FAULTS_MAX;
}

/* Another version may have another header; this one's has one size. */
static size_t header_size(struct ledger_reader *reader)
{
	uint32_t size = reader->header.header_size;

	if (reader->version && size >= sizeof(reader->header) && size % 8 == 0 &&
	    size <= reader->size)
		return size;
	reader->damaged |= size != LEDGER_HEADER_SIZE;
	return LEDGER_HEADER_SIZE;
}

/* A file is not much longer than what is used of it: by what is kept for the end of the run, and two blocks
 * while the next one is begun. */
static void find_end(struct ledger_reader *reader)
{
	size_t records = reader->size < reader->start ? 0 : reader->size - reader->start;

	reader->truncated |= reader->header.used > records;
	if (!reader->truncated && records - reader->header.used > LEDGER_RESERVE_MAX + 2 * LEDGER_BLOCK)
		reader->damaged = true;
	else if (!reader->truncated)
		records = reader->header.used;
	reader->size = reader->start + records;
}

static void discard(struct ledger_reader *reader)
{
	if (reader->mapped)
		munmap(reader->data, reader->mapped);
	else
		free(reader->data);
}

/* Puts the ledger that is in a log in the place of the log. */
static int decode(struct ledger_reader *reader, const char *name, struct error *error)
{
	struct serial_log log;

	progress_step("decoding %s", name);
	if (serial_log_decode((const char *)reader->data, reader->size, &log) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", name);
	progress_end();
	discard(reader);
	*reader = (struct ledger_reader){
		.data = log.data,
		.size = log.size,
		.truncated = log.cut,
		.damaged = log.damaged || log.missing,
	};
	return 0;
}

static int adopt(struct ledger_reader *reader, const char *name, struct error *error)
{
	int rc = 0;

	if (!is_ledger(reader) && serial_log_is(reader->data, reader->size))
		rc = decode(reader, name, error);
	if (rc != 0)
		return rc;
	if (reader->size < sizeof(reader->header))
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: too short for a ledger", name);
	if (!is_ledger(reader))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a ledger; make one with `sidestep run --ledger FILE`", name);
	memcpy(&reader->header, reader->data, sizeof(reader->header));
	reader->damaged |= reader->header.magic != LEDGER_MAGIC;
	reader->version = reader->header.version != LEDGER_VERSION;
	reader->start = header_size(reader);
	find_end(reader);
	reader->offset = reader->start;
	return 0;
}

int ledger_open_memory(struct ledger_reader *reader, const void *data, size_t size,
		       const char *name, struct error *error)
{
	int rc;

	*reader = (struct ledger_reader){.data = malloc(size ? size : 1), .size = size};
	if (!reader->data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", name);
	memcpy(reader->data, data, size);
	rc = adopt(reader, name, error);
	if (rc != 0)
		ledger_reader_close(reader);
	return rc;
}

/* What is not filled in takes no memory. */
static int make_room(struct ledger_reader *reader, size_t size)
{
	void *data = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (data == MAP_FAILED)
		return -errno;
	reader->data = data;
	reader->mapped = size + 1;
	return 0;
}

/* A copy, not a mapping: a file that shrinks while it is read must not raise SIGBUS. Returns 1 where the file ends
 * now. */
static int read_range(struct ledger_reader *reader, int fd, off_t start, off_t end)
{
	while (start < end) {
		const size_t left = (size_t)(end - start);
		ssize_t n = pread(fd, reader->data + start, left < PROGRESS_READ ? left : PROGRESS_READ, start);

		progress_at((uint64_t)start, (uint64_t)reader->mapped);
		if (n == 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			start += n;
		if (start > (off_t)reader->size)
			reader->size = (size_t)start;
	}
	return 0;
}

/* Holes of a sparse file are zeros that nobody has to read. A file system that knows of none has data only. */
static int read_data(struct ledger_reader *reader, int fd, off_t size)
{
	off_t at = 0;
	int rc = 0;

	while (rc == 0 && at < size) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			data = size;
		if (data < 0)
			data = at;
		if (data >= size)
			break;
		hole = lseek(fd, data, SEEK_HOLE);
		at = hole < 0 || hole > size ? size : hole;
		rc = read_range(reader, fd, data, at);
	}
	if (rc == 0)
		reader->size = (size_t)size;
	return rc < 0 ? rc : 0;
}

static int read_file(struct ledger_reader *reader, int fd, const char *path, struct error *error)
{
	struct stat status;
	int rc;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: not a regular file", path);
	if ((uint64_t)status.st_size > LEDGER_FILE_MAX)
		return error_set(error, -EFBIG, STATUS_USAGE,
				 "%s: %jd bytes are too large for a ledger; the limit is %" PRIu64
				 " bytes",
				 path, (intmax_t)status.st_size, LEDGER_FILE_MAX);
	if (make_room(reader, (size_t)status.st_size) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", path);
	progress_step("reading %s", path);
	rc = read_data(reader, fd, status.st_size);
	progress_end();
	if (rc != 0)
		return error_set(error, rc, STATUS_USAGE, "%s: %s", path, strerror(-rc));
	return adopt(reader, path, error);
}

int ledger_open(struct ledger_reader *reader, const char *path, struct error *error)
{
	int fd = input_open(path, LEDGER_FILE_MAX), rc;

	*reader = (struct ledger_reader){0};
	if (fd < 0)
		return error_set(error, fd, STATUS_USAGE, "%s: %s; name a ledger file", path, strerror(-fd));
	rc = read_file(reader, fd, path, error);
	close(fd);
	if (rc != 0)
		ledger_reader_close(reader);
	return rc;
}

/* A record that could be one, of any type. */
static bool plausible(const struct ledger_reader *reader, size_t offset)
{
	const struct record *record = (const void *)(reader->data + offset);
	size_t left = reader->size - offset;

	return left >= sizeof(*record) && record->size >= sizeof(*record) &&
	       record->size <= left && record->size % 8 == 0 && record->type != RECORD_INVALID;
}

/* A record of a known type with the size that goes with it; another version may have added to it. */
static bool fits(const struct ledger_reader *reader, size_t offset)
{
	const struct record *record = (const void *)(reader->data + offset);

	if (!plausible(reader, offset) || record->type >= RECORD_TYPE_COUNT)
		return false;
	return record->size == minimum_size[record->type] ||
	       (record->size > minimum_size[record->type] &&
		(reader->version || record->type == RECORD_PAD || record->type == RECORD_META));
}

/* A record that a later program may have written. */
static bool is_unknown(const struct ledger_reader *reader, size_t offset)
{
	const struct record *record = (const void *)(reader->data + offset);

	return plausible(reader, offset) && record->type >= RECORD_TYPE_COUNT &&
	       record->type < TYPE_LIMIT;
}

/* Whether several records follow one another, or as many as there are up to the end. */
static bool chain(const struct ledger_reader *reader, size_t offset, bool unknown)
{
	for (unsigned i = 0; i < CHAIN_MIN && offset != reader->size; i++) {
		if (!fits(reader, offset) && !(unknown && is_unknown(reader, offset)))
			return false;
		offset += ((const struct record *)(reader->data + offset))->size;
	}
	return true;
}

static bool is_zero(const struct ledger_reader *reader, size_t offset)
{
	uint64_t word;

	if (reader->size - offset < sizeof(word))
		return false;
	memcpy(&word, reader->data + offset, sizeof(word));
	return word == 0;
}

/* Nobody looks at what was not filled in: it takes no memory until then. */
static size_t behind_unwritten(const struct ledger_reader *reader, size_t offset)
{
	int map = written_open();
	size_t next = written_next(map, reader->data, offset, reader->size);

	if (map >= 0)
		close(map);
	return offset + (next - offset) / 8 * 8;
}

/* How many bytes from there to the end of a page are zero: all of them or, if one is not, none. */
static size_t zeros_at(const struct ledger_reader *reader, size_t offset)
{
	static const unsigned char zeros[WRITTEN_PAGE];
	const size_t size = sizeof(zeros) - offset % sizeof(zeros);

	return reader->size - offset >= size && memcmp(reader->data + offset, zeros, size) == 0 ? size : 0;
}

/* Zeros begin no record, and a file that claims much has many of them: these go by at the speed of memory, and the
 * kernel is asked now and then how far they go. */
static size_t behind_zeros(const struct ledger_reader *reader, size_t offset)
{
	for (size_t zeros; (zeros = zeros_at(reader, offset)) != 0;) {
		offset += zeros;
		if (reader->mapped && offset % ASK_EVERY == 0)
			offset = behind_unwritten(reader, offset);
	}
	return offset;
}

static void tell(struct ledger_reader *reader, size_t offset)
{
	if (offset < reader->told)
		return;
	reader->told = offset + PROGRESS_BYTES;
	progress_at(offset, reader->size);
}

static size_t behind_damage(struct ledger_reader *reader)
{
	size_t offset = reader->offset;

	while (reader->size - offset >= 8) {
		offset = behind_zeros(reader, offset + 8);
		tell(reader, offset);
		if (!is_zero(reader, offset) && chain(reader, offset, false))
			return offset;
	}
	return reader->size;
}

/* Of a truncated file the last record may have been cut through, which is no other fault. */
static bool is_cut(const struct ledger_reader *reader)
{
	const struct record *record = (const void *)(reader->data + reader->offset);
	size_t left = reader->size - reader->offset;

	return reader->truncated &&
	       (left < sizeof(*record) ||
		(record->type != RECORD_INVALID && record->type < RECORD_TYPE_COUNT &&
		 record->size >= minimum_size[record->type] && record->size > left));
}

const struct record *ledger_next(struct ledger_reader *reader)
{
	while (reader->offset != reader->size) {
		const struct record *record = (const void *)(reader->data + reader->offset);

		tell(reader, reader->offset);
		if (fits(reader, reader->offset)) {
			reader->offset += record->size;
			if (record->type != RECORD_PAD)
				return record;
		} else if (is_unknown(reader, reader->offset) &&
			   chain(reader, reader->offset + record->size, true)) {
			reader->offset += record->size;
			reader->unknown++;
		} else {
			bool cut = is_cut(reader);
			size_t next = behind_damage(reader);

			reader->damaged |= !cut || next != reader->size;
			reader->offset = next;
		}
	}
	progress_end();
	return NULL;
}

void ledger_rewind(struct ledger_reader *reader)
{
	reader->offset = reader->start;
	reader->unknown = 0;
	reader->told = 0;
}

void ledger_reader_close(struct ledger_reader *reader)
{
	discard(reader);
	*reader = (struct ledger_reader){0};
}
