/* SPDX-License-Identifier: GPL-2.0-only */
/* Landlock (Documentation/userspace-api/landlock.rst), which the C library has no functions for. */
#ifndef VMM_JAIL_LANDLOCK_H
#define VMM_JAIL_LANDLOCK_H

/* Version of the kernel's interface, from 1, or a negative errno: -ENOSYS, it is not built in; -EOPNOTSUPP, it
 * is turned off. The kernel is asked once. */
int landlock_abi(void);

/*
 * Takes from the calling thread, for good, all access to files by name, and to TCP ports from version 4 on.
 * What is open stays usable. Below `directory`, unless it is -1, files may be created, written, renamed
 * and removed. Returns 0 or a negative errno.
 */
int landlock_confine(int abi, int directory);

#endif
