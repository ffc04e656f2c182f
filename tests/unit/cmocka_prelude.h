/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_CMOCKA_PRELUDE_H
#define TESTS_CMOCKA_PRELUDE_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

#endif
