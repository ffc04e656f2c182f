/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/ledger/ledger_fixture.h"

char directory[] = "/tmp/sidestep-ledger-XXXXXX";
char path[64], nowhere[64];

int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/ledger", directory);
	snprintf(nowhere, sizeof(nowhere), "%s/none/ledger", directory);
	return 0;
}

int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

struct record_exit exit_record(uint64_t number)
{
	return (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(struct record_exit)},
		.time = number,
		.rip = ~number,
		.qualification = number * 3,
	};
}

void create(struct ledger *ledger)
{
	struct error error = {0};

	assert_int_equal(ledger_create(ledger, path, 2400000, &error), 0);
	assert_string_equal(error.text, "");
}

void open_ledger(struct ledger_reader *reader)
{
	struct error error = {0};

	assert_int_equal(ledger_open(reader, path, &error), 0);
}
