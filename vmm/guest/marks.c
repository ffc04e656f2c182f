/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/marks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/abi.h"

struct marks {
	pthread_mutex_t lock; /* of whoever adds */
	_Atomic uint32_t count;
	char names[SS_MAX_OPERATIONS][SS_MARK_NAME_MAX + 1];
	_Atomic uint64_t refused;
	const char *_Atomic first_refused;
};

struct marks *marks_create(void)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (marks)
		pthread_mutex_init(&marks->lock, NULL);
	return marks;
}

void marks_destroy(struct marks *marks)
{
	if (!marks)
		return;
	pthread_mutex_destroy(&marks->lock);
	free(marks);
}

uint32_t marks_count(const struct marks *marks)
{
	return atomic_load(&marks->count);
}

const char *marks_name(const struct marks *marks, uint32_t number)
{
	return marks->names[number - 1];
}

/* With the lock held. */
static uint32_t find_or_add(struct marks *marks, const char *name, marks_told_fn *told, void *opaque)
{
	const uint32_t count = atomic_load(&marks->count);

	for (uint32_t i = 0; i < count; i++)
		if (strcmp(marks->names[i], name) == 0)
			return i + 1;
	if (count == SS_MAX_OPERATIONS)
		return 0;
	strncpy(marks->names[count], name, SS_MARK_NAME_MAX);
	told(opaque, count + 1, marks->names[count]);
	atomic_store(&marks->count, count + 1);
	return count + 1;
}

uint32_t marks_number(struct marks *marks, const char *name, marks_told_fn *told, void *opaque)
{
	uint32_t number;

	pthread_mutex_lock(&marks->lock);
	number = find_or_add(marks, name, told, opaque);
	pthread_mutex_unlock(&marks->lock);
	return number;
}

void marks_refuse(struct marks *marks, const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&marks->first_refused, &none, what);
	atomic_fetch_add(&marks->refused, 1);
}

uint64_t marks_refused(const struct marks *marks, const char **ret_first)
{
	*ret_first = atomic_load(&marks->first_refused);
	return atomic_load(&marks->refused);
}
