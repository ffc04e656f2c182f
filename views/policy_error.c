/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy_error.h"

#include <stddef.h>

struct row {
	int number;
	const char *key;
	const char *text;
};

static const struct row rows[POLICY_ERROR_COUNT] = {
#define POLICY_ERROR_ROW(name, number, key, text) \
	[POLICY_ERROR_##name] = { number, key, text },
	POLICY_ERROR_TABLE(POLICY_ERROR_ROW)
#undef POLICY_ERROR_ROW
};

static const struct row *row_of(enum policy_error_kind kind)
{
	static const struct row none;

	return (unsigned)kind < POLICY_ERROR_COUNT ? &rows[kind] : &none;
}

struct policy_error policy_error_of(enum policy_error_kind kind)
{
	return (struct policy_error){
		.kind = kind,
		.view = POLICY_NO_INDEX,
		.region = POLICY_NO_INDEX,
		.other_region = POLICY_NO_INDEX,
		.other_view = POLICY_NO_INDEX,
		.range = POLICY_NO_INDEX,
	};
}

int policy_error_number(enum policy_error_kind kind)
{
	return row_of(kind)->number;
}

const char *policy_error_key(enum policy_error_kind kind)
{
	return row_of(kind)->key;
}

const char *policy_error_text(enum policy_error_kind kind)
{
	return row_of(kind)->text;
}

int policy_error_return(const struct policy_error *error,
			struct policy_error *ret_error)
{
	if (ret_error)
		*ret_error = *error;
	return -policy_error_number(error->kind);
}
