/* SPDX-License-Identifier: GPL-2.0-only */
/* What `sidestep views` says of views whose violations are exceptions, which no host with KVM has. */
#include "tests/unit/cmocka_prelude.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/policy/policy_load.h"
#include "vmm/report/views_report.h"

static const char text[] =
	"views: {\n"
	"  open = { default = \"rwx\"; rights = { boot = \"r--\"; }; };\n"
	"  shut = { default = \"r--\"; ve = true; suppress = [ \"stacks\", \"tag-2\" ];\n"
	"    rights = { boot = \"rwx\"; context = \"---\"; stacks = \"rw-\"; };\n"
	"    remap = { window-tag = \"tag-1\"; context = 0x200000; tag-2 = \"tag-1\"; }; };\n"
	"};\n";

static struct views_report *report_create(void)
{
	static const struct gpa_range ranges[] = {{{0}, 16 << 20}, {{SS_MMIO_GPA}, GPA_PAGE_SIZE}};
	struct views_report *report = calloc(1, sizeof(*report));
	int fd = memfd_create("policy", MFD_CLOEXEC);
	struct error error = {0};
	char path[32];

	assert_non_null(report);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	report->target.view = (struct view_target){
		.memory = {ranges, ARRAY_SIZE(ranges)},
		.format = &paging_formats[PAGING_EPT],
		.caps = {.maxphyaddr = 46, .ve = true},
	};
	assert_int_equal(policy_load(&report->file, path,
				     &(struct policy_subject){&report->image, &report->target.view, "vmx", false},
				     &report->diagnostics, &error),
			 0);
	close(fd);
	assert_int_equal(policy_survey(&report->survey, &report->file.policy, &report->target.view.memory), 0);
	report->path = "a.views";
	report->guest = "a guest";
	report->engine = engine_by_key("vmx");
	report->sound = true;
	return report;
}

static void report_destroy(struct views_report *report)
{
	policy_survey_finish(&report->survey);
	policy_file_finish(&report->file);
	free(report);
}

static char *written(const struct views_report *report, int write_views(const struct views_report *, FILE *))
{
	char *output = NULL;
	size_t size;
	FILE *stream = open_memstream(&output, &size);

	assert_non_null(stream);
	assert_int_equal(write_views(report, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return output;
}

/* Whether the line that starts with this word ends so. */
static void line_ends(const char *output, const char *word, const char *end)
{
	const size_t length = strlen(end);

	for (const char *line = output; line; line = strchr(line, '\n')) {
		const char *stop;

		line += *line == '\n';
		stop = strchr(line, '\n');
		if (strncmp(line, word, strlen(word)) != 0 || !stop)
			continue;
		while (stop[-1] == ' ')
			stop--;
		if ((size_t)(stop - line) < length || strncmp(stop - length, end, length) != 0)
			fail_msg("'%.*s' does not end with '%s'", (int)(stop - line), line, end);
		return;
	}
	fail_msg("no line '%s'", word);
}

static void cells(void **state)
{
	struct views_report *report = report_create();
	char *output = written(report, views_text);

	(void)state;
	/* Where nothing is forbidden nothing is #VE, and the view that does not ask for it has none. */
	line_ends(output, "boot", " r--  rwx");
	line_ends(output, "context", " rwx  --- ve");
	line_ends(output, "stacks", " rwx  rw-");
	line_ends(output, "window-tag", " rwx  r-- ve of tag-1");
	line_ends(output, "tag-2", " rwx  r-- of tag-1");
	line_ends(output, "(rest)", " rwx  r-- ve");
	free(output);
	report_destroy(report);
}

static void json(void **state)
{
	struct views_report *report = report_create();
	char *output = written(report, views_json);
	json_t *root = json_loads(output, 0, NULL), *suppress, *view;

	(void)state;
	assert_non_null(root);
	view = json_array_get(json_object_get(root, "views"), 0);
	assert_true(json_is_false(json_object_get(view, "ve")));
	assert_int_equal(json_array_size(json_object_get(view, "suppress")), 0);
	view = json_array_get(json_object_get(root, "views"), 1);
	assert_true(json_is_true(json_object_get(view, "ve")));
	suppress = json_object_get(view, "suppress");
	assert_int_equal(json_array_size(suppress), 2);
	assert_string_equal(json_string_value(json_array_get(suppress, 0)), "stacks");
	assert_string_equal(json_string_value(json_array_get(suppress, 1)), "tag-2");
	json_decref(root);
	free(output);
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells),
		cmocka_unit_test(json),
	};

	return cmocka_run_group_tests_name("views_report", tests, NULL, NULL);
}
