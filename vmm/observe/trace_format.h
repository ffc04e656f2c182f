/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the fields of a tracepoint's record lie on this kernel, by its format file in tracefs. */
#ifndef VMM_OBSERVE_TRACE_FORMAT_H
#define VMM_OBSERVE_TRACE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/ledger/stat.h"

enum trace_field_id {
#define FIELD(tracepoint, name) FIELD_##tracepoint##_##name,
#include "vmm/observe/trace_field.def"
#undef FIELD
	TRACE_FIELD_COUNT
};

extern const char *const trace_names[TRACE_COUNT];
extern const char *const trace_uses[TRACE_COUNT];

struct trace_field {
	uint16_t offset;
	uint8_t size; /* 1, 2, 4 or 8; 0: not known */
	bool is_signed;
};

struct trace_formats {
	uint32_t number[TRACE_COUNT]; /* the kernel's of the tracepoint; 0: not known */
	struct trace_field type;      /* of every record: the number */
	struct trace_field field[TRACE_FIELD_COUNT];
};

/* Takes the text of a format file. Returns 0, -EINVAL for text that is none, or -ENOENT if the
 * tracepoint is another one or lacks a field that is read of it; `formats` is then as before. */
int trace_format_parse(struct trace_formats *formats, enum trace_id id, const char *text,
		       size_t size);

/* Reads the format file of every tracepoint that can be read. Returns how many, or, if there is none, a
 * negative errno: that of the first. */
int trace_formats_load(struct trace_formats *formats);

/* Which tracepoint a record is of, or TRACE_COUNT. */
enum trace_id trace_format_which(const struct trace_formats *formats, const uint8_t *raw, size_t size);

/* The value of a field, sign-extended if it is signed; 0 if the record is too short for it. */
uint64_t trace_format_value(const struct trace_formats *formats, enum trace_field_id id,
			    const uint8_t *raw, size_t size);

/* Opens a file of a tracepoint in tracefs. Returns the descriptor or a negative errno. */
int trace_format_open(enum trace_id id, const char *file);

#endif
