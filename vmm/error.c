/* SPDX-License-Identifier: GPL-2.0-only */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, int result, int status, const char *format, ...)
{
	va_list args;

	if (!error || error->text[0] != '\0')
		return result;
	error->status = status;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return result;
}

int error_report(const struct error *error)
{
	fprintf(stderr, "sidestep: %s\n", error->text);
	return error->status;
}
