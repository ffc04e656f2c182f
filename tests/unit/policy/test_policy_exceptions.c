/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy files: what they say of violations as #VE. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"
#include "vmm/policy/policy_warn.h"

/* The region's own rights and whether a violation there is #VE, by a rule. */
static void has_rule(const struct view_policy *policy, uint32_t view, const char *region, unsigned rights, bool ve)
{
	const struct view_rule *rule;
	uint32_t index;

	assert_int_equal(policy_find_region(policy, region, &index), 0);
	rule = policy_rule(policy, view, index);
	assert_non_null(rule);
	assert_int_equal(rule->rights, rights);
	assert_int_equal(rule->ve, ve);
}

/* What is #VE, in whatever order the file says it. */
static void exceptions(void **state)
{
	static const char *const members[] = {
		"default = \"r--\"; ",
		"ve = true; ",
		"rights = { boot = \"rw-\"; context = \"---\"; }; ",
		"suppress = [ \"context\", \"stacks\", \"tag-1\" ]; ",
		"remap = { window-tag = \"tag-2\"; tag-1 = \"tag-2\"; }; ",
	};
	const size_t count = ARRAY_SIZE(members);
	struct loaded *loaded = malloc(sizeof(*loaded));
	const struct view_policy *policy = &loaded->file.policy;
	uint32_t index;

	(void)state;
	for (size_t i = 0; i < 2 * count; i++) {
		char text[400] = "views: { other = { default = \"r--\"; rights = { boot = \"---\"; }; }; v = { ";

		/* Each of them first, forwards and backwards. */
		for (size_t j = 0; j < count; j++)
			strcat(text, members[(i < count ? i + j : 2 * count + i - j) % count]);
		strcat(text, "}; };");
		fixture_load(loaded, text, strlen(text), &fixture_ept, false);
		assert_int_equal(loaded->rc, 0);
		assert_false(view_has_ve(&policy->views[0]));
		assert_true(policy->views[1].ve);
		has_rule(policy, 0, "boot", 0, false);
		has_rule(policy, 1, "boot", VIEW_READ | VIEW_WRITE, true);
		has_rule(policy, 1, "context", 0, false);
		has_rule(policy, 1, "stacks", VIEW_READ, false);
		has_rule(policy, 1, "window-tag", VIEW_READ, true);
		has_rule(policy, 1, "tag-1", VIEW_READ, false);
		/* Nothing is said about its rights, nor what it shows. */
		assert_int_equal(loaded->file.views[1].suppressed.count, 1);
		assert_int_equal(policy_find_region(policy, "stacks", &index), 0);
		assert_int_equal(loaded->file.views[1].suppressed.regions[0], index);
		assert_false(policy_file_has_rights(&loaded->file, 1, index));
		assert_int_equal(policy_find_region(policy, "context", &index), 0);
		assert_true(policy_file_has_rights(&loaded->file, 1, index));
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

/* Where no violation can be #VE: refused, or, leniently, withheld and reported. */
static void no_exceptions(void **state)
{
	static const char text[] =
		"views: {\n v = { default = \"r\"; };\n w = { default = \"r\"; ve = true;\n"
		"  suppress = [ \"boot\" ]; rights = { stacks = \"rw\"; }; };\n};";
	static const struct paging_format *const formats[] = {&paging_formats[PAGING_EPT], &paging_formats[PAGING_NPT]};
	struct loaded *loaded = malloc(sizeof(*loaded));
	const struct view_policy *policy = &loaded->file.policy;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct view_target without = fixture_ept;
		char found[100];

		without.format = formats[i];
		/* NPT has none, whatever the capabilities say. */
		without.caps.ve = formats[i] != fixture_ept.format;
		for (int lenient = 0; lenient < 2; lenient++) {
			fixture_load(loaded, text, strlen(text), &without, lenient);
			fixture_summarize(&loaded->diagnostics, found, sizeof(found));
			assert_string_equal(found, lenient ? "3:28 ve-withheld" : "3:28 ve-unknown");
			assert_int_equal(loaded->rc, lenient ? 0 : -EINVAL);
			assert_int_equal(loaded->diagnostics.count[SEVERITY_WARNING], lenient);
			assert_string_equal(
				loaded->diagnostics.list[0].text,
				lenient ? "engine test has no #VE here; violations of view 'w' exit instead"
					: "engine test cannot: violations as #VE need a processor with VMX and no KVM "
					  "below, as an image has (sidestep image --engine vmx); --lenient lets them "
					  "exit");
			assert_int_equal(policy_has_ve(policy), !lenient);
			policy_file_finish(&loaded->file);
		}
	}
	free(loaded);
}

/* What is said of a view whose violations are #VE. */
static void exception_warnings(void **state)
{
#define VE_VIEW(members) "views: { v = { default = \"r-x\"; ve = true; " members " }; };"
#define NEEDED "boot = \"rw\"; context = \"rw\"; stacks = \"rw\"; "
	static const struct {
		const char *text, *warnings;
	} files[] = {
		{VE_VIEW("rights = { " NEEDED "ve = \"rw\"; };"), ""},
		{VE_VIEW("rights = { " NEEDED "};"), "1:26 ve-page"},
		{VE_VIEW("rights = { " NEEDED "}; suppress = [ \"ve\" ];"), "1:26 ve-page"},
		{VE_VIEW("rights = { " NEEDED "ve = \"---\"; }; suppress = [ \"ve\" ];"), ""},
		/* That violations exit there is no answer to what the guest needs. */
		{VE_VIEW("rights = { boot = \"rw\"; stacks = \"---\"; ve = \"rw\"; }; suppress = [ \"context\", \"stacks\" ];"),
		 "1:26 need"},
		{"views: { v = { default = \"r-x\"; rights = { " NEEDED "}; }; };", ""},
	};
#undef NEEDED
#undef VE_VIEW
	struct image image = fixture_guest;
	const struct policy_subject subject = {&image, &fixture_ept, "test", false};
	struct loaded *loaded = malloc(sizeof(*loaded));

	(void)state;
	image.segment_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char found[200];

		fixture_load(loaded, files[i].text, strlen(files[i].text), &fixture_ept, false);
		assert_int_equal(loaded->rc, 0);
		assert_int_equal(policy_warn(&loaded->file, &subject, &loaded->diagnostics), 0);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, files[i].warnings);
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exceptions),
		cmocka_unit_test(no_exceptions),
		cmocka_unit_test(exception_warnings),
	};

	return cmocka_run_group_tests_name("policy_exceptions", tests, NULL, NULL);
}
