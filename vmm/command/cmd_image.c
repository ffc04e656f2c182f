/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep image: a test or a guest for a computer without a hypervisor. */
#include <errno.h>
#include <string.h>

#include "vmm/bare/bare_image.h"
#include "vmm/bare/iso.h"
#include "vmm/base/progress.h"
#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/policy/diagnostic.h"
#include "vmm/service/differential.h"

static int write_image(const void *data, const struct settings *settings, FILE *stream)
{
	const struct blob *image = data;

	progress_step("writing %s", settings->output);
	for (size_t at = 0; at < image->size; at += PROGRESS_BYTES) {
		const size_t left = image->size - at;

		progress_at(at, image->size);
		/* What fails shows when the stream is closed. */
		fwrite(image->data + at, 1, left < PROGRESS_BYTES ? left : PROGRESS_BYTES, stream);
	}
	progress_end();
	return 0;
}

/* A name that ends so asks for a medium to boot from. */
static bool is_iso(const char *name)
{
	const size_t length = strlen(name);

	return length >= 4 && strcmp(name + length - 4, ".iso") == 0;
}

static int make_image(struct blob *ret_image, const struct settings *settings, struct error *error)
{
	/* The model knows what the built-in guest does, and no other. */
	const bool judged = !settings->bench && !settings->plan.guest;
	int rc = bare_image_make(ret_image, &settings->plan, judged, error);

	return rc == 0 && is_iso(settings->output) ? iso_make(ret_image, error) : rc;
}

int command_image(const struct settings *given)
{
	struct settings settings = *given;
	struct error error = {0};
	struct blob image = {0};
	struct diagnostics diagnostics = {0};
	struct differential run = {
		.seed = given->seed,
		.count = given->random,
		.shard = given->shard - 1,
		.shards = given->shards,
	};

	settings.plan.patterns = (const char *const *)given->operands;
	settings.plan.pattern_count = (size_t)given->operand_count;
	settings.plan.differential = given->random ? &run : NULL;
	settings.plan.diagnostics = &diagnostics;
	settings.plan.trace = TRACING_OFF;
	settings.plan.jail = JAIL_NONE;
	if (!given->output)
		error_set(&error, -EINVAL, STATUS_USAGE, "image: name the file to write with -o FILE");
	else if (make_image(&image, &settings, &error) == 0)
		output_emit(write_image, &image, &settings, &error);
	if (given->plan.views)
		diagnostics_print(&diagnostics, given->plan.views, stderr);
	blob_finish(&image);
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}
