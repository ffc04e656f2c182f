/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/trace_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <unistd.h>

/* The longest are those of kvm_exit and its like, which name every exit reason: 9 KiB. */
#define TEXT_MAX (64 << 10)
#define OFFSET_MAX 4096

const char *const trace_names[TRACE_COUNT] = {
#define TRACEPOINT(name, uses, meaning) #name,
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
};

const char *const trace_uses[TRACE_COUNT] = {
#define TRACEPOINT(name, uses, meaning) uses,
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
};

static const struct {
	enum trace_id tracepoint;
	const char *name;
} wanted[TRACE_FIELD_COUNT] = {
#define FIELD(tracepoint, name) {TRACE_##tracepoint, #name},
#include "vmm/observe/trace_field.def"
#undef FIELD
};

static bool adopt(const struct tep_format_field *from, struct trace_field *to)
{
	if (!from || from->offset < 0 || from->offset > OFFSET_MAX ||
	    (from->size != 1 && from->size != 2 && from->size != 4 && from->size != 8))
		return false;
	*to = (struct trace_field){
		.offset = (uint16_t)from->offset,
		.size = (uint8_t)from->size,
		.is_signed = from->flags & TEP_FIELD_IS_SIGNED,
	};
	return true;
}

static int adopt_event(struct trace_formats *formats, enum trace_id id, struct tep_event *event)
{
	struct trace_formats fresh = *formats;

	if (strcmp(event->name, trace_names[id]) != 0 || event->id <= 0 ||
	    !adopt(tep_find_common_field(event, "common_type"), &fresh.type))
		return -ENOENT;
	for (int i = 0; i < TRACE_FIELD_COUNT; i++)
		if (wanted[i].tracepoint == id &&
		    !adopt(tep_find_field(event, wanted[i].name), &fresh.field[i]))
			return -ENOENT;
	fresh.number[id] = (uint32_t)event->id;
	*formats = fresh;
	return 0;
}

int trace_format_parse(struct trace_formats *formats, enum trace_id id, const char *text, size_t size)
{
	struct tep_handle *tep = tep_alloc();
	struct tep_event *event = NULL;
	int rc = -EINVAL;

	if (!tep)
		return -ENOMEM;
	/* What the library cannot make out in "print fmt" is no concern of ours. */
	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_long_size(tep, sizeof(long));
	tep_parse_format(tep, &event, text, size, "kvm");
	if (event && event->name)
		rc = adopt_event(formats, id, event);
	tep_free(tep);
	return rc;
}

int trace_format_open(enum trace_id id, const char *file)
{
	static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	int result = -ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/events/kvm/%s/%s", roots[i], trace_names[id], file);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno == EACCES)
			result = -EACCES;
	}
	return result;
}

static int load(struct trace_formats *formats, enum trace_id id, char *text)
{
	int fd = trace_format_open(id, "format");
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	while (used < TEXT_MAX && (n = read(fd, text + used, TEXT_MAX - used)) > 0)
		used += (size_t)n;
	close(fd);
	return trace_format_parse(formats, id, text, used);
}

int trace_formats_load(struct trace_formats *formats)
{
	char *text = malloc(TEXT_MAX);
	int found = 0, failure = 0;

	*formats = (struct trace_formats){0};
	if (!text)
		return -ENOMEM;
	for (int id = 0; id < TRACE_COUNT; id++) {
		int rc = load(formats, (enum trace_id)id, text);

		found += rc == 0;
		if (rc != 0 && failure == 0)
			failure = rc;
	}
	free(text);
	return found ? found : failure;
}

static uint64_t value_at(const struct trace_field *field, const uint8_t *raw, size_t size)
{
	unsigned unused = 64 - 8u * field->size;
	uint64_t value = 0;

	if (field->size == 0 || (size_t)field->offset + field->size > size)
		return 0;
	/* Copies of a size that the compiler knows: this is done several times for each sample. */
	switch (field->size) {
	case 8:
		memcpy(&value, raw + field->offset, 8);
		break;
	case 4:
		memcpy(&value, raw + field->offset, 4);
		break;
	default:
		memcpy(&value, raw + field->offset, field->size);
	}
	return field->is_signed ? (uint64_t)((int64_t)(value << unused) >> unused) : value;
}

enum trace_id trace_format_which(const struct trace_formats *formats, const uint8_t *raw, size_t size)
{
	uint64_t number = value_at(&formats->type, raw, size);

	/* Every other sample is one. */
	if (number != 0 && number == formats->number[TRACE_kvm_entry])
		return TRACE_kvm_entry;
	for (int id = 0; number != 0 && id < TRACE_COUNT; id++)
		if (formats->number[id] == number)
			return (enum trace_id)id;
	return TRACE_COUNT;
}

uint64_t trace_format_value(const struct trace_formats *formats, enum trace_field_id id,
			    const uint8_t *raw, size_t size)
{
	return value_at(&formats->field[id], raw, size);
}
