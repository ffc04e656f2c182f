/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_warn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "views/effect.h"
#include "views/policy_lint.h"
#include "vmm/guest/boot.h"
#include "vmm/policy/policy_source.h"

struct warning_text {
	const struct policy_file *file;
	const struct image *image;
	struct diagnostics *diagnostics;
	const struct lint_need *needs;
};

static const char *region_name(const struct warning_text *text, uint32_t region)
{
	return region < text->file->policy.region_count ? text->file->policy.regions[region].name
							: "the rest of memory";
}

static const char *view_name(const struct warning_text *text, uint32_t view)
{
	return text->file->policy.views[view].name;
}

static struct place place_of(const struct policy_file *file, const struct lint_warning *warning)
{
	switch (warning->kind) {
	case LINT_GATE_NOT_EXECUTABLE:
	case LINT_GATE_ALONE:
	case LINT_GATE_DIFFERS:
	case LINT_GATE_WITHOUT_VMFUNC:
		return policy_file_gate_place(file, warning->view, warning->region);
	case LINT_WRITE_EXECUTE_ALIAS:
		return policy_file_remap_place(file, warning->view, warning->region);
	default:
		return policy_file_rights_place(file, warning->view, warning->region);
	}
}

/* "0x101234 (net_send+0x14)" */
static void describe_address(const struct warning_text *text, const struct lint_warning *warning,
			     char *buffer, size_t size)
{
	uint64_t shown = policy_effect(&text->file->policy, warning->view, warning->gpa).target.v;
	const struct image_symbol *symbol = image_symbol_at(text->image, shown);

	if (symbol)
		snprintf(buffer, size, "0x%" PRIx64 " (%.60s+0x%" PRIx64 ")", warning->gpa.v,
			 symbol->name, shown - symbol->address);
	else
		snprintf(buffer, size, "0x%" PRIx64, warning->gpa.v);
}

__attribute__((format(printf, 3, 4))) static void
say(const struct warning_text *text, const struct lint_warning *warning, const char *format, ...)
{
	char line[280];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	diagnose(text->diagnostics, SEVERITY_WARNING, lint_key(warning->kind),
		 place_of(text->file, warning), "%s", line);
}

static void say_need(const struct warning_text *text, const struct lint_warning *warning)
{
	const struct lint_need *need = &text->needs[warning->need];
	char rights[RIGHTS_TEXT_SIZE];

	rights_text(need->rights, rights);
	say(text, warning,
	    "view '%s' keeps %s from the guest, which needs \"%s\" there; give it rights, or "
	    "\"---\" if "
	    "the guest does without",
	    view_name(text, warning->view), need->name, rights);
}

/* Past this nobody counts: the first ones are shown, and a policy of a million is as wrong as one of these. */
#define WARNINGS_MAX 10000

static void say_warning(const struct warning_text *text, const struct lint_warning *warning)
{
	const char *view = view_name(text, warning->view);
	const char *region = region_name(text, warning->region);
	char where[120];

	describe_address(text, warning, where, sizeof(where));
	switch (warning->kind) {
	case LINT_WRITE_EXECUTE:
		say(text, warning,
		    "view '%s' can write and execute %" PRIu64 " KiB of %s; if that is meant, say "
		    "wx = true",
		    view, warning->count >> 10, region);
		break;
	case LINT_WRITE_EXECUTE_ALIAS:
		say(text, warning,
		    "in view '%s', %s shows memory of %s, which is written under one address and "
		    "executed under the other",
		    view, region, region_name(text, warning->other_region));
		break;
	case LINT_WRITE_EXECUTE_ACROSS:
		say(text, warning,
		    "view '%s' can write %" PRIu64 " KiB of %s that view '%s' executes; if that is "
		    "meant, say wx = true there",
		    view, warning->count >> 10, region, view_name(text, warning->other_view));
		break;
	case LINT_VMFUNC:
		say(text, warning,
		    "view '%s' can be entered at %s in %s, which holds the bytes of a VMFUNC and "
		    "is "
		    "none of its gates%s",
		    view, where, region, warning->count > 1 ? "; there are more in this page" : "");
		break;
	case LINT_GATE_NOT_EXECUTABLE:
		say(text, warning, "view '%s' cannot execute its gate %s", view, region);
		break;
	case LINT_GATE_ALONE:
		say(text, warning,
		    "no view but '%s' can execute its gate %s, so nobody enters there", view,
		    region);
		break;
	case LINT_GATE_DIFFERS:
		say(text, warning, "views '%s' and '%s' show different memory at gate %s", view,
		    view_name(text, warning->other_view), region);
		break;
	case LINT_GATE_WITHOUT_VMFUNC:
		say(text, warning, "gate %s does not hold the bytes of a VMFUNC", region);
		break;
	case LINT_GATE_WRITABLE:
		say(text, warning, "view '%s' can write gate %s, at %s in %s", view,
		    region_name(text, warning->other_region), where, region);
		break;
	case LINT_NEED:
		say_need(text, warning);
		break;
	case LINT_VE_PAGE:
		say(text, warning,
		    "violations of view '%s' are #VE, but it keeps from the guest the page that says which; give "
		    "it ve = \"rw-\" among rights, or \"---\" if nobody reads it there",
		    view);
		break;
	case LINT_START:
		say(text, warning, "the guest starts at %s, which view '%s' may not execute", where,
		    view);
		break;
	default:
		break;
	}
}

