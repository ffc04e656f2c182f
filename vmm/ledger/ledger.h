/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger file. Records go through a shared mapping, so what was appended stays readable when
 * the process is killed at any instant, without a system call per record. Several vCPU threads may
 * append to one ledger.
 */
#ifndef VMM_LEDGER_LEDGER_H
#define VMM_LEDGER_LEDGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "vmm/base/error.h"
#include "vmm/ledger/record.h"

/* Room is taken from the file system in blocks of this size, before it is written to. */
#ifndef LEDGER_BLOCK /* a test has smaller ones */
#define LEDGER_BLOCK (256u << 10)
#endif
/* Records past this are counted as lost: a guest may run for ever. */
#define LEDGER_LIMIT (UINT64_C(1) << 30)
/* The jail lets a write be smaller than this, and a file never be longer: what is taken in parts stays below. */
#define LEDGER_ROOM (2 * LEDGER_BLOCK)
#define LEDGER_FILE_MAX (LEDGER_HEADER_SIZE + LEDGER_LIMIT + LEDGER_ROOM)
/* How much room ledger_reserve() may keep, and the largest record that it is for. */
#define LEDGER_RESERVE_MAX (2 * LEDGER_BLOCK)
#define LEDGER_LAST_RECORD_MAX sizeof(struct record_end)

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

struct ledger {
	int fd;
	const char *path;
	bool created; /* there was no such file */
	struct ledger_header *header;
	uint8_t *records; /* behind the header, in the same mapping */
	/* Bytes of records: as the header has it; that the file has room for; of these, for the end of the run;
	 * at most. */
	uint64_t used, room, reserve, limit;
	uint64_t lost; /* records that found no room, as the header has it */
	int error;     /* why nothing is recorded any more but the end, a negative errno; 0: it is */
	atomic_bool gone; /* the room that was taken; the mapping is not touched any more */
	bool ending;
	pthread_mutex_t lock;
	/* Who takes room holds this one, perhaps behind the other, and changes `room`. */
	pthread_mutex_t room_lock;
	int wake_fd;      /* an event for who calls ledger_ahead(), -1: nobody does */
	atomic_bool wake; /* there is something to do for it */
};

/* Creates or replaces the file, which no other process may be writing as a ledger. `path` is kept, not copied. Returns
 * 0 or a negative errno with the reason in `error`; then no file is left that was not there. */
int ledger_create(struct ledger *ledger, const char *path, uint64_t tsc_khz, struct error *error);

/* The same in memory, without a file: for records that are sent elsewhere. */
int ledger_create_scratch(struct ledger *ledger, struct error *error);

/*
 * Keeps room for `size` bytes, at most LEDGER_RESERVE_MAX, of records that are appended after ledger_end(), none
 * larger than LEDGER_LAST_RECORD_MAX: for these no system call is made, by whatever thread. If there is no
 * such room, ledger->error says so.
 */
void ledger_reserve(struct ledger *ledger, size_t size);

/* For a thread that appends nothing: after each block that has been filled, of which it is told by `wake_fd`, takes the
 * room for the one after the next, and makes its pages present, so that who appends need do neither. */
void ledger_ahead(struct ledger *ledger);

/* Appends a record, whose size field is right. When there is no room it is counted as lost, and so are all after
 * it, up to ledger_end(): what a ledger has is complete up to one instant. */
void ledger_append(struct ledger *ledger, const struct record *record);

/* The run is over. Only one thread is left to append, and asks the file system for nothing. */
void ledger_end(struct ledger *ledger);

/* After a record was lost that a ledger has to begin with: discards it. Returns its errno, with the reason in
 * `error`. */
int ledger_refuse(struct ledger *ledger, struct error *error);

/* Closes the file, and removes it if it was not there before. */
void ledger_discard(struct ledger *ledger);

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
	size_t told;   /* the offset from which on progress is told again */
	struct ledger_header header;
	bool truncated;
	bool version;     /* written in another version of the format */
	bool damaged;     /* something was no record, or the header cannot be right */
	uint64_t unknown; /* records of types that this program does not know, left out */
};

/* Reads a whole ledger, or the last one in a log of a serial line (serial_log.h). What is one but for its version or a
 * bit or two of its header is accepted, with the flags above. Returns 0 or a negative errno with the reason in
 * `error`. */
int ledger_open(struct ledger_reader *reader, const char *path, struct error *error);

/* As ledger_open(), from memory: the whole file's contents, copied. */
int ledger_open_memory(struct ledger_reader *reader, const void *data, size_t size,
		       const char *name, struct error *error);

/* The next record, whose size fits its type, or NULL at the end. Goes on behind damage, at the next
 * place where several records follow one another. Tells how far it is of the step that has begun (progress.h), which
 * is over at the end. */
const struct record *ledger_next(struct ledger_reader *reader);

/* Starts again at the first record. */
void ledger_rewind(struct ledger_reader *reader);

void ledger_reader_close(struct ledger_reader *reader);

#endif
