/* SPDX-License-Identifier: GPL-2.0-only */
#include "bare.h"
#include "console.h"
#include "memory.h"

void bare_stop(enum stop_cause cause, int status, const char *text)
{
	struct record_end record = {
		.record = {.type = RECORD_END, .size = sizeof(record)},
		.cause = cause,
		.status = status,
	};

	for (unsigned i = 0; text[i] && i + 1 < sizeof(record.text); i++)
		record.text[i] = text[i];
	guest_text_end();
	log_drain(bare_vcpu(), 0);
	log_record(&record);
	log_flush();
	summary_tell();
	if (text[0])
		console_say(text, (const char *)0);
	console_end();
}
