/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <unistd.h>

#include "vmm/base/stream.h"

#define WHOLE_LINE 4000

struct libscols_table *table_start(FILE *stream, bool fit)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_set_stream(table, stream);
	if (!fit || !isatty(stream_fd(stream)))
		scols_table_set_termwidth(table, WHOLE_LINE);
	return table;
}

int table_finish(struct libscols_table *table, int rc)
{
	if (rc == 0 && scols_print_table(table) != 0)
		rc = -ENOMEM;
	scols_unref_table(table);
	return rc;
}
