/* SPDX-License-Identifier: GPL-2.0-only */
#include "screen.h"

#include "memory.h"

/* What every screen has room for; larger pixels fill one that has more. */
#define COLUMNS 80
#define ROWS 25
#define WHITE_ON_BLACK 0x0700

/* Of a font: a header, then the glyphs, a byte a row. */
#define FONT_MAGIC 0x0436
#define FONT_HEADER 4
#define GLYPH_WIDTH 8
#define GLYPH_HEIGHT 16
#define GLYPHS 128 /* that are the ASCII characters */

static struct screen used;
static unsigned scale; /* pixels that a pixel of a glyph is wide and high */
static unsigned column, row;
/* What is where: to read a screen's memory back takes very long. */
static char shown[ROWS][COLUMNS];

static int have_font(void)
{
	return used.font_size >= FONT_HEADER + GLYPHS * GLYPH_HEIGHT &&
	       (used.font[0] | used.font[1] << 8) == FONT_MAGIC && used.font[3] == GLYPH_HEIGHT;
}

static void draw_glyph(unsigned r, unsigned c, char character)
{
	const uint8_t *glyph = used.font + FONT_HEADER + GLYPH_HEIGHT * (unsigned char)character;
	const unsigned dot = scale * used.pixel_size;
	uint8_t *line = (uint8_t *)used.address + (uint64_t)r * GLYPH_HEIGHT * scale * used.pitch +
			(uint64_t)c * GLYPH_WIDTH * dot;

	for (unsigned y = 0; y < GLYPH_HEIGHT * scale; y++, line += used.pitch)
		for (unsigned x = 0; x < GLYPH_WIDTH; x++)
			memset(line + x * dot, glyph[y / scale] >> (GLYPH_WIDTH - 1 - x) & 1 ? 0xff : 0, dot);
}

static void draw(unsigned r, unsigned c, char character)
{
	if (shown[r][c] == character)
		return;
	shown[r][c] = character;
	if (used.kind == SCREEN_TEXT)
		((volatile uint16_t *)(used.address + (uint64_t)r * used.pitch))[c] =
			(uint16_t)(WHITE_ON_BLACK | character);
	else
		draw_glyph(r, c, character);
}

static unsigned fitting_scale(void)
{
	const unsigned across = used.width / (COLUMNS * GLYPH_WIDTH), down = used.height / (ROWS * GLYPH_HEIGHT);

	return across < down ? across : down;
}

static void clear(void)
{
	if (used.kind == SCREEN_PIXELS)
		for (uint32_t y = 0; y < used.height; y++)
			memset((uint8_t *)used.address + (uint64_t)y * used.pitch, 0, used.width * used.pixel_size);
	memset(shown, used.kind == SCREEN_PIXELS ? ' ' : 0, sizeof(shown));
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLUMNS; c++)
			draw(r, c, ' ');
}

void screen_init(const struct screen *screen)
{
	used = screen ? *screen : (struct screen){.kind = SCREEN_NONE};
	column = row = 0;
	if (used.kind == SCREEN_PIXELS) {
		scale = fitting_scale();
		if (!scale || !have_font())
			used.kind = SCREEN_NONE;
	}
	if (used.kind != SCREEN_NONE)
		clear();
}

static void scroll(void)
{
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLUMNS; c++)
			draw(r, c, r + 1 < ROWS ? shown[r + 1][c] : ' ');
	row = ROWS - 1;
}

void screen_put(char c)
{
	if (used.kind == SCREEN_NONE)
		return;
	if (c == '\n' || column == COLUMNS) {
		column = 0;
		row++;
	}
	if (row == ROWS)
		scroll();
	if (c >= ' ' && c <= '~')
		draw(row, column++, c);
}
