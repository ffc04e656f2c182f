/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy files: what is understood, and where what is wrong with them is said to be. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"
#include "views/effect.h"

#define VIEW "views: { v = { default = \"rwx\"; }; };"
#define REGION(members) "regions: { r = { " members " }; };\n" VIEW
#define MEMBERS(members)                                                                     \
	"regions: { r = { address = 0x200000; size = 0x2000; }; };\nviews: { v = { " members \
	" }; };"

/* Each with what is wrong, or "" if nothing is. */
static const struct {
	const char *text, *faults;
} rows[] = {
	/* Text and syntax */
	{"", "1:1 no-views"},
	{VIEW, ""},
	{"# a comment\n// another\n/* and\none */ " VIEW, ""},
	{VIEW "\r\n", ""},
	{VIEW " # the end", ""},
	{"views: {\n  v = { default = \"rwx\"; };\n", "1:8 syntax"},
	{"views: {\n  v = { default = \"rwx; };\n};\n", "2:19 syntax"},
	{"views: { /* v = {}; };", "1:10 syntax"},
	{"@include \"/etc/passwd\"\n" VIEW, "1:1 syntax"},
	{VIEW "\n  @include \"x\"", "2:3 syntax"},
	{"# @include \"x\"\n" VIEW, ""},
	{"a = (((((((((1)))))))));", "1:13 syntax"},
	{"views: { v = { default = \"rwx\"; } ] };", "1:1 syntax"},
	{"views = 1; views = 2;", "1:12 syntax"},
	{"regions: {};\nviews: {\n  v = { default = \"r\"; }; v = { default = \"r\"; };\n};",
	 "3:27 syntax"},
	{"views: {\n v = { default = \"r\"; };\n w = { default = \"r\"; default = \"x\"; };\n};",
	 "3:23 syntax"},
	{"regions: { a = { address = 1b = 2; }; };", "1:28 syntax"},
	{"\xc3\xa9 = 1;", "1:1 syntax"},
	/* Names and types at the top */
	{"view: {};\n" VIEW, "1:1 unknown-setting"},
	{"regions = 1;\n" VIEW, "1:11 type"},
	{"views = [ 1, 2 ];", "1:1 no-views, 1:9 type"},
	/* Regions */
	{REGION("address = 0x200000; size = 0x1000;"), ""},
	{REGION("address = 0x200000L; size = 4096LL;"), ""},
	{REGION("address = 2097152; size = 4096;"), ""},
	{REGION("address = -4096; size = 0x1000;"), "1:28 number"},
	{REGION("address = 1.0; size = \"x\";"), "1:28 number, 1:40 number"},
	/* 32 bits and more: not cut off as libconfig does. */
	{REGION("address = 0x100200000; size = 0x1000;"), "1:12 region-outside"},
	{REGION("address = 4297064448; size = 0x1000;"), "1:12 region-outside"},
	{REGION("address = 0x200000; size = 0x100001000;"), "1:12 region-outside"},
	{REGION("address = 0xfffffffffffff000; size = 0x2000;"), "1:12 region-wraps"},
	{REGION("address = 0x10000000000000000; size = 0x1000;"), "1:28 number"},
	{REGION("address = 0x200001; size = 0x1000;"), "1:12 region-unaligned"},
	{REGION("address = 0x200000; size = 0;"), "1:12 region-empty"},
	{REGION("address = 0x1000000; size = 0x1000;"), "1:12 region-outside"},
	{REGION("address = 0xd0000000; size = 0x1000;"), ""},
	{REGION("address = 0x200000;"), "1:12 region-form"},
	{REGION("address = 0x200000; size = 0x1000; section = \".text\";"), "1:12 region-form"},
	{REGION("from = \"label\";"), "1:12 region-form"},
	{REGION(""), "1:12 region-form"},
	{REGION("address = 0x200000; size = 0x1000; colour = 1;"), "1:53 unknown-setting"},
	{"regions: { r = 5; };\n" VIEW, "1:16 type"},
	{"regions: { boot = { address = 0x200000; size = 0x1000; }; };\n" VIEW, "1:12 name"},
	{"regions: { a*b = { address = 0x200000; size = 0x1000; }; };\n" VIEW, "1:12 name"},
	{"regions: { abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = { address = 0x200000; size "
	 "= 4096; }; };\n" VIEW,
	 ""},
	{"regions: { abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc = { address = 0x200000; size "
	 "= 4096; }; };\n" VIEW,
	 "1:12 name"},
	{"regions: {\n  a = { address = 0x200000; size = 0x3000; };\n  b = { address = 0x202000; "
	 "size = 0x1000; };\n"
	 "  c = { address = 0x202000; size = 0x1000; };\n};\n" VIEW,
	 "3:3 region-overlap, 4:3 region-overlap"},
	/* Sections and symbols */
	{REGION("section = \".text\";"), ""},
	{REGION("section = \".gate\";"), ""},
	{REGION("section = 7;"), "1:28 type"},
	{REGION("section = \".nothing\";"), "1:28 place"},
	{REGION("section = \".comment\";"), "1:28 place"},
	{REGION("section = \".empty\";"), "1:28 place"},
	{REGION("section = \".twice\";"), "1:28 place"},
	{REGION("section = \".odd\";"), "1:28 place"},
	{REGION("section = \".data\";"), "1:28 place"},
	{REGION("section = \".away\";"), "1:28 place"},
	{REGION("section = \".wraps\";"), "1:28 place"},
	{REGION("symbol = \"table\";"), ""},
	{REGION("symbol = \"alone\";"), ""},
	{REGION("symbol = \"small\";"), "1:27 place"},
	{REGION("symbol = \"next\";"), "1:27 place"},
	{REGION("symbol = \"label\";"), "1:27 place"},
	{REGION("symbol = \"twin\";"), "1:27 place"},
	{REGION("symbol = \"nobody\";"), "1:27 place"},
	{REGION("from = \"label\"; to = \"label_end\";"), ""},
	{REGION("from = \"label_end\"; to = \"label\";"), "1:25 place"},
	{REGION("from = \"label\"; to = \"nobody\";"), "1:25 place"},
	{REGION("from = \"label\"; to = 3;"), "1:39 type"},
	/* Views */
	{MEMBERS("default = \"r-x\"; rights = { r = \"rw-\"; };"), ""},
	{MEMBERS("rights = { r = \"rw-\"; };"), "2:10 no-default"},
	{MEMBERS("default = \"r\"; rights = { r = \"rx\"; boot = \"---\"; };"), ""},
	{MEMBERS("default = \"xr\";"), "2:26 rights"},
	{MEMBERS("default = \"\";"), "2:26 rights"},
	{MEMBERS("default = \"-\";"), "2:26 rights"},
	{MEMBERS("default = \"rw-x\";"), "2:26 rights"},
	{MEMBERS("default = \"rwz\";"), "2:26 rights"},
	{MEMBERS("default = \"RWX\";"), "2:26 rights"},
	{MEMBERS("default = \"-r-\";"), "2:26 rights"},
	{MEMBERS("default = 7;"), "2:26 type"},
	{MEMBERS("default = \"-w-\";"), "2:26 write-without-read"},
	{MEMBERS("default = \"--x\";"), "2:26 execute-only"},
	{MEMBERS("default = \"r\"; rights = { r = \"-wx\"; };"), "2:46 write-without-read"},
	{MEMBERS("default = \"-w-\"; remap = { r = 0x300000; };"), "2:26 write-without-read"},
	{MEMBERS("default = \"r\"; rights = { q = \"r\"; r = 1; };"),
	 "2:42 unknown-region, 2:55 type"},
	{MEMBERS("default = \"r\"; rights = [ 1 ];"), "2:40 type"},
	{MEMBERS("default = \"r\"; remap = { r = 0x300000; };"), ""},
	{MEMBERS("default = \"r\"; remap = { r = 0x300010; };"), "2:45 remap-unaligned"},
	{MEMBERS("default = \"r\"; remap = { r = 0xfff000; };"), "2:45 remap-outside"},
	{MEMBERS("default = \"r\"; remap = { r = \"boot\"; };"), ""},
	{MEMBERS("default = \"r\"; remap = { r = \"tag-1\"; };"), "2:45 remap-size"},
	{MEMBERS("default = \"r\"; remap = { r = \"q\"; q = \"r\"; };"),
	 "2:45 unknown-region, 2:50 unknown-region"},
	{MEMBERS("default = \"r\"; remap = { r = 0xd0000000; };"), "2:45 remap-device"},
	{MEMBERS("default = \"r\"; remap = { device = \"tag-1\"; };"), "2:50 remap-device"},
	{MEMBERS("default = \"r\"; gates = [ \"r\", \"window-tag\" ];"), ""},
	{MEMBERS("default = \"r\"; gates = ( \"r\" );"), ""},
	{MEMBERS("default = \"r\"; gates = [];"), ""},
	{MEMBERS("default = \"r\"; gates = \"r\";"), "2:39 type"},
	{MEMBERS("default = \"r\"; gates = ( \"q\", 3, \"r\", \"r\" );"),
	 "2:41 unknown-region, 2:46 type, 2:54 gate-twice"},
	{MEMBERS("default = \"r\"; wx = true;"), ""},
	{MEMBERS("default = \"r\"; wx = 1;"), "2:36 type"},
	{MEMBERS("default = \"r\"; ve = true;"), ""},
	{MEMBERS("default = \"r\"; ve = false;"), ""},
	{MEMBERS("default = \"r\"; ve = 1;"), "2:36 type"},
	{MEMBERS("default = \"r\"; ve = \"r\"; suppress = [ \"r\" ];"), "2:36 type"},
	{MEMBERS("default = \"r\"; ve = true; suppress = [ \"r\", \"boot\" ];"), ""},
	{MEMBERS("suppress = ( \"r\" ); ve = true; default = \"r\";"), ""},
	{MEMBERS("default = \"r\"; ve = true; suppress = [];"), ""},
	{MEMBERS("default = \"r\"; ve = true; suppress = \"r\";"), "2:53 type"},
	{MEMBERS("default = \"r\"; ve = true; suppress = ( \"q\", 3, \"r\", \"r\" );"),
	 "2:55 unknown-region, 2:60 type, 2:68 suppress-twice"},
	{MEMBERS("default = \"r\"; suppress = [ \"r\" ];"), "2:31 suppress-alone"},
	{MEMBERS("default = \"r\"; suppress = [];"), "2:31 suppress-alone"},
	{MEMBERS("default = \"r\"; suppress = [ \"q\" ]; ve = false;"), "2:31 suppress-alone, 2:44 unknown-region"},
	/* A region that is only named there has no rights of its own that could be wrong. */
	{MEMBERS("default = \"-w-\"; ve = true; suppress = [ \"r\" ];"), "2:26 write-without-read"},
	{MEMBERS("default = \"r\"; colour = 1;"), "2:31 unknown-setting"},
	{"views: { v = 3; };", "1:1 no-views, 1:14 type"},
	/* A region that is at fault is no unknown name. */
	{"regions: { r = { section = \".odd\"; }; };\nviews: { v = { default = \"r\"; rights = { r "
	 "= \"r\"; }; "
	 "remap = { r = \"r\"; }; gates = [ \"r\" ]; }; };",
	 "1:28 place"},
	/* All that can be found, in the order of the text. */
	{"regions: {\n\ta = { section = \".odd\"; };\n\tb = { address = 1; size = 0x1000; };\n};\n"
	 "views: {\n\tv = { default = \"-w-\"; };\n\tw = { default = \"r\"; rights = { z = \"r\"; "
	 "}; };\n};",
	 "2:18 place, 3:2 region-unaligned, 6:18 write-without-read, 7:34 unknown-region"},
};

