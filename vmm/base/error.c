/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/error.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/base/progress.h"

/* Room for two names of files. */
#define ERROR_RAW_SIZE 9000

_Static_assert(STATUS_READER_GONE == 128 + SIGPIPE, "what SIGPIPE would have been");

int error_set(struct error *error, int result, int status, const char *format, ...)
{
	char text[ERROR_RAW_SIZE];
	va_list args;

	if (!error || error->text[0] != '\0')
		return result;
	error->status = status;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printable_shorten(error->text, sizeof(error->text), text);
	return result;
}

int error_reader_gone(struct error *error)
{
	error_set(error, -EPIPE, STATUS_READER_GONE, "%s", strerror(EPIPE));
	if (error && error->status == STATUS_READER_GONE)
		error->silent = true;
	return -EPIPE;
}

int error_report(const struct error *error)
{
	progress_end();
	if (!error->silent)
		fprintf(stderr, "sidestep: %s\n", error->text);
	return error->status;
}
