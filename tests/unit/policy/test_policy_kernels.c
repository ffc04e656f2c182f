/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy files of kernels that others wrote: without what sidestep has for its own guests, and about the memory and the
 * devices of their platform. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"
#include "vmm/plan/engine_target.h"
#include "vmm/policy/policy_source.h"
#include "vmm/policy/policy_warn.h"

#define GIB (UINT64_C(1) << 30)

static const enum image_format kernels[] = {IMAGE_BZIMAGE, IMAGE_VMLINUX, IMAGE_PVH, IMAGE_MULTIBOOT};

static struct image guest;
static struct gpa_range ranges[ENGINE_RANGES_MAX];
static struct view_target target;
static struct policy_subject subject;
static struct loaded *loaded;
static char found[400];

static int setup(void **state)
{
	(void)state;
	loaded = malloc(sizeof(*loaded));
	return loaded ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(loaded);
	return 0;
}

/* A guest whose file has nothing to name, with so much memory. */
static void is_about(enum image_format format, enum platform platform, uint64_t memory)
{
	guest = (struct image){.format = format};
	target = fixture_ept;
	target.memory = (struct guest_memory){ranges, engine_ranges(platform, memory, ranges)};
	subject = (struct policy_subject){&guest, &target, "test", false};
}

static void expect_faults(const char *text, const char *faults)
{
	fixture_load_for(loaded, text, strlen(text), &subject);
	fixture_summarize(&loaded->diagnostics, found, sizeof(found));
	if (strcmp(found, faults) != 0)
		fail_msg("'%s'\n\twanted '%s'\n\tfound  '%s'", text, faults, found);
}

/* Wherever a region can be named. */
static void no_region_is_built_in(void **state)
{
	static const char *const uses[] = {
		"views: { v = { default = \"rwx\"; rights = { %s = \"r\"; }; }; };",
		"views: { v = { default = \"rwx\"; gates = [ \"%s\" ]; }; };",
		"views: { v = { default = \"rwx\"; ve = true; suppress = [ \"%s\" ]; }; };",
		"views: { v = { default = \"rwx\"; remap = { %s = 0x200000; }; }; };",
	};
	static const char *const faults[] = {"1:44 unknown-region", "1:43 unknown-region", "1:57 unknown-region",
					     "1:43 unknown-region"};
	char text[200];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t i = 0; i < builtin_region_count; i++) {
			const char *name = builtin_regions[i].name;

			is_about(kernels[k], PLATFORM_PC, 128 << 20);
			assert_null(builtin_region_by_name(&guest, name));
			assert_ptr_equal(builtin_region_by_name(&fixture_guest, name), &builtin_regions[i]);
			for (size_t use = 0; use < ARRAY_SIZE(uses); use++) {
				snprintf(text, sizeof(text), uses[use], name);
				expect_faults(text, faults[use]);
				policy_file_finish(&loaded->file);
			}
		}
}

/* The names are free, and mean what the file says. */
static void names_of_built_in_regions_are_free(void **state)
{
	const struct view_policy *policy = &loaded->file.policy;
	char text[200];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t i = 0; i < builtin_region_count; i++) {
			const char *name = builtin_regions[i].name;
			uint32_t index;

			snprintf(text, sizeof(text),
				 "regions: { %s = { address = 0x6000000; size = 0x2000; }; };\n"
				 "views: { v = { default = \"rwx\"; rights = { %s = \"r\"; }; }; };",
				 name, name);
			is_about(kernels[k], PLATFORM_PC, 128 << 20);
			expect_faults(text, "");
			assert_int_equal(policy->region_count, 1);
			assert_int_equal(policy_find_region(policy, name, &index), 0);
			assert_int_equal(policy->regions[index].gpa.v, 0x6000000);
			assert_int_equal(policy->regions[index].size, 0x2000);
			assert_int_equal(policy_rule(policy, 0, index)->rights, VIEW_READ);
			policy_file_finish(&loaded->file);
			is_about(IMAGE_ELF64, PLATFORM_SIDESTEP, 128 << 20);
			expect_faults(text, "1:12 name");
			policy_file_finish(&loaded->file);
		}
}

#define REGION(address, size, members) \
	"regions: { r = { address = " address "; size = " size "; }; };\nviews: { v = { default = \"rwx\"; " members \
	" }; };"

