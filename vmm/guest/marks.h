/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of guests without a catalogue, which name them while they run (SS_PORT_MARK): numbers from 1, the same
 * for all VMs of a run. For several threads at once.
 */
#ifndef VMM_GUEST_MARKS_H
#define VMM_GUEST_MARKS_H

#include <stdint.h>

struct marks;

/* Returns NULL if memory is short. */
struct marks *marks_create(void);
void marks_destroy(struct marks *marks); /* NULL is allowed */

/* The number of an operation, 0 if there are SS_MAX_OPERATIONS others. If the name, of 1 to SS_MARK_NAME_MAX characters,
 * is new, `told` is called before anybody can use its number. */
typedef void marks_told_fn(void *opaque, uint32_t number, const char *name);
uint32_t marks_number(struct marks *marks, const char *name, marks_told_fn *told, void *opaque);

/* How many there are; their names do not change. */
uint32_t marks_count(const struct marks *marks);
const char *marks_name(const struct marks *marks, uint32_t number);

/* Notes that the guest has asked for what cannot be. The text is a constant. */
void marks_refuse(struct marks *marks, const char *what);

/* How often that was, and what the first one was. */
uint64_t marks_refused(const struct marks *marks, const char **ret_first);

#endif
