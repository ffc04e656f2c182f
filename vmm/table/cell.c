/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "devices/console.h"
#include "vmm/table/json.h"

struct cell cell_of_text(const char *text)
{
	return (struct cell){.state = text ? CELL_OBSERVED : CELL_ABSENT, .text = text};
}

struct cell cell_of_plain(const char *text)
{
	struct cell cell = {.state = text[0] ? CELL_OBSERVED : CELL_ABSENT};
	size_t used = 0;

	for (; *text && used + 5 < sizeof(cell.buffer); text++)
		used += console_escape(cell.buffer + used, (unsigned char)*text, false);
	cell.buffer[used] = '\0';
	return cell;
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

struct cell cell_of_count(bool observed, uint64_t count)
{
	return observed ? (struct cell){.state = CELL_OBSERVED, .type = CELL_COUNT, .count = count}
			: cell_not_observed(CELL_COUNT);
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

double cell_value(const struct cell *cell)
{
	return cell->type == CELL_COUNT ? (double)cell->count : cell->number;
}

bool cell_equal(const struct cell *a, const struct cell *b)
{
	if (a->state != b->state || a->state != CELL_OBSERVED)
		return a->state == b->state;
	if (a->type == CELL_TEXT || b->type == CELL_TEXT)
		return a->type == b->type && strcmp(text_of(a), text_of(b)) == 0;
	return a->type == CELL_COUNT ? a->count == b->count : a->number == b->number;
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

const char *cell_plain(const struct cell *cell, char buffer[CELL_TEXT_SIZE])
{
	const char *mark = cell->estimated ? "~" : "";
	double number = cell->number;

	if (cell->state == CELL_ABSENT)
		return "-";
	if (cell->state == CELL_NOT_OBSERVED)
		return NOT_OBSERVED;
	if (cell->type == CELL_TEXT)
		return text_of(cell);
	if (cell->type == CELL_COUNT)
		snprintf(buffer, CELL_TEXT_SIZE, "%s%" PRIu64, mark, cell->count);
	else if (cell->type == CELL_CHANGE && isinf(number))
		snprintf(buffer, CELL_TEXT_SIZE, "from 0");
	else if (cell->type == CELL_CHANGE)
		snprintf(buffer, CELL_TEXT_SIZE, "%+.1f%%", number);
	else {
		if (cell->type == CELL_SHARE)
			mark = share_mark(&number);
		snprintf(buffer, CELL_TEXT_SIZE, "%s%.*f", mark,
			 cell->type == CELL_TICKS    ? tick_decimals(number)
			 : cell->type == CELL_NUMBER ? 0
						     : 1,
			 number);
	}
	return buffer;
}

/* A lone sign is what stands for nothing, and no formula. */
static bool is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r", text[0]) && text[1] != '\0';
}

void csv_text(FILE *stream, const char *text)
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
	else if (cell->type == CELL_COUNT)
		fprintf(stream, "%" PRIu64, cell->count);
	else if (cell->type == CELL_TICKS)
		fputs(cell_plain(cell, buffer), stream);
	else if (cell->type == CELL_CHANGE && isfinite(cell->number))
		fprintf(stream, "%.2f", cell->number);
	else if (isfinite(cell->number))
		fprintf(stream, "%.10g", cell->number);
}

void csv_row(FILE *stream, const struct cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : "", stream);
		cell_csv(stream, &cells[i]);
	}
	fputs("\n", stream);
}

json_t *json_cell(const struct cell *cell)
{
	if (cell->state == CELL_ABSENT)
		return json_null();
	if (cell->state == CELL_NOT_OBSERVED)
		return json_string(NOT_OBSERVED);
	if (cell->type == CELL_TEXT)
		return json_text(text_of(cell));
	if (cell->type == CELL_COUNT)
		return json_count(cell->count);
	return isfinite(cell->number) ? json_real(cell->number) : json_null();
}