/* A view can withhold the page of a device, but neither show something else there, nor show it elsewhere. */
static const struct device_row {
	enum platform platform;
	const char *text, *faults, *says;
} device_rows[] = {
	{PLATFORM_SIDESTEP, REGION("0xd0000000", "0x1000", "rights = { r = \"---\"; };"), "", NULL},
	{PLATFORM_SIDESTEP, REGION("0xd0000000", "0x1000", "remap = { r = 0x200000; };"), "2:47 remap-device",
	 "the page of devices at 0xd0000000 is nothing to remap"},
	{PLATFORM_SIDESTEP, REGION("0x200000", "0x1000", "remap = { r = 0xd0000000; };"), "2:47 remap-device",
	 "the page of devices at 0xd0000000 is nothing to remap"},
	{PLATFORM_SIDESTEP, REGION("0xfec00000", "0x1000", ""), "1:12 region-outside", NULL},
	{PLATFORM_SIDESTEP, REGION("0xfee00000", "0x1000", ""), "1:12 region-outside", NULL},
	{PLATFORM_PC, REGION("0xfec00000", "0x1000", "rights = { r = \"---\"; };"), "", NULL},
	{PLATFORM_PC, REGION("0xfee00000", "0x1000", "rights = { r = \"---\"; };"), "", NULL},
	{PLATFORM_PC, REGION("0xfec00000", "0x1000", "remap = { r = 0x200000; };"), "2:47 remap-device",
	 "the page of devices at 0xfec00000 is nothing to remap"},
	{PLATFORM_PC, REGION("0xfee00000", "0x1000", "remap = { r = 0x200000; };"), "2:47 remap-device",
	 "the page of devices at 0xfee00000 is nothing to remap"},
	{PLATFORM_PC, REGION("0x200000", "0x1000", "remap = { r = 0xfec00000; };"), "2:47 remap-device",
	 "the page of devices at 0xfec00000 is nothing to remap"},
	{PLATFORM_PC, REGION("0x200000", "0x1000", "remap = { r = 0xfee00000; };"), "2:47 remap-device",
	 "the page of devices at 0xfee00000 is nothing to remap"},
	{PLATFORM_PC, REGION("0x200000", "0x2000", "remap = { r = 0xfebff000; };"), "2:47 remap-device", NULL},
	{PLATFORM_PC, REGION("0xd0000000", "0x1000", ""), "1:12 region-outside", NULL},
	/* Memory next to the hole is memory. */
	{PLATFORM_PC, REGION("0xbffff000", "0x1000", "remap = { r = 0x100000000; };"), "", NULL},
	{PLATFORM_PC, REGION("0x100000000", "0x1000", "remap = { r = 0xbffff000; };"), "", NULL},
	{PLATFORM_SIDESTEP, REGION("0xbffff000", "0x1000", "remap = { r = 0x100000000; };"), "", NULL},
	{PLATFORM_SIDESTEP, REGION("0x100000000", "0x1000", "remap = { r = 0xbffff000; };"), "", NULL},
};

static void pages_of_devices_are_nothing_to_remap(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(device_rows); i++) {
		const struct device_row *row = &device_rows[i];

		is_about(row->platform == PLATFORM_PC ? IMAGE_BZIMAGE : IMAGE_ELF64, row->platform, 5 * GIB);
		expect_faults(row->text, row->faults);
		if (row->says)
			assert_string_equal(loaded->diagnostics.list[0].text, row->says);
		policy_file_finish(&loaded->file);
	}
}

/* What sidestep's own guests cannot do without, these do not have. */
static void nothing_is_needed(void **state)
{
	static const char text[] = "views: { v = { default = \"r-x\"; }; };";

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		is_about(kernels[k], PLATFORM_PC, 128 << 20);
		expect_faults(text, "");
		assert_int_equal(policy_warn(&loaded->file, &subject, &loaded->diagnostics), 0);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, "");
		policy_file_finish(&loaded->file);
	}
	is_about(IMAGE_ELF64, PLATFORM_SIDESTEP, 128 << 20);
	expect_faults(text, "");
	assert_int_equal(policy_warn(&loaded->file, &subject, &loaded->diagnostics), 0);
	fixture_summarize(&loaded->diagnostics, found, sizeof(found));
	assert_string_equal(found, "1:26 need, 1:26 need, 1:26 need");
	policy_file_finish(&loaded->file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_region_is_built_in),
		cmocka_unit_test(names_of_built_in_regions_are_free),
		cmocka_unit_test(pages_of_devices_are_nothing_to_remap),
		cmocka_unit_test(nothing_is_needed),
	};

	return cmocka_run_group_tests_name("policy_kernels", tests, setup, teardown);
}
