/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as a user writes them: decimal digits, and nothing else. The functions of C would also take blanks, signs,
 * names and other bases. */
#ifndef VMM_BASE_NUMBER_H
#define VMM_BASE_NUMBER_H

#include <stdint.h>

/* A whole number at the beginning of `text`; *ret_end is what follows its last digit. Returns 0, -EINVAL if there is
 * no digit, -ERANGE if it is above `limit`. */
int number_whole(const char *text, uint64_t limit, uint64_t *ret_number, const char **ret_end);

/* All of `text`: digits with at most one point among or around them. Returns 0, -EINVAL, or -ERANGE if it is below
 * `least` or above `most`. */
int number_decimal(const char *text, double least, double most, double *ret_number);

#endif
