/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

static const size_t minimum_size[RECORD_TYPE_COUNT] = {
#define X(name, type, text) [RECORD_##name] = sizeof(struct type),
	RECORD_TYPES(X)
#undef X
};

static int adopt(struct ledger_reader *reader, const char *name, struct error *error)
{
	size_t records;

	if (reader->size < sizeof(reader->header))
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: too short for a ledger", name);
	memcpy(&reader->header, reader->data, sizeof(reader->header));
	if (reader->header.magic != LEDGER_MAGIC)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a ledger; make one with `sidestep run --ledger FILE`", name);
	if (reader->header.version != LEDGER_VERSION ||
	    reader->header.header_size != LEDGER_HEADER_SIZE)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: ledger version %u, this program reads version %u", name,
				 reader->header.version, LEDGER_VERSION);
	records = reader->size < LEDGER_HEADER_SIZE ? 0 : reader->size - LEDGER_HEADER_SIZE;
	reader->truncated = reader->header.used > records;
	reader->size = LEDGER_HEADER_SIZE + (reader->truncated ? records : reader->header.used);
	reader->offset = LEDGER_HEADER_SIZE;
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

static int read_file(struct ledger_reader *reader, int fd, const char *path, struct error *error)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: not a regular file", path);
	reader->data = malloc((size_t)status.st_size + 1);
	if (!reader->data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", path);
	while (reader->size < (size_t)status.st_size) {
		ssize_t n = read(fd, reader->data + reader->size,
				 (size_t)status.st_size - reader->size);
		if (n == 0)
			break;
		if (n > 0)
			reader->size += (size_t)n;
		else if (errno != EINTR)
			return error_set(error, -errno, STATUS_USAGE, "%s: %s", path,
					 strerror(errno));
	}
	return adopt(reader, path, error);
}

int ledger_open(struct ledger_reader *reader, const char *path, struct error *error)
{
	/* Opening a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	*reader = (struct ledger_reader){0};
	if (fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a ledger file", path,
				 strerror(errno));
	rc = read_file(reader, fd, path, error);
	close(fd);
	if (rc != 0)
		ledger_reader_close(reader);
	return rc;
}

const struct record *ledger_next(struct ledger_reader *reader)
{
	for (;;) {
		const struct record *record = (const void *)(reader->data + reader->offset);
		size_t left = reader->size - reader->offset;

		if (left == 0)
			return NULL;
		if (left < sizeof(*record) || record->size > left || record->size % 8 != 0 ||
		    record->type == RECORD_INVALID || record->type >= RECORD_TYPE_COUNT ||
		    record->size < minimum_size[record->type]) {
			reader->damaged = !reader->truncated || left >= sizeof(*record);
			return NULL;
		}
		reader->offset += record->size;
		if (record->type != RECORD_PAD)
			return record;
	}
}

void ledger_reader_close(struct ledger_reader *reader)
{
	free(reader->data);
	*reader = (struct ledger_reader){0};
}
