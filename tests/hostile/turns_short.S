/* SPDX-License-Identifier: GPL-2.0-only */
/* As turns.S where no hypervisor is below the monitor, which makes a turn short. */
#define MISSING 500	/* a turn of 1 ms is 1000 instructions on one of the emulators, a million on the other */
#define BEYOND 5000000
#include "turns.S"
