/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

void console_init(struct console *console, int fd, uint64_t limit)
{
	*console = (struct console){
		.fd = fd,
		.escape = fd >= 0 && isatty(fd),
		.limit = limit,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

static bool ending(const struct console *console)
{
	return console->stop && atomic_load(console->stop);
}

static bool would_wait(const struct console *console)
{
	struct pollfd fd = {console->fd, POLLOUT, 0};

	return poll(&fd, 1, 0) <= 0;
}

/* Writes what is in the buffer, or gives it up if a signal ends the wait for a reader when the run is to end. */
static void write_buffer(struct console *console)
{
	size_t done = 0;

	while (done < console->used && console->fd >= 0 && console->error == 0) {
		ssize_t n = write(console->fd, console->buffer + done, console->used - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			console->error = console_errno();
		else if (ending(console))
			break;
	}
	console->used = 0;
}

void console_flush(struct console *console)
{
	pthread_mutex_lock(&console->lock);
	if (ending(console) && would_wait(console))
		console->used = 0;
	write_buffer(console);
	pthread_mutex_unlock(&console->lock);
}

void console_finish(struct console *console)
{
	if (!console)
		return;
	console_flush(console);
	pthread_mutex_destroy(&console->lock);
}

size_t console_escape(char out[4], unsigned char byte, bool keep_lines)
{
	static const char digits[] = "0123456789abcdef";

	if ((byte >= ' ' && byte <= '~') || (keep_lines && (byte == '\n' || byte == '\t'))) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
	return 4;
}

/* A write that has begun is interrupted by a signal when the run is to end; one that has not must not begin.
 * console_flush() sees to what is in the buffer then; the rest is given up. */
static void put(struct console *console, unsigned char byte)
{
	console->in_line = byte != '\n';
	if (console->used + 4 > sizeof(console->buffer)) {
		if (ending(console))
			return;
		write_buffer(console);
	}
	if (console->escape && console->lines_end_in_cr && byte == '\r')
		return;
	if (console->escape)
		console->used +=
			console_escape(console->buffer + console->used, byte, true);
	else
		console->buffer[console->used++] = (char)byte;
}

void console_write(struct console *console, const char *text, size_t length)
{
	bool failed;

	pthread_mutex_lock(&console->lock);
	failed = console->error != 0;
	for (size_t i = 0; i < length; i++) {
		if (console->written == console->limit) {
			console->dropped += length - i;
			break;
		}
		console->written++;
		put(console, (unsigned char)text[i]);
		if (text[i] == '\n' && !ending(console))
			write_buffer(console);
	}
	if (console->prompt && !ending(console))
		write_buffer(console);
	failed = !failed && console->error != 0;
	pthread_mutex_unlock(&console->lock);
	if (failed && console->failed)
		console->failed(console->opaque);
}

void console_end_line(struct console *console)
{
	pthread_mutex_lock(&console->lock);
	if (console->in_line)
		put(console, '\n');
	write_buffer(console);
	pthread_mutex_unlock(&console->lock);
}
