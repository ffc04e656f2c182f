/* SPDX-License-Identifier: GPL-2.0-only */
/* As turns_short.S with interrupts off: a turn is over all the same. */
#define MASKED
#include "turns_short.S"
