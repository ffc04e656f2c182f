/* SPDX-License-Identifier: GPL-2.0-only */
/* Text on the screen, which the firmware or the boot loader has set up: of characters, or of pixels. */
#ifndef SIDESTEP_BARE_SCREEN_H
#define SIDESTEP_BARE_SCREEN_H

#include <stdint.h>

#define SCREEN_EGA 0xb8000
#define SCREEN_EGA_PITCH 160

enum screen_kind { SCREEN_NONE, SCREEN_TEXT, SCREEN_PIXELS };

struct screen {
	enum screen_kind kind;
	uint64_t address; /* where it is seen */
	uint32_t pitch;   /* bytes from one line, of characters or of pixels, to the next */
	uint32_t width, height; /* in pixels */
	uint32_t pixel_size;    /* in bytes; all ones are white in every order of colours */
	/* The letters for pixels, which the loader has: a console font in the format PSF 1. */
	const uint8_t *font;
	uint64_t font_size; /* 0 in a build that has none */
};

/* Clears it. It is used from now on; NULL: there is none. Pixels need the font. */
void screen_init(const struct screen *screen);

/* A printable ASCII character, or '\n'. */
void screen_put(char c);

#endif
