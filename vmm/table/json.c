/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"

json_t *json_begin(const char *schema, int version)
{
	return json_pack("{s:s,s:i}", "schema", schema, "version", version);
}

json_t *json_hex(uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

json_t *json_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

void json_add_counts(json_t *object, const char *const *keys, const uint64_t *numbers, int count)
{
	for (int i = 0; i < count; i++)
		json_object_set_new(object, keys[i], json_count(numbers[i]));
}

json_t *json_text(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	char *plain = NULL;
	size_t size;
	FILE *stream;

	if (value)
		return value;
	stream = open_memstream(&plain, &size);
	if (!stream)
		return NULL;
	printable_put(stream, text);
	if (fclose(stream) == 0)
		value = json_string(plain);
	free(plain);
	return value;
}

/* A document comes in pieces of a few bytes each, for which fwrite() takes longer than for what is in them. */
struct pieces {
	FILE *stream;
	size_t size;
	char text[16384];
};

static void write_pieces(struct pieces *pieces)
{
	/* What fails shows at the end. */
	fwrite(pieces->text, 1, pieces->size, pieces->stream);
	pieces->size = 0;
}

static int add_piece(const char *text, size_t size, void *data)
{
	struct pieces *pieces = data;

	if (size > sizeof(pieces->text) - pieces->size)
		write_pieces(pieces);
	if (size > sizeof(pieces->text))
		return fwrite(text, 1, size, pieces->stream) == size ? 0 : -1;
	memcpy(pieces->text + pieces->size, text, size);
	pieces->size += size;
	return 0;
}

static int finish(json_t *root, size_t flags, FILE *stream)
{
	struct pieces pieces = {.stream = stream};
	int rc = root ? json_dump_callback(root, add_piece, &pieces, flags | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10)) : -1;

	write_pieces(&pieces);
	fputc('\n', stream);
	json_decref(root);
	return rc == 0 || ferror(stream) ? 0 : -ENOMEM;
}

int json_finish(json_t *root, FILE *stream)
{
	return finish(root, JSON_INDENT(2), stream);
}

int json_finish_line(json_t *root, FILE *stream)
{
	return finish(root, JSON_COMPACT, stream);
}
