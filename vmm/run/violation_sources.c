/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/violation_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"

_Static_assert(SOURCE_LINE_SIZE == RECORD_SOURCE_SIZE, "a line's text fits into its record");

/* One for each instruction, and the last for the one that ended the VM. */
#define LINES_MAX (SUMMARY_VIOLATIONS_MAX + 1)

/* Of an address behind the instruction its last byte is in front. */
static uint64_t address_of(const struct record_violation *record)
{
	return record->rip - (record->flags & VIOLATION_RIP_BEHIND ? 1 : 0);
}

static bool is_repeated(const struct summary *summary, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (summary->violations[i].record.rip == summary->violations[index].record.rip)
			return true;
	return false;
}

static void add_line(struct violation_sources *sources, struct summary *summary, struct ledger *ledger,
		     const struct record_source *record)
{
	summary_add(summary, &record->record);
	if (ledger && sources->recorded++ < VIOLATION_SOURCES_MAX)
		ledger_append(ledger, &record->record);
}

static void add_to_message(struct stop *why, const struct source_line *line)
{
	char part[SOURCE_LINE_SIZE + 2];

	snprintf(part, sizeof(part), "; %s", line->text);
	if (why->violation_rip && line->text[0])
		printable_append(why->text, sizeof(why->text), part);
}

void violation_sources_add(struct violation_sources *sources, struct vm *vm, struct summary *summary,
			   struct ledger *ledger)
{
	const size_t count = sources->lines ? summary->violation_count : 0;
	struct source_line *lines = count ? calloc(LINES_MAX, sizeof(*lines)) : NULL;

	/* Without memory there are no lines: nothing else depends on them. */
	if (!lines)
		return;
	for (size_t i = 0; i < count; i++)
		lines[i].address = address_of(&summary->violations[i].record);
	lines[count].address = vm->why.violation_rip;
	source_lines_find(sources->lines, lines, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct record_source record = {.record = {.type = RECORD_SOURCE, .size = sizeof(record), .vm = (uint8_t)vm->index},
					       .rip = summary->violations[i].record.rip};

		memcpy(record.text, lines[i].text, sizeof(record.text));
		if (record.text[0] && !is_repeated(summary, i))
			add_line(sources, summary, ledger, &record);
	}
	add_to_message(&vm->why, &lines[count]);
	free(lines);
}
