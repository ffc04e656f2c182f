/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger file. Records go through a shared mapping, so what was appended stays readable when
 * the process is killed at any instant, without a system call per record. Several vCPU threads may
 * append to one ledger.
 */
#ifndef VMM_LEDGER_H
#define VMM_LEDGER_H

#include <pthread.h>
#include <stdbool.h>

#include "error.h"
#include "record.h"

/* Room is taken from the file system in blocks of this size, before it is written to. */
#define LEDGER_BLOCK (256u << 10)
/* Records past this are counted as lost: a guest may run for ever. */
#define LEDGER_LIMIT (UINT64_C(1) << 30)

/* No file of ours is larger: what is used, and the blocks that were begun. */
#define LEDGER_FILE_MAX (LEDGER_HEADER_SIZE + LEDGER_LIMIT + 2 * LEDGER_BLOCK)

struct ledger {
	int fd;
	struct ledger_header *header;
	uint8_t *records; /* behind the header, in the same mapping */
	uint64_t block_start; /* of the last block that the file has */
	uint64_t limit;
	pthread_mutex_t lock;
};

/* Creates or replaces the file. Returns 0 or a negative errno with the reason in `error`. */
int ledger_create(struct ledger *ledger, const char *path, uint64_t tsc_khz, struct error *error);

/* Appends a record, whose size field is right. When there is no room it is counted as lost. */
void ledger_append(struct ledger *ledger, const struct record *record);

/* Appends a property. Longer texts are cut at 1000 bytes. */
void ledger_append_meta(struct ledger *ledger, const char *key, const char *value);

/* Cuts the file to its records and closes it. NULL and a ledger never created are allowed. */
void ledger_close(struct ledger *ledger);

/* A ledger being read. The flags say what is wrong with it; those below `version` are known once
 * ledger_next() has returned NULL. */
struct ledger_reader {
	uint8_t *data;
	size_t mapped; /* bytes of data; 0: it is no mapping */
	size_t size;   /* of header and records */
	size_t offset; /* of the next record */
	size_t start;  /* of the first one */
	struct ledger_header header;
	bool truncated;
	bool version;     /* written in another version of the format */
	bool damaged;     /* something was no record, or the header cannot be right */
	uint64_t unknown; /* records of types that this program does not know, left out */
};

/* Reads a whole ledger. What is one but for its version or a bit or two of its header is accepted, with
 * the flags above. Returns 0 or a negative errno with the reason in `error`. */
int ledger_open(struct ledger_reader *reader, const char *path, struct error *error);

/* As ledger_open(), from memory: the whole file's contents, copied. */
int ledger_open_memory(struct ledger_reader *reader, const void *data, size_t size,
		       const char *name, struct error *error);

/* The next record, whose size fits its type, or NULL at the end. Goes on behind damage, at the next
 * place where several records follow one another. */
const struct record *ledger_next(struct ledger_reader *reader);

/* Starts again at the first record. */
void ledger_rewind(struct ledger_reader *reader);

void ledger_reader_close(struct ledger_reader *reader);

#endif
