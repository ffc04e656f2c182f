/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vmm/base/printable.h"

#define FIRST_MS 1000
#define AGAIN_MS 250
#define TEXT_SIZE 400
#define WIDTH_MIN 16 /* of printable_shorten() */
#define ERASE "\r\033[K"

static bool shown; /* there is a screen, and it is ours */
static volatile sig_atomic_t visible; /* a line stands there */
static const char *command;
static size_t width; /* of the line, with its end */
static uint64_t due; /* when it may be drawn, in ms */
static char step[TEXT_SIZE];

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* In the last column a terminal may already be in the next line. */
static size_t find_width(void)
{
	struct winsize size;
	const size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;

	if (columns < WIDTH_MIN)
		return columns ? WIDTH_MIN : 80;
	return columns < TEXT_SIZE ? columns : TEXT_SIZE;
}

void progress_start(const char *name, bool screen)
{
	shown = screen;
	if (!shown)
		return;
	command = name;
	width = find_width();
	due = now_ms() + FIRST_MS;
}

bool progress_is_shown(void)
{
	return shown;
}

static void draw(const char *text)
{
	char line[TEXT_SIZE];

	printable_shorten(line, width, text);
	fprintf(stderr, ERASE "%s", line);
	visible = true;
}

static void draw_step(const char *how_far)
{
	const uint64_t now = now_ms();
	char text[2 * TEXT_SIZE];

	if (now < due)
		return;
	due = now + AGAIN_MS;
	snprintf(text, sizeof(text), "%s: %s%s", command, step, how_far);
	draw(text);
}

void progress_step(const char *format, ...)
{
	va_list args;

	if (!shown)
		return;
	va_start(args, format);
	vsnprintf(step, sizeof(step), format, args);
	va_end(args);
	draw_step("");
}

void progress_at(uint64_t done, uint64_t all)
{
	char how_far[32] = "";

	if (!shown || !step[0])
		return;
	if (all)
		snprintf(how_far, sizeof(how_far), ", %u %%", (unsigned)((double)done * 100 / (double)all));
	else if (done)
		snprintf(how_far, sizeof(how_far), ", %" PRIu64 " MiB", done >> 20);
	draw_step(how_far);
}

void progress_show(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	if (!shown)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	draw(text);
}

void progress_end(void)
{
	step[0] = '\0';
	if (visible)
		fputs(ERASE, stderr);
	visible = false;
}

void progress_stop(void)
{
	progress_end();
	shown = false;
}

void progress_abandon(void)
{
	if (visible)
		(void)!write(STDERR_FILENO, ERASE, sizeof(ERASE) - 1);
}
