/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/json.h"

#include <errno.h>
#include <stdlib.h>

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

static int finish(json_t *root, size_t flags, FILE *stream)
{
	int rc = root ? json_dumpf(root, stream, flags | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10)) : -1;

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