static void faults(void **state)
{
	struct loaded *loaded = malloc(sizeof(*loaded));
	unsigned wrong = 0;

	(void)state;
	assert_non_null(loaded);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char found[400];

		fixture_load(loaded, rows[i].text, strlen(rows[i].text), &fixture_ept, false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		if (strcmp(found, rows[i].faults) != 0) {
			print_message("'%s'\n\twanted '%s'\n\tfound  '%s'\n\t%s\n", rows[i].text,
				      rows[i].faults, found, loaded->diagnostics.list[0].text);
			wrong++;
		}
		assert_int_equal(loaded->rc, found[0] ? -EINVAL : 0);
		if (loaded->rc != 0)
			assert_int_equal(loaded->error.status, STATUS_USAGE);
		policy_file_finish(&loaded->file);
	}
	assert_int_equal(wrong, 0);
	free(loaded);
}

/* Bytes of value 0 and too many bytes. */
static void sizes(void **state)
{
	static const char zero[] = "views: {\n\0};";
	struct loaded *loaded = malloc(sizeof(*loaded));
	char *large = malloc(POLICY_TEXT_MAX + 1);
	char found[100];

	(void)state;
	assert_non_null(loaded);
	assert_non_null(large);
	fixture_load(loaded, zero, sizeof(zero) - 1, &fixture_ept, false);
	fixture_summarize(&loaded->diagnostics, found, sizeof(found));
	assert_string_equal(found, "2:1 syntax");
	policy_file_finish(&loaded->file);
	memset(large, ' ', POLICY_TEXT_MAX + 1);
	memcpy(large, VIEW, strlen(VIEW));
	fixture_load(loaded, large, POLICY_TEXT_MAX, &fixture_ept, false);
	assert_int_equal(loaded->rc, 0);
	policy_file_finish(&loaded->file);
	fixture_load(loaded, large, POLICY_TEXT_MAX + 1, &fixture_ept, false);
	assert_int_equal(loaded->rc, -EFBIG);
	assert_non_null(strstr(loaded->error.text, "too long for a policy file"));
	policy_file_finish(&loaded->file);
	free(large);
	free(loaded);
}

