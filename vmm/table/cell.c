/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/table/json.h"

struct cell cell_of_text(const char *text)
{
	return (struct cell){.state = text ? CELL_OBSERVED : CELL_ABSENT, .text = text};
}

struct cell cell_of_foreign(const char *text)
{
	return (struct cell){.state = text[0] ? CELL_OBSERVED : CELL_ABSENT, .text = text, .foreign = true};
}

struct cell cell_of_format(const char *format, ...)
{
	struct cell cell = {.state = CELL_OBSERVED};
	va_list args;

	va_start(args, format);
	vsnprintf(cell.buffer, sizeof(cell.buffer), format, args);
	va_end(args);
	return cell;
}

struct cell cell_not_observed(enum cell_type type)
{
	return (struct cell){.state = CELL_NOT_OBSERVED, .type = type};
}

struct cell cell_of_value(enum cell_type type, uint64_t value)
{
	return (struct cell){.state = CELL_OBSERVED, .type = type, .count = value};
}

struct cell cell_of_count(bool observed, uint64_t count)
{
	return observed ? cell_of_value(CELL_COUNT, count) : cell_not_observed(CELL_COUNT);
}

struct cell cell_of_number(enum cell_type type, bool observed, double number)
{
	return observed ? (struct cell){.state = CELL_OBSERVED, .type = type, .number = number}
			: cell_not_observed(type);
}

static const char *text_of(const struct cell *cell)
{
	return cell->text ? cell->text : cell->buffer;
}

/* Whether the value is in `count`. */
static bool is_whole(enum cell_type type)
{
	return type >= CELL_COUNT && type <= CELL_TRUTH;
}

double cell_value(const struct cell *cell)
{
	return is_whole(cell->type) ? (double)cell->count : cell->number;
}

bool cell_equal(const struct cell *a, const struct cell *b)
{
	if (a->state != b->state || a->state != CELL_OBSERVED)
		return a->state == b->state;
	if (a->type == CELL_TEXT || b->type == CELL_TEXT)
		return a->type == b->type && strcmp(text_of(a), text_of(b)) == 0;
	return is_whole(a->type) ? a->count == b->count : a->number == b->number;
}

/* Ticks below a hundred differ in their tenths, ratios below a tenth in their thousandths. */
static int tick_decimals(double ticks)
{
	return ticks >= 99.95 ? 0 : ticks > 0 && ticks < 0.0995 ? 3 : 1;
}

/* What is less than a tenth of a percent is not nothing, and what misses one is not all. */
static const char *share_mark(double *share)
{
	if (*share > 0 && *share < 0.05) {
		*share = 0.1;
		return "<";
	}
	if (*share < 100 && *share >= 99.95) {
		*share = 99.9;
		return ">";
	}
	return "";
}

static void bytes_text(uint64_t bytes, char buffer[CELL_TEXT_SIZE])
{
	unsigned shift = 10;

	while (bytes && shift < 30 && bytes >> (shift + 10) << (shift + 10) == bytes)
		shift += 10;
	snprintf(buffer, CELL_TEXT_SIZE, "%" PRIu64 "%c", bytes >> shift, "KMG"[shift / 10 - 1]);
}

static void change_text(double percent, char buffer[CELL_TEXT_SIZE])
{
	if (isinf(percent))
		snprintf(buffer, CELL_TEXT_SIZE, "from 0");
	else
		snprintf(buffer, CELL_TEXT_SIZE, "%+.1f%%", percent);
}

static void value_text(const struct cell *cell, char buffer[CELL_TEXT_SIZE])
{
	const char *mark = cell->estimated ? "~" : "";
	double number = cell->number;
	int decimals = 1;

	switch (cell->type) {
	case CELL_COUNT:
	case CELL_TRUTH:
		snprintf(buffer, CELL_TEXT_SIZE, "%s%" PRIu64, mark, cell->count);
		return;
	case CELL_BYTES:
		bytes_text(cell->count, buffer);
		return;
	case CELL_ADDRESS:
		snprintf(buffer, CELL_TEXT_SIZE, "0x%" PRIx64, cell->count);
		return;
	case CELL_CHANGE:
		change_text(number, buffer);
		return;
	case CELL_SHARE:
		mark = share_mark(&number);
		break;
	case CELL_TICKS:
		decimals = tick_decimals(number);
		break;
	case CELL_SECONDS:
		decimals = 3;
		break;
	case CELL_NUMBER:
		decimals = 0;
		break;
	default:
		break;
	}
	snprintf(buffer, CELL_TEXT_SIZE, "%s%.*f", mark, decimals, number);
}

const char *cell_plain(const struct cell *cell, char buffer[CELL_TEXT_SIZE])
{
	if (cell->state == CELL_ABSENT)
		return "-";
	if (cell->state == CELL_NOT_OBSERVED)
		return NOT_OBSERVED;
	if (cell->type == CELL_TEXT && !cell->foreign)
		return text_of(cell);
	if (cell->type == CELL_TEXT)
		printable_text(buffer, CELL_TEXT_SIZE, text_of(cell));
	else
		value_text(cell, buffer);
	return buffer;
}

/* A lone sign is what stands for nothing, and no formula. */
static bool is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r", text[0]) && text[1] != '\0';
}

static void csv_text(FILE *stream, const char *text)
{
	bool quoted = text[strcspn(text, ",\"\r\n")] != '\0';

	fputs(quoted ? "\"" : "", stream);
	fputs(is_formula(text) ? "'" : "", stream);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', stream);
		fputc(*text, stream);
	}
	fputs(quoted ? "\"" : "", stream);
}

void cell_csv(FILE *stream, const struct cell *cell)
{
	char buffer[CELL_TEXT_SIZE];

	if (cell->state == CELL_ABSENT)
		return;
	if (cell->state == CELL_NOT_OBSERVED || cell->type == CELL_TEXT)
		csv_text(stream, cell_plain(cell, buffer));
	else if (cell->type == CELL_BYTES)
		fprintf(stream, "%" PRIu64, cell->count);
	else if (is_whole(cell->type) || cell->type == CELL_TICKS || cell->type == CELL_SECONDS)
		fputs(cell_plain(cell, buffer), stream);
	else if (isfinite(cell->number))
		fprintf(stream, cell->type == CELL_CHANGE ? "%.2f" : "%.10g", cell->number);
}

json_t *cell_json(const struct cell *cell)
{
	if (cell->state == CELL_ABSENT)
		return json_null();
	if (cell->state == CELL_NOT_OBSERVED)
		return json_string(NOT_OBSERVED);
	switch (cell->type) {
	case CELL_TEXT:
		return json_text(text_of(cell));
	case CELL_COUNT:
	case CELL_BYTES:
		return json_count(cell->count);
	case CELL_ADDRESS:
		return json_hex(cell->count);
	case CELL_TRUTH:
		return json_boolean(cell->count);
	default:
		return isfinite(cell->number) ? json_real(cell->number) : json_null();
	}
}