static bool take_warning(void *data, const struct lint_warning *warning)
{
	const struct warning_text *text = data;
	struct diagnostics *diagnostics = text->diagnostics;

	/* Not worded if nobody will read it. */
	if (diagnostics->kept < DIAGNOSTICS_MAX)
		say_warning(text, warning);
	else
		diagnostics->count[SEVERITY_WARNING]++;
	diagnostics->stopped = diagnostics->count[SEVERITY_WARNING] >= WARNINGS_MAX;
	return !diagnostics->stopped;
}

static int by_address(const void *a, const void *b)
{
	const struct lint_bytes *x = a, *y = b;

	return (x->gpa.v > y->gpa.v) - (x->gpa.v < y->gpa.v);
}

/* What the image puts into memory. */
static struct lint_bytes *image_bytes(const struct image *image)
{
	struct lint_bytes *bytes = calloc(image->segment_count + 1, sizeof(*bytes));

	for (size_t i = 0; bytes && i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (segment->file_offset + segment->file_size <= image->held)
			bytes[i] = (struct lint_bytes){segment->gpa, segment->file_size,
						       image->data + segment->file_offset};
	}
	if (bytes)
		qsort(bytes, image->segment_count, sizeof(*bytes), by_address);
	return bytes;
}

static struct lint_view *view_notes(const struct policy_file *file)
{
	struct lint_view *views = calloc(file->policy.view_count + 1, sizeof(*views));

	for (size_t i = 0; views && i < file->policy.view_count; i++)
		views[i] = (struct lint_view){file->views[i].gates.regions, file->views[i].gates.count,
					      file->views[i].writes_code};
	return views;
}

static struct lint_regions *suppressed_notes(const struct policy_file *file)
{
	struct lint_regions *suppressed = calloc(file->policy.view_count + 1, sizeof(*suppressed));

	for (size_t i = 0; suppressed && i < file->policy.view_count; i++)
		suppressed[i] = (struct lint_regions){file->views[i].suppressed.regions,
						      file->views[i].suppressed.count};
	return suppressed;
}

/* The page that a processor writes at a #VE, and its handler has to clear. */
static struct lint_need ve_page(void)
{
	return (struct lint_need){"ve", {gpa_at(BOOT_VE), BOOT_VE_COUNT * GPA_PAGE_SIZE}, VIEW_READ | VIEW_WRITE};
}

/* The built-in regions that a guest cannot do without; returns how many. */
static size_t collect_needs(const struct image *image, struct lint_need *needs)
{
	size_t count = 0;

	for (size_t i = 0; !image_format_is_kernel(image->format) && i < builtin_region_count; i++)
		if (builtin_regions[i].needed)
			needs[count++] = (struct lint_need){builtin_regions[i].name,
							    builtin_regions[i].range,
							    builtin_regions[i].needed};
	return count;
}

int policy_warn(const struct policy_file *file, const struct policy_subject *subject,
		struct diagnostics *diagnostics)
{
	struct lint_need *needs = calloc(builtin_region_count, sizeof(*needs));
	struct lint_bytes *bytes = image_bytes(subject->image);
	struct lint_view *views = view_notes(file);
	struct lint_regions *suppressed = suppressed_notes(file);
	struct warning_text text = {file, subject->image, diagnostics, needs};
	struct lint_subject lint = {
		.policy = &file->policy,
		.memory = &subject->target->memory,
		.views = views,
		.bytes = bytes,
		/* What a bzimage loads is packed, and not held here. */
		.bytes_count = subject->image->format == IMAGE_BZIMAGE ? 0 : subject->image->segment_count,
		.needs = needs,
		.ve_page = image_format_is_kernel(subject->image->format) ? (struct lint_need){0} : ve_page(),
		.suppressed = suppressed,
		.start = gpa_at(subject->image->entry),
	};
	int rc = -ENOMEM;

	if (needs && bytes && views && suppressed) {
		lint.need_count = collect_needs(subject->image, needs);
		rc = policy_lint(&lint, take_warning, &text);
	}
	free(suppressed);
	free(views);
	free(bytes);
	free(needs);
	diagnostics_sort(diagnostics);
	return rc;
}
