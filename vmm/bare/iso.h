/* SPDX-License-Identifier: GPL-2.0-only */
/* A medium that computers boot by themselves, from CD or a USB stick, by BIOS or UEFI: GRUB, and a computer image. */
#ifndef VMM_BARE_ISO_H
#define VMM_BARE_ISO_H

#include "vmm/base/error.h"
#include "vmm/bare/blob.h"

/* Makes the medium's bytes of the image's, with GRUB's own programs as child processes. Nothing is left of the directory
 * that they work in, also if this process is killed. Returns 0 or a negative errno; the image is untouched then. */
int iso_make(struct blob *image, struct error *error);

#endif