/* One more view or region than there may be. */
static void limits(void **state)
{
	struct loaded *loaded = malloc(sizeof(*loaded));
	static char text[POLICY_TEXT_MAX];
	char found[400];

	(void)state;
	assert_non_null(loaded);
	for (unsigned count = VIEW_MAX; count <= VIEW_MAX + 1; count++) {
		size_t used = (size_t)sprintf(text, "views: {\n");

		for (unsigned i = 0; i < count; i++)
			used += (size_t)sprintf(text + used, "v%u = { default = \"r\"; };\n", i);
		used += (size_t)sprintf(text + used, "};");
		fixture_load(loaded, text, used, &fixture_ept, false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, count > VIEW_MAX ? "514:1 too-many-views" : "");
		policy_file_finish(&loaded->file);
	}
	for (unsigned count = POLICY_REGIONS_MAX; count <= POLICY_REGIONS_MAX + 1; count++) {
		size_t used = (size_t)sprintf(text, VIEW "\nregions: {\n");

		for (unsigned i = 0; i < count; i++)
			used += (size_t)sprintf(text + used,
						"r%u = { address = 0x%x; size = 4096; };\n", i,
						i * 0x1000);
		used += (size_t)sprintf(text + used, "};");
		fixture_load(loaded, text, used,
			     &(struct view_target){
			     .memory = {&(struct gpa_range){{0}, UINT64_C(1) << 30}, 1},
			     .format = fixture_ept.format,
			     .caps = fixture_ept.caps},
			     false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found,
				    count > POLICY_REGIONS_MAX ? "4099:1 too-many-regions" : "");
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

/* A group of that many settings, one a line, those at `a` and `b` with the same name; -1: none. */
static size_t write_group(char *text, int count, int a, int b)
{
	size_t used = (size_t)sprintf(text, VIEW " regions: {\n");

	for (int i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "r%d = { address = 0x200000; size = 0x1000; };\n",
					i == b ? a : i);
	return used + (size_t)sprintf(text + used, "}; # the end");
}

/* libconfig reads large groups in parts; names, places and duplicates are those of the file. */
static void large_groups(void **state)
{
	static const struct {
		int count, a, b;
		const char *faults;
	} groups[] = {
		{32, 0, 31, "33:1 syntax"},  {33, 0, 32, "34:1 syntax"},   {33, 31, 32, "34:1 syntax"},
		{100, 5, 70, "72:1 syntax"}, {100, 98, 99, "101:1 syntax"},
	};
	struct loaded *loaded = malloc(sizeof(*loaded));
	static char text[POLICY_TEXT_MAX];
	char found[4000];

	(void)state;
	assert_non_null(loaded);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		size_t size = write_group(text, groups[i].count, groups[i].a, groups[i].b);

		fixture_load(loaded, text, size, &fixture_ept, false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, groups[i].faults);
		assert_non_null(strstr(loaded->diagnostics.list[0].text, "duplicate setting name"));
		policy_file_finish(&loaded->file);
		/* Without the name: regions that overlap, each with its own place. */
		size = write_group(text, groups[i].count, -1, -1);
		fixture_load(loaded, text, size, &fixture_ept, false);
		assert_int_equal(loaded->file.region_count, groups[i].count);
		assert_int_equal(loaded->diagnostics.count[SEVERITY_ERROR], groups[i].count - 1);
		assert_string_equal(loaded->diagnostics.list[0].key, "region-overlap");
		for (int r = 0; r < groups[i].count; r++) {
			char name[16];

			snprintf(name, sizeof(name), "r%d", r);
			assert_string_equal(loaded->file.regions[r].name, name);
			assert_int_equal(policy_file_region_place(&loaded->file, (uint32_t)r).line, r + 2);
		}
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

/* One more setting, or element of a list, than there may be: refused before anybody reads them. */
static void too_many(void **state)
{
	struct loaded *loaded = malloc(sizeof(*loaded));
	static char text[POLICY_TEXT_MAX];
	char found[400];

	(void)state;
	assert_non_null(loaded);
	for (int more = 0; more < 2; more++) {
		size_t used = (size_t)sprintf(text, "x = [ 1");

		for (int i = 0; i < POLICY_ELEMENTS_MAX + more; i++)
			used += (size_t)sprintf(text + used, ",1");
		used += (size_t)sprintf(text + used, " ];\n" VIEW);
		fixture_load(loaded, text, used, &fixture_ept, false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, more ? "1:131080 syntax" : "1:1 unknown-setting");
		policy_file_finish(&loaded->file);
	}
	for (int more = 0; more < 2; more++) {
		size_t used = (size_t)sprintf(text, "x: {\n");

		/* The group is a setting too, and so are views and what is in them. */
		for (int i = 0; i < POLICY_SETTINGS_MAX - 4 + more; i++)
			used += (size_t)sprintf(text + used, "a%x=1\n", i);
		used += (size_t)sprintf(text + used, "};\n" VIEW);
		fixture_load(loaded, text, used, &fixture_ept, false);
		fixture_summarize(&loaded->diagnostics, found, sizeof(found));
		assert_string_equal(found, more ? "65536:16 syntax" : "1:1 unknown-setting");
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

/* More faults than are kept are counted. */
static void many(void **state)
{
	struct loaded *loaded = malloc(sizeof(*loaded));
	static char text[100000];
	char *printed = NULL;
	size_t used = (size_t)sprintf(text, VIEW "\n"), size;
	FILE *stream = open_memstream(&printed, &size);

	(void)state;
	assert_non_null(loaded);
	assert_non_null(stream);
	for (unsigned i = 0; i < DIAGNOSTICS_MAX + 7; i++)
		used += (size_t)sprintf(text + used, "x%u = 1;\n", i);
	fixture_load(loaded, text, used, &fixture_ept, false);
	assert_int_equal(loaded->diagnostics.count[SEVERITY_ERROR], DIAGNOSTICS_MAX + 7);
	assert_non_null(strstr(loaded->error.text, "107 errors in this policy"));
	diagnostics_print(&loaded->diagnostics, "a\nb.views", stream);
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(
		printed, "a\\x0ab.views:2:1: error: 'x0' means nothing here; known: regions views "
			 "[unknown-setting]\n"));
	assert_non_null(strstr(printed, "a\\x0ab.views: and 7 more\n"));
	policy_file_finish(&loaded->file);
	free(printed);
	free(loaded);
}

static void is_region(const struct view_policy *policy, const char *name, uint64_t gpa,
		      uint64_t size)
{
	uint32_t index;

	assert_int_equal(policy_find_region(policy, name, &index), 0);
	assert_int_equal(policy->regions[index].gpa.v, gpa);
	assert_int_equal(policy->regions[index].size, size);
}

/* What a file says is what the policy holds. */
static void meaning(void **state)
{
	static const char text[] =
		"regions: {\n"
		"  text = { section = \".text\"; };\n"
		"  moved = { section = \".moved\"; };\n"
		"  alone = { symbol = \"alone\"; };\n"
		"  labels = { from = \"label\"; to = \"label_end\"; };\n"
		"  io = { address = 0x400000; size = 0x3000; };\n"
		"};\n"
		"views: {\n"
		"  first = { default = \"rwx\"; wx = true; };\n"
		"  second = { default = \"---\"; rights = { text = \"rx\"; io = \"rw-\"; };\n"
		"    remap = { io = 0x500000; alone = \"window-tag\"; }; gates = [ \"labels\", "
		"\"text\" ]; };\n"
		"};\n";
	struct loaded *loaded = malloc(sizeof(*loaded));
	const struct view_policy *policy = &loaded->file.policy;
	struct view_effect effect;
	uint32_t index;

	(void)state;
	fixture_load(loaded, text, strlen(text), &fixture_ept, false);
	assert_int_equal(loaded->rc, 0);
	assert_int_equal(policy->view_count, 2);
	assert_string_equal(policy->views[0].name, "first");
	assert_string_equal(policy->views[1].name, "second");
	is_region(policy, "text", 0x100000, 0x2000);
	is_region(policy, "moved", 0x300000, 0x1000);
	is_region(policy, "alone", 0x109000, 0x1000);
	is_region(policy, "labels", 0x107000, 0x1000);
	is_region(policy, "io", 0x400000, 0x3000);
	is_region(policy, "window-tag", 0xe0000, 0x1000);
	assert_int_equal(policy_find_region(policy, "boot", &index), -ENOENT);
	assert_int_equal(policy_effect(policy, 0, gpa_at(0x100000)).rights, VIEW_RIGHTS_ALL);
	assert_int_equal(policy_effect(policy, 1, gpa_at(0x101fff)).rights,
			 VIEW_READ | VIEW_EXECUTE);
	assert_int_equal(policy_effect(policy, 1, gpa_at(0x102000)).rights, 0);
	effect = policy_effect(policy, 1, gpa_at(0x402008));
	assert_int_equal(effect.rights, VIEW_READ | VIEW_WRITE);
	assert_int_equal(effect.target.v, 0x502008);
	/* A remap alone changes no rights. */
	effect = policy_effect(policy, 1, gpa_at(0x109000));
	assert_int_equal(effect.rights, 0);
	assert_int_equal(effect.target.v, 0xe0000);
	assert_true(loaded->file.views[0].writes_code);
	assert_false(loaded->file.views[1].writes_code);
	assert_int_equal(loaded->file.views[1].gates.count, 2);
	assert_string_equal(policy->regions[loaded->file.views[1].gates.regions[0]].name, "labels");
	assert_string_equal(policy->regions[loaded->file.views[1].gates.regions[1]].name, "text");
	policy_file_finish(&loaded->file);
	free(loaded);
}

/* Memory slots: rights without x are refused, or, leniently, widened and reported. */
static void lenient(void **state)
{
	static const char text[] =
		"views: { v = { default = \"rw-\"; rights = { boot = \"r--\"; context = \"---\"; "
		"stacks = \"r-x\"; }; remap = { window-tag = \"tag-1\"; }; }; };";
	struct view_target slots = fixture_ept;
	struct loaded *loaded = malloc(sizeof(*loaded));
	const struct view_policy *policy = &loaded->file.policy;
	char found[200];

	(void)state;
	slots.format = &paging_slots;
	fixture_load(loaded, text, strlen(text), &slots, false);
	fixture_summarize(&loaded->diagnostics, found, sizeof(found));
	assert_string_equal(found, "1:26 execute-withheld, 1:51 execute-withheld");
	assert_int_equal(loaded->diagnostics.count[SEVERITY_WARNING], 0);
	policy_file_finish(&loaded->file);
	fixture_load(loaded, text, strlen(text), &slots, true);
	fixture_summarize(&loaded->diagnostics, found, sizeof(found));
	assert_string_equal(found, "1:26 rights-widened, 1:51 rights-widened");
	assert_int_equal(loaded->rc, 0);
	assert_int_equal(loaded->diagnostics.count[SEVERITY_WARNING], 2);
	assert_int_equal(policy->views[0].rights, VIEW_RIGHTS_ALL);
	assert_int_equal(policy_effect(policy, 0, gpa_at(0x1000)).rights, VIEW_READ | VIEW_EXECUTE);
	assert_int_equal(policy_effect(policy, 0, gpa_at(0x10000)).rights, 0);
	assert_int_equal(policy_effect(policy, 0, gpa_at(0x60000)).rights,
			 VIEW_READ | VIEW_EXECUTE);
	policy_file_finish(&loaded->file);
	free(loaded);
}

/* Reproducible (G. Marsaglia, Xorshift RNGs, 2003). */
static size_t random_below(uint64_t *state, size_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % limit;
}

/* Valid files with random bytes changed, dropped or doubled: whatever is accepted is valid,
 * whatever is not has a place in the text. */
static void random_changes(void **state)
{
	static const char base[] = "regions: { a = { address = 0x200000; size = 0x2000L; }; b = { "
				   "section = \".text\"; };\n"
				   "# c\n c = { from = \"label\"; to = \"label_end\"; }; "
				   "};\nviews: { v = { default = \"rwx\"; };\n"
				   " w = { default = \"---\"; rights = { a = \"r-x\"; boot = "
				   "\"rw\"; }; remap = { b = 0x400000; };"
				   " gates = [ \"a\", \"b\" ]; wx = false; ve = true; suppress = [ \"a\", \"c\" ]; "
				   "}; };\n";
	struct loaded *loaded = malloc(sizeof(*loaded));
	uint64_t seed = 6;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		char text[2 * sizeof(base)];
		size_t size = sizeof(base) - 1;

		memcpy(text, base, size);
		for (size_t changes = 1 + random_below(&seed, 4); changes > 0; changes--) {
			size_t at = random_below(&seed, size);
			size_t length = random_below(&seed, 12);

			if (length > size - at)
				length = size - at;
			switch (random_below(&seed, 3)) {
			case 0: /* a character of the text elsewhere */
				text[at] = text[random_below(&seed, size)];
				break;
			case 1:
				memmove(text + at, text + at + length, size - at - length);
				size -= length;
				break;
			default:
				memmove(text + at + length, text + at, size - at);
				size += length;
			}
		}
		fixture_load(loaded, text, size, &fixture_ept, random_below(&seed, 2));
		if (loaded->rc == 0)
			assert_int_equal(policy_validate(&loaded->file.policy, &fixture_ept, NULL), 0);
		for (size_t i = 0; i < loaded->diagnostics.kept; i++) {
			assert_in_range(loaded->diagnostics.list[i].place.line, 1, 20);
			assert_in_range(loaded->diagnostics.list[i].place.column, 1, sizeof(text));
		}
		policy_file_finish(&loaded->file);
	}
	free(loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults),	  cmocka_unit_test(sizes),
		cmocka_unit_test(large_groups), cmocka_unit_test(too_many),
		cmocka_unit_test(limits),	  cmocka_unit_test(many),
		cmocka_unit_test(meaning),	  cmocka_unit_test(lenient),
		cmocka_unit_test(random_changes),
	};

	return cmocka_run_group_tests_name("policy_file", tests, NULL, NULL);
}
