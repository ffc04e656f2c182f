/* SPDX-License-Identifier: GPL-2.0-only */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "plain.h"

/* Room for two names of files. */
#define ERROR_RAW_SIZE 9000

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
	plain_shorten(error->text, sizeof(error->text), text);
	return result;
}

int error_report(const struct error *error)
{
	fprintf(stderr, "sidestep: %s\n", error->text);
	return error->status;
}
