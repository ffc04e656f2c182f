/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int number_whole(const char *text, uint64_t limit, uint64_t *ret_number, const char **ret_end)
{
	unsigned long long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || number > limit)
		return -ERANGE;
	*ret_number = number;
	*ret_end = end;
	return 0;
}

int number_decimal(const char *text, double least, double most, double *ret_number)
{
	double number;
	char *end;

	if (text[strspn(text, "0123456789.")] != '\0')
		return -EINVAL;
	number = strtod(text, &end);
	if (end == text || *end != '\0')
		return -EINVAL;
	if (number < least || number > most)
		return -ERANGE;
	*ret_number = number;
	return 0;
}
