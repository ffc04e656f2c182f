/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIDESTEP_BARE_DESCRIPTORS_H
#define SIDESTEP_BARE_DESCRIPTORS_H

/* The segments and gates of the monitor, on this processor. */
void descriptors_load(void);

#endif
